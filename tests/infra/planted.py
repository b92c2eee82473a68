"""Errors to plant in the template: what it is, the fact that finds it, how it is made in the resources."""

from collections.abc import Callable
from typing import Any

Plant = Callable[[dict[str, Any]], object]
PLANTED: list[tuple[str, str, Plant]] = [
    (
        "an action misspelt",
        "every_action_and_condition_key_exists",
        lambda r: _policy(r, "ProveRole")[1].update(Action=["s3:GetObjects"]),
    ),
    (
        "a condition key misspelt",
        "every_action_and_condition_key_exists",
        lambda r: _bucket_policy(r, 1).update(Condition={"Null": {"s3:if-nonematch": "true"}}),
    ),
    (
        "a global condition key misspelt",
        "every_global_condition_key_is_a_known_one",
        lambda r: _bucket_policy(r, 0).update(Condition={"Bool": {"aws:SecureTransfer": "false"}}),
    ),
    (
        "an action too many",
        "every_role_has_exactly_the_actions_of_its_adapters",
        lambda r: _policy(r, "ProveRole")[1]["Action"].append("s3:PutObject"),
    ),
    (
        "an action missing",
        "every_role_has_exactly_the_actions_of_its_adapters",
        lambda r: _policy(r, "SequenceRole").pop(),
    ),
    (
        "a wildcard action",
        "no_action_and_no_resource_is_a_wildcard",
        lambda r: _policy(r, "IssueRole")[1].update(Action=["s3:Get*"]),
    ),
    (
        "a wildcard resource",
        "no_action_and_no_resource_is_a_wildcard",
        lambda r: _policy(r, "IssueRole")[1].update(Resource="*"),
    ),
    (
        "another function may sign",
        "keys_are_ed25519_and_of_exactly_those_who_sign",
        lambda r: _key(r, "RegistryKey")["KeyPolicy"]["Statement"][1]["Principal"]["AWS"].append(
            {"Fn::GetAtt": ["PublishRole", "Arn"]}
        ),
    ),
    (
        "the account may sign",
        "nobody_else_may_use_a_key_or_end_it_soon",
        lambda r: _key(r, "IssuerKey")["KeyPolicy"]["Statement"][0]["Action"].append("kms:Sign"),
    ),
    (
        "another curve",
        "keys_are_ed25519_and_of_exactly_those_who_sign",
        lambda r: _key(r, "RegistryKey").update(KeySpec="ECC_NIST_P256"),
    ),
    (
        "a key that may be gone in a week",
        "nobody_else_may_use_a_key_or_end_it_soon",
        lambda r: _key(r, "RegistryKey").update(PendingWindowInDays=7),
    ),
    (
        "rate(1 minutes)",
        "every_schedule_has_a_rate_that_there_is",
        lambda r: r["SequenceSchedule"]["Properties"].update(ScheduleExpression="rate(1 minutes)"),
    ),
    (
        "rate(5 minute)",
        "every_schedule_has_a_rate_that_there_is",
        lambda r: r["SequenceSchedule"]["Properties"].update(ScheduleExpression="rate(5 minute)"),
    ),
    (
        "a schedule that always runs",
        "the_scheduled_functions_have_somebody_to_tell",
        lambda r: r["SequenceSchedule"]["Properties"].update(State="ENABLED"),
    ),
    (
        "no dead letters",
        "the_scheduled_functions_have_somebody_to_tell",
        lambda r: r["Sequence"]["Properties"].pop("DeadLetterQueue"),
    ),
    (
        "POST on the origin group",
        "origin_groups_fail_over_at_what_they_can_and_take_only_reads",
        lambda r: _cdn(r)["CacheBehaviors"][0].update(
            AllowedMethods=["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
        ),
    ),
    (
        "fail-over at 418",
        "origin_groups_fail_over_at_what_they_can_and_take_only_reads",
        lambda r: _cdn(r)["OriginGroups"]["Items"][0]["FailoverCriteria"]["StatusCodes"].update(Items=[418]),
    ),
    (
        "fail-over the wrong way round",
        "origin_groups_fail_over_at_what_they_can_and_take_only_reads",
        lambda r: _cdn(r)["OriginGroups"]["Items"][0]["Members"]["Items"].reverse(),
    ),
    (
        "a pattern that the query's path does not match",
        "a_query_s_path_and_its_object_s_have_one_behaviour",
        lambda r: _cdn(r)["CacheBehaviors"][0].update(PathPattern="/v1/proofs/consistency/*"),
    ),
    (
        "a query string in the cache key",
        "the_cache_key_is_the_path_alone",
        lambda r: _cache_key(r)["QueryStringsConfig"].update(QueryStringBehavior="all"),
    ),
    (
        "the function left out",
        "every_behaviour_runs_the_function_over_https",
        lambda r: _cdn(r)["DefaultCacheBehavior"].pop("FunctionAssociations"),
    ),
    (
        "the function after the cache",
        "every_behaviour_runs_the_function_over_https",
        lambda r: _cdn(r)["DefaultCacheBehavior"]["FunctionAssociations"][0].update(
            EventType="viewer-response"
        ),
    ),
    (
        "broken JavaScript",
        "the_function_s_code_is_there_and_can_be_read",
        lambda r: r["ViewerRequest"]["Properties"].update(
            FunctionCode="function handler(event) { return event; "
        ),
    ),
    (
        "a path instead of the code",
        "the_function_s_code_is_there_and_can_be_read",
        lambda r: r["ViewerRequest"]["Properties"].update(FunctionCode="cdn/viewer-request.js"),
    ),
    (
        "the older runtime",
        "the_function_s_code_is_there_and_can_be_read",
        lambda r: r["ViewerRequest"]["Properties"]["FunctionConfig"].update(Runtime="cloudfront-js-1.0"),
    ),
    (
        "an error cached for ten seconds",
        "every_error_is_cached_for_five_seconds_at_most",
        lambda r: _cdn(r)["CustomErrorResponses"].pop(),
    ),
    (
        "a 404 page that nobody writes",
        "every_error_is_cached_for_five_seconds_at_most",
        lambda r: _cdn(r)["CustomErrorResponses"][0].update(ResponsePagePath="/404.html"),
    ),
    (
        "an immutable name that can be overwritten",
        "the_registry_refuses_to_overwrite_what_never_changes",
        lambda r: _bucket_policy(r, 1)["Resource"].pop(1),
    ),
    (
        "a mutable name that could be written once",
        "the_registry_refuses_to_overwrite_what_never_changes",
        lambda r: _bucket_policy(r, 1)["Resource"].append({"Fn::Sub": "${Registry.Arn}/v1/checkpoints/*"}),
    ),
    (
        "every object can be deleted",
        "buckets_take_only_tls_lose_only_partial_tiles_and_say_what_is_missing",
        lambda r: _bucket_policy(r, 3).update(NotResource={"Fn::Sub": "${Registry.Arn}/*"}),
    ),
    (
        "a missing object is 403",
        "buckets_take_only_tls_lose_only_partial_tiles_and_say_what_is_missing",
        lambda r: r["RegistryPolicy"]["Properties"]["PolicyDocument"]["Statement"].pop(),
    ),
    (
        "a public bucket",
        "every_bucket_is_closed_encrypted_and_kept",
        lambda r: r["Private"]["Properties"]["PublicAccessBlockConfiguration"].update(BlockPublicAcls=False),
    ),
    (
        "no object lock",
        "every_bucket_is_closed_encrypted_and_kept",
        lambda r: r["Registry"]["Properties"].pop("ObjectLockConfiguration"),
    ),
    (
        "the registry expires",
        "every_bucket_is_closed_encrypted_and_kept",
        lambda r: r["Registry"]["Properties"]["LifecycleConfiguration"]["Rules"][0].update(
            ExpirationInDays=1
        ),
    ),
    (
        "the table goes with the stack",
        "the_table_is_protected_and_nothing_in_it_expires",
        lambda r: r["Ledger"].pop("DeletionPolicy"),
    ),
    (
        "items of the table expire",
        "the_table_is_protected_and_nothing_in_it_expires",
        lambda r: r["Ledger"]["Properties"].update(TimeToLiveSpecification={"Enabled": True}),
    ),
    (
        "no recovery",
        "the_table_is_protected_and_nothing_in_it_expires",
        lambda r: r["Ledger"]["Properties"].pop("PointInTimeRecoverySpecification"),
    ),
    (
        "kits kept for longer than is said",
        "the_stores_expire_what_the_schedule_says",
        lambda r: r["Private"]["Properties"]["LifecycleConfiguration"]["Rules"][1].update(
            ExpirationInDays=91
        ),
    ),
    (
        "a waiting leaf's kit that expires",
        "the_stores_expire_what_the_schedule_says",
        lambda r: _rules(r, "Private").append(
            {"Id": "sealed", "Status": "Enabled", "Prefix": "sealed/", "ExpirationInDays": 90}
        ),
    ),
    (
        "a rule that would end the log",
        "the_stores_expire_what_the_schedule_says",
        lambda r: _rules(r, "Private").append(
            {"Id": "x", "Status": "Enabled", "Prefix": "signed/", "ExpirationInDays": 365}
        ),
    ),
    (
        "a handler that is not there",
        "every_handler_is_a_function_and_every_function_a_handler",
        lambda r: r["Notify"]["Properties"].update(Handler="issuer.handlers.notice.handler"),
    ),
    (
        "a function with another's role",
        "every_handler_is_a_function_and_every_function_a_handler",
        lambda r: r["Prove"]["Properties"].update(Role={"Fn::GetAtt": ["IssueRole", "Arn"]}),
    ),
    (
        "a log kept for ever",
        "every_log_group_has_an_end",
        lambda r: r["IssueLog"]["Properties"].pop("RetentionInDays"),
    ),
    (
        "an alarm without a page",
        "every_alarm_has_its_page_and_every_page_its_alarm",
        lambda r: r["QuorumAlarm"]["Properties"].update(AlarmDescription="Look. infra/runbook/quorum.md"),
    ),
    (
        "an alarm that is gone",
        "every_alarm_has_its_page_and_every_page_its_alarm",
        lambda r: r.pop("HaltedAlarm"),
    ),
    (
        "a metric that nobody gives",
        "every_metric_is_one_that_the_code_gives",
        lambda r: r["QuorumAlarm"]["Properties"].update(MetricName="QuorumMisssed"),
    ),
    (
        "a dimension that nobody gives",
        "every_metric_is_one_that_the_code_gives",
        lambda r: r["QuorumAlarm"]["Properties"].update(Dimensions=[]),
    ),
]


def _policy(resources: dict[str, Any], role: str) -> list[dict[str, Any]]:
    statements = resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert isinstance(statements, list)
    return statements


def _rules(resources: dict[str, Any], bucket: str) -> list[dict[str, Any]]:
    rules = resources[bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert isinstance(rules, list)
    return rules


def _bucket_policy(resources: dict[str, Any], number: int) -> dict[str, Any]:
    return _dict(resources["RegistryPolicy"]["Properties"]["PolicyDocument"]["Statement"][number])


def _key(resources: dict[str, Any], name: str) -> dict[str, Any]:
    return _dict(resources[name]["Properties"])


def _cdn(resources: dict[str, Any]) -> dict[str, Any]:
    return _dict(resources["Cdn"]["Properties"]["DistributionConfig"])


def _cache_key(resources: dict[str, Any]) -> dict[str, Any]:
    config = resources["ByPath"]["Properties"]["CachePolicyConfig"]
    return _dict(config["ParametersInCacheKeyAndForwardedToOrigin"])


def _dict(found: Any) -> dict[str, Any]:
    assert isinstance(found, dict)
    return found
