"""What functions and operator ask for is what their roles allow: nothing is refused, and no right is idle.

The requests are recorded while each function does its work. The local cloud (scripts/cloud) enforces the same
roles by an evaluator of its own; it does not know the conditions of the bucket policies, which are held here.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from template import Template, load_template

from attestlayer.log import layout
from infra.facts import listed, of_type, statements
from infra.iam import Call, Grant, Policies, text_of
from infra.scenario import Scenario

NOT_ASKED_FOR = {
    "logs:CreateLogStream": "Lambda writes a function's log under its role",
    "logs:PutLogEvents": "Lambda writes a function's log under its role",
    "sqs:SendMessage": "Lambda and Scheduler send what was given up, under the role",
    "lambda:InvokeFunction": "a test of its own says who calls what",
    "s3:ListBucket": "without it a missing object is a 403, and an error where it is only looked for",
}
"""Actions that a role may have and no request here needs, and why."""

OF_ONE_ROLE = {
    ("DeliverRole", "s3:GetObject", "<Private.Arn>/kits/*"): "a create that meets an object reads it",
    ("IssueRole", "s3:DeleteObject", "<Private.Arn>/sealed/*"): "a sealed copy that lost a race is deleted",
}
"""The same, of one role."""

REFUSED = {("OperatorRole", f"kms:{each}") for each in ("Decrypt", "GetPublicKey", "ListResourceTags")}
"""What is asked for and is not allowed: an audit tries keys, and only functions have them."""


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Scenario]]:
    """One with each way to sign receipts."""
    made = []
    with pytest.MonkeyPatch.context() as patch:
        for signing in ("kms", "wrapped"):
            made.append(Scenario(tmp_path_factory.mktemp(signing), signing, patch))
            try:
                made[-1].run()
            finally:
                made[-1].recorder.close()
        yield made


@pytest.fixture(scope="module")
def template() -> Template:
    return load_template()


def asked(scenario: Scenario) -> Iterator[tuple[str, Call]]:
    for role, calls in scenario.recorder.calls.items():
        for call in calls:
            yield role, call


def used(template: Template, scenarios: list[Scenario]) -> dict[Grant, list[tuple[Scenario, Call]]]:
    """Rights that requests need, with the requests."""
    found: dict[Grant, list[tuple[Scenario, Call]]] = {}
    for scenario in scenarios:
        policies = Policies(template, scenario.names())
        for role, calls in scenario.recorder.calls.items():
            for grant in policies.grants(role):
                needing = [(scenario, call) for call in calls if policies.covers(grant, call)]
                found.setdefault(grant, []).extend(needing)
    return {grant: needing for grant, needing in found.items() if needing}


def test_every_request_is_allowed_by_the_role_that_makes_it(
    template: Template, scenarios: list[Scenario]
) -> None:
    refused = {}
    for scenario in scenarios:
        policies = Policies(template, scenario.names())
        for role, call in asked(scenario):
            if why := policies.refusal(role, call):
                refused[role, call.action] = why
    assert refused.keys() == REFUSED, refused


def test_every_right_is_used_or_has_its_reason(template: Template, scenarios: list[Scenario]) -> None:
    needed = used(template, scenarios).keys()
    idle = {
        (grant.role, grant.action, grant.resource)
        for role, _ in of_type(template, "AWS::IAM::Role")
        for grant in Policies(template, {}).grants(role)
        if grant not in needed and grant.action not in NOT_ASKED_FOR
    }
    assert idle == OF_ONE_ROLE.keys()


def test_a_right_that_is_taken_away_or_narrowed_is_missed(
    template: Template, scenarios: list[Scenario]
) -> None:
    rights = used(template, scenarios)
    assert len(rights) > 60
    for grant, needing in rights.items():
        for damaged in (without(template, grant), *narrowed(template, grant)):
            policies = [(Policies(damaged, scenario.names()), call) for scenario, call in needing]
            assert any(each.refusal(grant.role, call) for each, call in policies), grant


def statement_of(template: Template, grant: Grant) -> dict[str, Any]:
    """The statement that a right stands in: of the role's own policy, or of a key's."""
    (found,) = (
        each
        for where, each in statements(template)
        if where.partition("/")[2] == grant.sid
        and (where.startswith(f"{grant.role}/") or f"<{grant.role}.Arn>" in principals(each))
        and where.partition("/")[0] in (grant.role, grant.resource.strip("<>").partition(".")[0])
    )
    return found


def principals(statement: dict[str, Any]) -> list[str]:
    named = statement.get("Principal", {})
    return [text_of(each) for each in listed(named["AWS"])] if "AWS" in named else []


def without(template: Template, grant: Grant) -> Template:
    """The template without one action."""
    damaged = deepcopy(template)
    statement = statement_of(damaged, grant)
    statement["Action"] = [each for each in listed(statement["Action"]) if each != grant.action]
    return damaged


def narrowed(template: Template, grant: Grant) -> Iterator[Template]:
    """The template with one resource narrowed to names that nobody uses. A key has no narrower name."""
    damaged = deepcopy(template)
    statement = statement_of(damaged, grant)
    if "Principal" not in statement:
        names = [text_of(each) for each in listed(statement["Resource"])]
        statement["Resource"] = [f"{name}-of-others" if name == grant.resource else name for name in names]
        yield damaged


# Bucket policies, on the requests that were made


def puts(scenarios: list[Scenario]) -> Iterator[tuple[Policies, str, Call]]:
    """Every PUT into the registry, and into what decides the log, with the policies of its cloud."""
    template = load_template()
    for scenario in scenarios:
        names = scenario.names()
        policies = Policies(template, names)
        private = names["Private.Arn"]
        conditional = (names["Registry.Arn"], f"{private}/head", f"{private}/signed/", f"{private}/batch/")
        for role, call in asked(scenario):
            if call.action == "s3:PutObject" and call.resource.startswith(conditional):
                yield policies, role, call


TLS = {"aws:SecureTransport": "true"}


def test_a_put_without_its_condition_is_denied(scenarios: list[Scenario]) -> None:
    made = list(puts(scenarios))
    assert len(made) > 500
    for policies, role, call in made:
        assert policies.refusal(role, call) is None
        assert "denies" in str(policies.refusal(role, replace(call, context=TLS))), call


def test_what_never_changes_is_not_swapped(scenarios: list[Scenario]) -> None:
    kinds = set()
    for policies, role, call in puts(scenarios):
        name = call.resource.partition("/")[2]
        if layout.is_immutable(name) and "registry" in call.resource.partition("/")[0]:
            kinds.add(name.partition("/")[0] + name.partition("/")[2].partition("/")[0])
            swapped = replace(call, context=TLS | {"s3:if-match": '"tag"'})
            assert "ImmutableNamesAreOnlyCreated" in str(policies.refusal(role, swapped)), name
    assert kinds >= {"tile0", "tileentries", "v1entries", "v1proofs", "v1index", "v1policies", "v1notices"}


def test_nothing_is_done_without_tls(template: Template, scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        policies = Policies(template, scenario.names())
        for role, call in asked(scenario):
            if call.action.startswith("s3:"):
                plain = replace(call, context={**call.context, "aws:SecureTransport": "false"})
                assert "OnlyTls denies" in str(policies.refusal(role, plain)), call


def test_whoever_may_delete_deletes_no_more_than_partial_tiles_and_never_the_log(
    template: Template, scenarios: list[Scenario]
) -> None:
    generous = deepcopy(template)
    everything = {"Sid": "All", "Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"}
    (policy,) = generous["Resources"]["MaintainRole"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"].append(everything)
    names = scenarios[0].names()
    policies = Policies(generous, names)

    def refused(bucket: str, name: str) -> bool:
        call = Call("s3:DeleteObject", f"{names[f'{bucket}.Arn']}/{name}", TLS)
        return policies.refusal("MaintainRole", call) is not None

    kept = ("tile/0/000", "checkpoint", "v1/trust.json", "index.html", "tile/entries/000")
    assert all(refused("Registry", name) for name in kept)
    assert not refused("Registry", "tile/0/000.p/3")
    assert all(refused("Private", name) for name in ("head", "signed/0"))
    assert not refused("Private", "batch/0-0")


# Who calls whom


def test_each_schedule_s_function_and_no_other_may_be_called_by_the_scheduler(template: Template) -> None:
    scheduled = {
        text_of(schedule["Target"]["Arn"]) for _, schedule in of_type(template, "AWS::Scheduler::Schedule")
    }
    assert called_by(template, "SchedulerRole") == scheduled


def test_the_operator_calls_all_but_genesis_and_what_answers_others(template: Template) -> None:
    functions = {f"<{name}.Arn>" for name, _ in of_type(template, "AWS::Serverless::Function")}
    others = {"<Issue.Arn>", "<Prove.Arn>", "<Initialise.Arn>"}
    assert called_by(template, "OperatorRole") == functions - others


def called_by(template: Template, role: str) -> set[str]:
    rights = Policies(template, {}).grants(role)
    return {grant.resource for grant in rights if grant.action == "lambda:InvokeFunction"}
