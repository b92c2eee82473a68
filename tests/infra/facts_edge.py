"""Facts of the CDN: behaviours, fail-over, cache keys, errors, the function."""

import fnmatch
import subprocess
from collections.abc import Iterator

from template import Template

from attestlayer.encoding import sha256
from attestlayer.log import layout
from infra.facts import Resource, fact, of_type
from support.tools import require


def behaviours(template: Template) -> Iterator[tuple[str, Resource]]:
    """Pattern and properties of each cache behaviour, the default last, as CloudFront looks at them."""
    for _, properties in of_type(template, "AWS::CloudFront::Distribution"):
        config = properties["DistributionConfig"]
        for each in config.get("CacheBehaviors", []):
            yield each["PathPattern"], each
        yield "*", config["DefaultCacheBehavior"]


FAILOVER_CODES = {400, 403, 404, 416, 429, 500, 502, 503, 504}
"""Codes that an origin group can fail over at (CloudFront, origin failover)."""

VERIFIER = f"/{layout.VERIFIER_PAGE}"
"""Has a behaviour of its own for its headers alone."""


@fact
def origin_groups_fail_over_at_what_they_can_and_take_only_reads(template: Template) -> list[str]:
    found, groups = [], set()
    for _, properties in of_type(template, "AWS::CloudFront::Distribution"):
        config = properties["DistributionConfig"]
        origins = {origin["Id"] for origin in config["Origins"]}
        for group in config["OriginGroups"]["Items"]:
            groups.add(group["Id"])
            codes = group["FailoverCriteria"]["StatusCodes"]["Items"]
            members = [each["OriginId"] for each in group["Members"]["Items"]]
            if codes != [404] or set(codes) - FAILOVER_CODES:
                found.append(f"{group['Id']}: fails over at {codes}, wanted a missing object's 404 alone")
            if members != ["objects", "prove"] or set(members) - origins:
                found.append(f"{group['Id']}: members {members}, wanted objects, then prove")
    for pattern, behaviour in behaviours(template):
        if set(behaviour["AllowedMethods"]) != {"GET", "HEAD", "OPTIONS"}:
            found.append(f"{pattern}: takes {behaviour['AllowedMethods']}")
        if pattern not in ("*", VERIFIER) and behaviour["TargetOriginId"] not in groups:
            found.append(f"{pattern}: goes to {behaviour['TargetOriginId']}, wanted the origin group")
    return found


@fact
def a_query_s_path_and_its_object_s_have_one_behaviour(template: Template) -> list[str]:
    """A behaviour is chosen by the path as it came; the function changes it afterwards."""
    patterns = [pattern for pattern, _ in behaviours(template)]

    def chosen(path: str) -> str:
        return next(each for each in patterns if fnmatch.fnmatchcase(path, each))

    pairs = (
        (f"/{layout.CONSISTENCY_QUERY}", f"/{layout.consistency_path(3, 8)}"),
        (f"/{layout.INCLUSION_QUERY}", f"/{layout.inclusion_path(sha256(b''))}"),
        ("/", "/index.html"),
    )
    found = [f"{a} and {b}" for a, b in pairs if chosen(a) != chosen(b)]
    if chosen(pairs[0][0]) == "*" or chosen(pairs[1][0]) != "*":
        found.append("the consistency pattern does not match consistency alone")
    return found


@fact
def every_behaviour_runs_the_function_over_https(template: Template) -> list[str]:
    found = []
    for pattern, behaviour in behaviours(template):
        functions = [
            (each["EventType"], each["FunctionARN"]) for each in behaviour.get("FunctionAssociations", [])
        ]
        if functions != [("viewer-request", {"Fn::GetAtt": ["ViewerRequest", "FunctionARN"]})]:
            found.append(f"{pattern}: runs {functions}")
        if behaviour.get("CachePolicyId") != {"Ref": "ByPath"}:
            found.append(f"{pattern}: has another cache policy")
        wanted = "VerifierHeaders" if pattern == VERIFIER else "Headers"
        if behaviour.get("ResponseHeadersPolicyId") != {"Ref": wanted}:
            found.append(f"{pattern}: has other response headers")
        if behaviour["ViewerProtocolPolicy"] != "redirect-to-https":
            found.append(f"{pattern}: {behaviour['ViewerProtocolPolicy']}")
    return found


@fact
def the_cache_key_is_the_path_alone(template: Template) -> list[str]:
    found = []
    for name, properties in of_type(template, "AWS::CloudFront::CachePolicy"):
        config = properties["CachePolicyConfig"]
        key = config["ParametersInCacheKeyAndForwardedToOrigin"]
        if [key[f"{kind}sConfig"][f"{kind}Behavior"] for kind in ("QueryString", "Header", "Cookie")] != [
            "none"
        ] * 3:
            found.append(f"{name}: the cache key has more than the path")
        if (config["MinTTL"], config["DefaultTTL"]) != (0, layout.MUTABLE_MAX_AGE_S):
            found.append(f"{name}: keeps what changes longer than it says")
    return found


@fact
def the_function_s_code_is_there_and_can_be_read(template: Template) -> list[str]:
    found = []
    for name, properties in of_type(template, "AWS::CloudFront::Function"):
        code = properties["FunctionCode"]
        checked = subprocess.run(
            [str(require("node")), "--check", "-"], input=code, capture_output=True, text=True, check=False
        )
        if checked.returncode:
            found.append(f"{name}: {checked.stderr.strip().splitlines()[-1]}")
        if "function handler(event)" not in code or len(code.encode()) > 10 * 1024:
            found.append(f"{name}: no handler, or more than 10 KB")
        if properties["FunctionConfig"]["Runtime"] != "cloudfront-js-2.0":
            found.append(f"{name}: {properties['FunctionConfig']['Runtime']} has no rawQueryString")
    return found


CACHED_ERRORS = {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
"""Codes that CloudFront caches, for ten seconds unless it is told otherwise."""


@fact
def every_error_is_cached_for_five_seconds_at_most(template: Template) -> list[str]:
    found = []
    for _, properties in of_type(template, "AWS::CloudFront::Distribution"):
        told = {each["ErrorCode"]: each for each in properties["DistributionConfig"]["CustomErrorResponses"]}
        found += [f"{code}: ten seconds" for code in sorted(CACHED_ERRORS - told.keys())]
        found += [f"{code}: too long" for code, each in told.items() if each["ErrorCachingMinTTL"] > 5]
        page = told[404].get("ResponsePagePath", "").removeprefix("/")
        if page != layout.NOT_FOUND_PROBLEM or told[404].get("ResponseCode") != 404:
            found.append(f"404: answered by {page!r}, which nobody publishes")
    return found
