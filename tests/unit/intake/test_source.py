"""Sources of policies: what each part stands for in the document, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from attestlayer.canonical import Members, format_json
from issuer.intake.catalogue import load_words
from issuer.intake.policy import parse_policy
from issuer.intake.source import expand_policy, read_toml

from .packets import small_document, small_source


def mandate_rules(**members: Any) -> dict[str, tuple[str, str]]:
    """Sentence and fix of each rule of the small policy's mandate, by check."""
    rules: Any = small_document(mandate=members)["record_types"]
    return {rule["check"]: (rule["sentence"], rule["fix"]) for rule in rules[0]["rules"]}


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [
        (1, 1, "exactly one"),
        (2, 2, "exactly 2"),
        (0, 3, "up to 3, where there are any"),
        (1, 3, "at least one, at most 3"),
        (2, 8, "at least 2, at most 8"),
    ],
)
def test_the_number_of_records_is_said_in_words(least: int, most: int, said: str) -> None:
    assert mandate_rules(min_count=least, max_count=most)["count"] == (f"Mandate: {said}.", "Get it.")


def test_each_rule_of_a_record_type_has_its_values() -> None:
    rules = mandate_rules()
    assert list(rules) == ["count", "form", "metadata", "age", "content"]
    assert rules["form"][0] == "Mandate: a file of type PDF, DOCX, JSON, CSV or TXT, at most 1 MiB."
    assert rules["form"][1].startswith("Upload it as PDF, DOCX, JSON, CSV or TXT; ")
    assert rules["metadata"][0].endswith("are stated and well formed (reference, as_of).")
    assert rules["age"][0] == "Mandate: the date stated in as_of is in the last 30 days."


CSV, JSON = {"csv_columns": ["a", "b"]}, {"json_members": {"x": "text"}}
CSV_SAID = "a CSV file has the columns a, b and at least one row"
JSON_SAID = "a JSON file has the members x and agrees with the stated values"


@pytest.mark.parametrize(
    ("members", "said", "fix"),
    [
        ({**CSV, "json_members": {}}, CSV_SAID, "Export the table"),
        ({**JSON, "csv_columns": []}, JSON_SAID, "Export the record"),
        ({**CSV, **JSON}, f"{CSV_SAID}; {JSON_SAID}", "Export the record"),
    ],
)
def test_what_is_checked_inside_is_said(members: Members, said: str, fix: str) -> None:
    sentence, to_do = mandate_rules(**members)["content"]
    assert sentence == f"Mandate: {said}."
    assert to_do.startswith(fix)


def test_a_type_without_fields_age_or_content_has_no_rules_for_them() -> None:
    bare: Members = {"fields": [], "csv_columns": [], "json_members": {}, "max_age_days": None}
    assert list(mandate_rules(**bare)) == ["count", "form"]


def test_an_age_brings_the_field_that_it_counts_from() -> None:
    document: Any = small_document()
    last = document["record_types"][0]["metadata"][-1]
    assert (last["name"], last["required"], last["schema"]["format"]) == ("as_of", True, "date")


def test_members_of_a_json_record_become_a_schema() -> None:
    members: Members = {"sum": "amount", "who": {"name": "text"}, "parts": "texts", "lines": "number-from-1"}
    document: Any = small_document(mandate={"json_members": members, "json_forbidden": ["secret"]})
    assert document["record_types"][0]["json_schema"] == {
        "type": "object",
        "required": ["sum", "who", "parts", "lines"],
        "properties": {
            "sum": {"type": "string", "format": "amount"},
            "who": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "minLength": 1}},
            },
            "parts": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            "lines": {"type": "integer", "minimum": 1},
        },
        "not": {"anyOf": [{"required": ["secret"]}]},
    }


def test_a_reference_is_a_rule_of_the_same_value_for_each_field() -> None:
    reference: Members = {"to": "mandate.reference", "what": "payment", "from": ["act.reference"]}
    document = expand_policy({**small_source(), "references": [reference]}, load_words(1))
    assert document["relations"] == [
        {
            "id": "act-names-mandate",
            "check": "same-value",
            "severity": "blocker",
            "sentence": "The reference stated for each act is the one stated for the payment that this "
            "packet is about.",
            "fix": "Correct the reference stated for the act, or replace it by the record that belongs to "
            "this payment.",
            "each": {"record_type": "act", "field": "reference"},
            "matches": {"record_type": "mandate", "field": "reference"},
        }
    ]
    parse_policy(format_json(document))


def _fields(source: Any) -> Any:
    return source["record_types"][0]["fields"]


BREAKS: dict[str, tuple[Callable[[Any], object], str]] = {
    "an unknown member": (lambda s: s.update(extra=1), "unknown 'extra'"),
    "a missing member": (lambda s: s.pop("summary"), "missing 'summary'"),
    "an unknown member of a record type": (lambda s: s["record_types"][0].update(max_size=1), "'max_size'"),
    "a file type that is none": (lambda s: s["record_types"][0].update(types=["GIF"]), "found 'GIF'"),
    "a kind of field that is none": (lambda s: _fields(s)[0].update(kind="iban"), "kind 'iban'"),
    "a field without a kind": (lambda s: _fields(s)[0].pop("kind"), "missing 'kind'"),
    "a field of two kinds": (lambda s: _fields(s)[0].update(one_of=["a"]), "unknown 'kind'"),
    "a member of no kind": (
        lambda s: s["record_types"][0].update(json_members={"x": "iban"}),
        "kind 'iban'",
    ),
    "a limit in bytes": (lambda s: s["limits"].update(max_total_size=1), "unknown 'max_total_size'"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_source_is_refused_with(name: str) -> None:
    source = small_source()
    change, message = BREAKS[name]
    change(source)
    with pytest.raises(ValueError, match=message):
        expand_policy(source, load_words(1))


def test_a_name_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="Cannot overwrite"):
        read_toml(b"version = 1\nversion = 2\n")
