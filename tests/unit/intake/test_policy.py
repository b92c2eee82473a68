"""Policies: strict parsing, pinned versions, the catalogue."""

import contextlib
import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.canonical import format_json
from issuer.errors import Code, ServiceError
from issuer.intake import catalogue
from issuer.intake.catalogue import build_catalogue, load_policies, load_words
from issuer.intake.policy import Policy, intake_policy_hash, parse_policy
from issuer.intake.rules import TypeCheck

from .packets import relation, small_document

POLICIES = Path(catalogue.__file__).with_name("policies")


def test_every_policy_file_is_listed_with_its_hash() -> None:
    files = {path.relative_to(POLICIES).with_suffix("").as_posix() for path in POLICIES.rglob("*.toml")}
    listed = [f"{one.lane_id}/{one.profile_id}/{one.version}" for one in load_policies().policies]
    assert files == {*listed, "words/1"}


def test_a_shipped_version_never_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    words: Any = copy.deepcopy(load_words(1))
    words["general_rules"][0]["sentence"] = "Other words."
    monkeypatch.setattr(catalogue, "load_words", lambda _: words)
    with pytest.raises(ValueError, match=r"AGENT-01/tool-action/1 has the hash .*, wanted 99fe168341cc"):
        load_policies.__wrapped__()


def test_the_hash_is_of_the_documents_bytes() -> None:
    for policy in load_policies().policies:
        assert policy.intake_policy_hash == intake_policy_hash(policy.document)
        assert load_policies().by_hash(policy.intake_policy_hash) is policy
    assert load_policies().by_hash(bytes(32)) is None


def test_no_policy_speaks_of_verdicts_that_are_not_ours() -> None:
    for policy in load_policies().policies:
        text = policy.document.lower()
        for word in (b"certified", b"certification", b"compliant", b"compliance", b"guarantee"):
            assert word not in text, (policy.profile_id, word)


@pytest.mark.parametrize("policy", load_policies().policies, ids=lambda policy: policy.profile_id)
def test_a_rule_on_values_says_that_they_are_stated(policy: Policy) -> None:
    """What a relation compares was typed by the submitter: its sentence claims no more."""
    # What a sentence could claim of the world if it did not say who states it.
    claims = re.compile(r"\b(approved|executed|acted|released|issued|covers|was|were|came|people|nobody)\b")
    for rule in (one.rule for one in policy.relations):
        sentence = rule.sentence
        assert re.search(r"\bstated\b", sentence), sentence
        assert not claims.search(re.sub(r"\bwho \w+|is stated to have taken", "", sentence)), sentence
    for record_type in policy.record_types:
        for check in (TypeCheck.METADATA, TypeCheck.AGE):
            found = record_type.rule(check)
            assert found is None or re.search(r"\bstated\b", found.sentence)


def test_an_unknown_lane_is_refused_with_the_lanes_that_exist() -> None:
    with pytest.raises(ServiceError, match=r"found lane 'PAY-99', .*AGENT-01, DORA, HUMAN-01") as caught:
        load_policies().find("PAY-99", "wire-transfer")
    assert caught.value.code is Code.UNKNOWN_LANE


def test_an_unknown_profile_is_refused_with_the_profiles_that_exist() -> None:
    profiles = [policy.profile_id for policy in load_policies().newest() if policy.lane_id == "PAY-01"]
    assert {"payment-batch", "wire-transfer"} <= set(profiles)
    wanted = f"found profile 'wire', lane PAY-01 has these profiles: {', '.join(profiles)}$"
    with pytest.raises(ServiceError, match=wanted) as caught:
        load_policies().find("PAY-01", "wire")
    assert caught.value.code is Code.UNKNOWN_LANE


def test_the_newest_version_is_found_by_number_not_by_text() -> None:
    policies = [parse_policy(format_json({**small_document(), "version": number})) for number in (10, 9, 1)]
    built = build_catalogue(policies)
    assert built.find("TEST-01", "small").version == 10
    assert [policy.version for policy in built.newest()] == [10]
    with pytest.raises(ValueError, match="two policies are TEST-01/small version 9"):
        build_catalogue([*policies, policies[1]])


def _type(document: Any, number: int = 0) -> Any:
    return document["record_types"][number]


BREAKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "an unknown member": (lambda d: d.update(extra=1), "unknown 'extra'"),
    "a missing member": (lambda d: d.pop("summary"), "missing 'summary'"),
    "another schema": (lambda d: d.update(schema="attestlayer/intake-policy/2"), "schema"),
    "version 0": (lambda d: d.update(version=0), "found 0"),
    "a lane that is none": (lambda d: d.update(lane_id="pay"), "lane"),
    "a general rule left out": (lambda d: d["general_rules"].pop(), "one for each check"),
    "general rules in another order": (lambda d: d["general_rules"].reverse(), "check"),
    "encryption as a note": (lambda d: d["general_rules"][6].update(severity="note"), "blocker everywhere"),
    "a severity that is none": (lambda d: d["general_rules"][0].update(severity="warn"), "severity"),
    "an id twice": (
        lambda d: d["general_rules"][0].update(id="mandate-count"),
        "'mandate-count' occurs twice",
    ),
    "an id with spaces": (lambda d: d["general_rules"][0].update(id="a b"), "not an id"),
    "a sentence of two lines": (lambda d: d["general_rules"][0].update(fix="a\nb"), "one line"),
    "a record type twice": (lambda d: d["record_types"].append(d["record_types"][0]), "occurs twice"),
    "no required type": (lambda d: _type(d).update(min_count=0), "no type is required"),
    "more at least than at most": (lambda d: _type(d).update(min_count=5), "more than max_count"),
    "a media type that is none": (lambda d: _type(d).update(media_types=["image/gif"]), "image/gif"),
    "no media type": (lambda d: _type(d).update(media_types=[]), "found none"),
    "a record type without its rules": (lambda d: _type(d).update(rules=[]), "wanted one each for"),
    "an age without as_of": (lambda d: _type(d)["metadata"].pop(), "needs a required metadata field as_of"),
    "a schema that is none": (lambda d: _type(d).update(json_schema={"type": "strnig"}), "JSON Schema"),
    "a schema that fetches": (
        lambda d: _type(d).update(json_schema={"$ref": "https://example.com/s"}),
        "JSON Schema",
    ),
    "a field schema of numbers": (
        lambda d: _type(d)["metadata"][0].update(schema={"type": "integer"}),
        "string",
    ),
    "a pattern that is none": (
        lambda d: _type(d)["metadata"][0].update(schema={"type": "string", "pattern": "("}),
        "JSON Schema",
    ),
    "a format nobody checks": (
        lambda d: _type(d)["metadata"][0].update(schema={"type": "string", "format": "iban"}),
        "'iban' is none of",
    ),
    "a field twice": (lambda d: _type(d)["metadata"].append(_type(d)["metadata"][0]), "occurs twice"),
    "a field name with a dash": (lambda d: _type(d)["metadata"][0].update(name="a-b"), "field name"),
    "required as text": (lambda d: _type(d)["metadata"][0].update(required="yes"), "true or false"),
    "a pointer that is none": (lambda d: _type(d)["metadata"][0].update(json_member="x"), "JSON pointer"),
    "columns without CSV": (lambda d: _type(d, 1).update(csv_columns=["a"]), "wanted one each|CSV is not"),
    "no deeper than ten": (
        lambda d: _type(d).update(
            json_schema={"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": {}}}}}}}}}}
        ),
        "nested deeper than 10",
    ),
    "limits above the kit's": (lambda d: d["limits"].update(max_records=1000), "max_records"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_policy_is_refused_with(name: str) -> None:
    document = small_document()
    change, message = BREAKS[name]
    change(document)
    with pytest.raises(ValueError, match=message):
        parse_policy(format_json(document))


RELATION_BREAKS = {
    "a type that is not there": ({"each": "nothing.sum", "limit": "mandate.sum"}, "has no metadata field"),
    "a field that is not there": (
        {"each": "act.total", "limit": "mandate.sum"},
        "has no metadata field 'total'",
    ),
    "texts compared as amounts": ({"each": "act.person", "limit": "mandate.sum"}, "has no format of amount"),
}


@pytest.mark.parametrize("name", RELATION_BREAKS)
def test_a_relation_is_refused_with(name: str) -> None:
    sides, message = RELATION_BREAKS[name]
    with pytest.raises(ValueError, match=message):
        parse_policy(format_json(small_document(relation("limit-covers", **sides))))


def test_a_relation_of_unknown_kind_is_refused() -> None:
    broken = relation("is-true", each="act.sum")
    with pytest.raises(ValueError, match="is-true"):
        parse_policy(format_json(small_document(broken)))


def test_distinct_values_are_asked_for_only_where_so_many_records_are() -> None:
    two = relation("at-least-n-distinct", "two", each="mandate.reference", least=2)
    with pytest.raises(ValueError, match="needs min_count 2 or more"):
        parse_policy(format_json(small_document(two)))
    parse_policy(format_json(small_document(two, mandate={"min_count": 2})))


def test_a_policy_that_is_not_canonical_is_refused() -> None:
    with pytest.raises(ValueError, match="not canonical"):
        parse_policy(format_json(small_document()) + b"\n")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_policy(data)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every member and item of a document, as its container and key."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in list(items) for place in [(value, key), *_places(item)]]


OTHERS: list[Any] = [
    None,
    True,
    0,
    7,
    2**53 - 1,
    "",
    "x",
    "a-b",
    "\ud800",
    [],
    ["x"],
    {},
    {"type": "string"},
    [{}],
]
PLACES = len(_places(small_document()))


@given(st.integers(0, PLACES - 1), st.sampled_from(OTHERS))
def test_any_change_of_a_member_is_a_policy_or_value_error(number: int, other: Any) -> None:
    document = small_document()
    container, key = _places(document)[number]
    container[key] = other
    with contextlib.suppress(ValueError):
        parse_policy(format_json(document))
