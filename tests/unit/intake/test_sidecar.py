"""The sidecar of a folder: relative dates, strictness, and folders without one."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.errors import Code, ServiceError
from issuer.intake.sidecar import assign_by_folder, check_files, read_sidecar

from .packets import small_policy

TODAY = date(2028, 2, 29)


def sidecar(*records: Any, **changes: Any) -> bytes:
    document = {"schema": "attestlayer/intake-sidecar/1", "lane_id": "PAY-01", "profile_id": "wire-transfer"}
    return json.dumps({**document, "records": list(records), **changes}).encode()


def one(**changes: Any) -> dict[str, Any]:
    return {"file": "a.pdf", "record_type": "authority", "metadata": {}, **changes}


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ("today", "2028-02-29"),
        ("today-0", "2028-02-29"),
        ("today-10", "2028-02-19"),
        ("today+1", "2028-03-01"),
        ("today-366", "2027-02-28"),
        ("today-1T09:30:00Z", "2028-02-28T09:30:00Z"),
        ("2026-04-17", "2026-04-17"),
        ("Today's report", "Today's report"),
    ],
)
def test_a_relative_date_becomes_the_date_it_comes_to(written: str, resolved: str) -> None:
    found = read_sidecar(sidecar(one(metadata={"as_of": written})), TODAY)
    assert found.records[0].metadata == {"as_of": resolved}


@pytest.mark.parametrize(
    "written",
    [
        "today-",
        "today-01",
        "today -1",
        "today-1 ",
        "today-100000",
        "today-٤",
        "todayish",
        "today-1T25:00:00Z",
        "today-99999",
    ],
)
def test_a_relative_date_that_is_not_one_is_refused(written: str) -> None:
    with pytest.raises(ServiceError, match="is not") as caught:
        read_sidecar(sidecar(one(metadata={"as_of": written})), TODAY)
    assert caught.value.code is Code.INVALID_REQUEST
    assert "a.pdf" in caught.value.detail


REFUSED = {
    "no JSON": (b"records:", "records.json"),
    "a member twice": (b'{"schema":1,"schema":2}', "occurs twice"),
    "another schema": (sidecar(one(), schema="x"), "schema"),
    "an unknown member": (sidecar(one(), note="x"), "unknown 'note'"),
    "no records": (sidecar(), "at least one"),
    "a lane that is none": (sidecar(one(), lane_id="pay"), "lane"),
    "a file twice": (sidecar(one(), one()), "named twice"),
    "a file twice in two normal forms": (
        sidecar(one(file="\u00e9.pdf"), one(file="e\u0301.pdf")),
        "named twice",
    ),
    "a file outside": (sidecar(one(file="../a.pdf")), "relative path"),
    "an absolute file": (sidecar(one(file="/a.pdf")), "relative path"),
    "a Windows path": (sidecar(one(file="C:a.pdf")), "relative path"),
    "itself": (sidecar(one(file="records.json")), "relative path"),
    "no type": (sidecar(one(record_type="")), "record_type"),
    "a number as metadata": (sidecar(one(metadata={"sum": 5})), "wanted a string"),
    "a list as metadata": (sidecar(one(metadata=[])), "object of strings"),
    "too long": (b" " * (1024 * 1024 + 1), "at most"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_sidecar_is_refused_with(name: str) -> None:
    data, message = REFUSED[name]
    with pytest.raises(ServiceError, match=message):
        read_sidecar(data, TODAY)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_service_error(data: bytes) -> None:
    with pytest.raises(ServiceError):
        read_sidecar(data, TODAY)


VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=8) | st.just("today-3"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["file", "metadata"]), inner),
    max_leaves=4,
)


@given(st.sampled_from(["schema", "lane_id", "records", "file", "record_type", "metadata"]), VALUES)
def test_any_value_is_taken_or_refused_with_service_error(name: str, value: Any) -> None:
    inner = name in ("file", "record_type", "metadata")
    data = sidecar(one(**{name: value})) if inner else sidecar(**{"records": [one()], name: value})
    try:
        read_sidecar(data, TODAY)
    except ServiceError as error:
        assert error.code is Code.INVALID_REQUEST


def test_files_are_matched_across_normal_forms() -> None:
    found = read_sidecar(sidecar(one(file="relev\u00e9.pdf")), TODAY)
    assert check_files(found, ["releve\u0301.pdf", "records.json"]) == {"relev\u00e9.pdf": "releve\u0301.pdf"}


def test_missing_and_unnamed_files_are_all_listed() -> None:
    found = read_sidecar(sidecar(one(), one(file="b.pdf")), TODAY)
    with pytest.raises(ServiceError, match=r'not there: "a.pdf", "b.pdf"; .* not named: "c.pdf", "d.pdf"'):
        check_files(found, ["d.pdf", "c.pdf"])


def test_a_sub_folder_named_as_a_record_type_holds_its_records() -> None:
    records = assign_by_folder(small_policy(), ["mandate/m.pdf", "act/x/y.pdf"])
    assert [(one.file, one.record_type) for one in records] == [
        ("act/x/y.pdf", "act"),
        ("mandate/m.pdf", "mandate"),
    ]


@pytest.mark.parametrize(
    ("file", "where"), [("who/x.pdf", 'in the folder "who"'), ("z.pdf", "in no sub-folder")]
)
def test_a_file_in_no_such_folder_is_refused_with_what_to_do(file: str, where: str) -> None:
    records = assign_by_folder(small_policy(), [file, "mandate/m.pdf"])
    assert next(records).file == "mandate/m.pdf"
    with pytest.raises(ServiceError) as caught:
        next(records)
    assert caught.value.code is Code.INVALID_REQUEST
    assert str(caught.value) == (
        f'"{file}" is {where}: put it in a sub-folder named mandate or act, or write a records.json'
    )
