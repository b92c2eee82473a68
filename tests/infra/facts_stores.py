"""Facts of the stores: buckets, their policies, the table, what expires."""

import re

from template import Template

from attestlayer.encoding import sha256
from attestlayer.log import layout
from infra.facts import fact, of_type, statements
from issuer.kits.terms import SCHEDULE


def _names() -> list[str]:
    digest = sha256(b"x")
    return [
        *("checkpoint", "index.html", "assets/registry.css", "pages/index.html", "security.txt"),
        *(layout.LATEST, layout.STATS, layout.TRUST, layout.REGISTRY_JWKS, layout.ISSUER_JWKS),
        *(layout.REGISTRY_VKEY, layout.registry_key_path("kid"), layout.POLICY, layout.LOG_LIST),
        *(layout.SPECIFICATION, "v1/verify-kit.zip", layout.NOT_FOUND_PROBLEM),
        *("tile/0/000", "tile/1/x001/067.p/3", "tile/entries/000.p/7", "tile/entries/x001/234"),
        *(layout.checkpoint_path(digest), layout.checkpoint_bundle_path(0), layout.entry_path(digest)),
        *(layout.inclusion_path(digest), layout.consistency_path(0, 1), layout.policy_path(digest)),
        *(layout.notices_path(digest), layout.index_path(0, 0, 0), layout.index_path(3, 1067, 12)),
    ]


def _matched(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), name) is not None


@fact
def the_registry_refuses_to_overwrite_what_never_changes(template: Template) -> list[str]:
    by_sid = dict(statements(template))
    created = by_sid.get("RegistryPolicy/ImmutableNamesAreOnlyCreated", {})
    swapped = by_sid.get("RegistryPolicy/EverythingElseIsComparedAndSwapped", {})
    found = []
    if created.get("Condition") != {"Null": {"s3:if-none-match": "true"}} or created.get("Effect") != "Deny":
        found.append("immutable names can be overwritten")
    if swapped.get("Condition") != {"Null": {"s3:if-none-match": "true", "s3:if-match": "true"}}:
        found.append("mutable names can be overwritten unseen")
    patterns = [each["Fn::Sub"].removeprefix("${Registry.Arn}/") for each in created.get("Resource", [])]
    for name in _names():
        refused = any(_matched(pattern, name) for pattern in patterns)
        if refused != layout.is_immutable(name):
            found.append(
                f"{name}: immutable by its name {layout.is_immutable(name)}, by the policy {refused}"
            )
    return found


@fact
def buckets_take_only_tls_lose_only_partial_tiles_and_say_what_is_missing(template: Template) -> list[str]:
    by_sid = dict(statements(template))
    found = []
    for where in ("RegistryPolicy/OnlyTls", "PrivatePolicy/OnlyTls"):
        tls = by_sid.get(where, {})
        if tls.get("Condition") != {"Bool": {"aws:SecureTransport": "false"}} or tls.get("Effect") != "Deny":
            found.append(f"{where}: plain HTTP is let in")
    kept = by_sid.get("RegistryPolicy/OnlyPartialTilesGo", {})
    if kept.get("NotResource") != {"Fn::Sub": "${Registry.Arn}/tile/*.p/*"} or kept.get("Effect") != "Deny":
        found.append("more than partial tiles can be deleted")
    missing_is_404 = by_sid.get("RegistryPolicy/TheCdnSeesWhatIsMissing", {})
    if missing_is_404.get("Action") != "s3:ListBucket":
        found.append("a missing object is 403")
    return found


@fact
def every_bucket_is_closed_encrypted_and_kept(template: Template) -> list[str]:
    found = []
    for name, properties in of_type(template, "AWS::S3::Bucket"):
        blocked = properties.get("PublicAccessBlockConfiguration", {})
        wanted = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        found += [f"{name}: {each} is off" for each in wanted if blocked.get(each) is not True]
        if "BucketEncryption" not in properties:
            found.append(f"{name}: not encrypted")
        if template["Resources"][name].get("DeletionPolicy") != "Retain":
            found.append(f"{name}: goes with the stack")
    registry = template["Resources"]["Registry"]["Properties"]
    lock = registry.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention")
    if not registry.get("ObjectLockEnabled") or lock != {
        "Mode": {"Ref": "LockMode"},
        "Days": {"Ref": "LockDays"},
    }:
        found.append("Registry: not locked")
    if registry.get("VersioningConfiguration") != {"Status": "Enabled"}:
        found.append("Registry: not versioned")
    if any("ExpirationInDays" in rule for rule in registry["LifecycleConfiguration"]["Rules"]):
        found.append("Registry: something in it expires")
    return found


@fact
def the_table_is_protected_and_nothing_in_it_expires(template: Template) -> list[str]:
    found = []
    for name, properties in of_type(template, "AWS::DynamoDB::Table"):
        recovery = properties.get("PointInTimeRecoverySpecification", {})
        if recovery.get("PointInTimeRecoveryEnabled") is not True:
            found.append(f"{name}: no point-in-time recovery")
        if properties.get("DeletionProtectionEnabled") != {"Ref": "Protection"}:
            found.append(f"{name}: can be deleted")
        if properties.get("SSESpecification") != {"SSEEnabled": True, "SSEType": "KMS"}:
            found.append(f"{name}: not encrypted by KMS")
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            found.append(f"{name}: not on demand")
        if "TimeToLiveSpecification" in properties:
            found.append(f"{name}: items expire, and the ledger's adapter has none that may")
        if template["Resources"][name].get("DeletionPolicy") != "Retain":
            found.append(f"{name}: goes with the stack")
    return found


@fact
def the_stores_expire_what_the_schedule_says(template: Template) -> list[str]:
    """But sealed kits: `maintain` deletes them, since it knows whose leaf waits."""
    unfinished, records, kits, _ = (line.days for line in SCHEDULE)
    rules = template["Resources"]["Private"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    wanted = {"records/": records, "kits/": kits}
    aborted = [
        rule["AbortIncompleteMultipartUpload"] for rule in rules if "AbortIncompleteMultipartUpload" in rule
    ]
    found = [] if expiring == wanted else [f"found {expiring}, wanted {wanted}"]
    if aborted != [{"DaysAfterInitiation": unfinished}]:
        found.append(f"unfinished uploads: {aborted}")
    return found
