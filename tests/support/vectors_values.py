"""Vectors of single values: each rule of REG-1.0 sections 2 to 9 that a document can break by one member."""

import base64
from collections.abc import Callable, Iterator, Mapping

from attestlayer.canonical import Json, Members, format_json, parse_json
from attestlayer.encoding import format_base64url, format_hash, sha256
from attestlayer.log.merkle import EMPTY_ROOT
from support.documents import KINDS

Vector = dict[str, object]
Change = Callable[[Members], object]

H = format_hash(sha256(b"another value"))
_WORDS = {kind.name: kind.reason.value for kind in KINDS}
_SAMPLES = {kind.name: kind.sample for kind in KINDS}

_TIMES = {
    "2024-02-29T00:00:00Z": True,
    "1970-01-01T00:00:00Z": True,
    "9999-12-31T23:59:59Z": True,
    "2026-02-29T00:00:00Z": False,
    "2100-02-29T00:00:00Z": False,
    "2026-04-31T00:00:00Z": False,
    "2026-00-10T00:00:00Z": False,
    "2026-13-10T00:00:00Z": False,
    "1969-12-31T23:59:59Z": False,
    "0000-01-01T00:00:00Z": False,
    "10000-01-01T00:00:00Z": False,
    "2026-01-31T24:00:00Z": False,
    "2026-01-31T12:60:00Z": False,
    "2026-06-30T23:59:60Z": False,
    "2026-01-31t12:00:00Z": False,
    "2026-01-31T12:00:00z": False,
    "2026-01-31 12:00:00Z": False,
    "2026-01-31T12:00:00+00:00": False,
    "2026-01-31T12:00:00.0Z": False,
    "2026-1-31T12:00:00Z": False,
    " 2026-01-31T12:00:00Z": False,
    "2026-01-31T12:00:00Z\n": False,
    "２026-01-31T12:00:00Z": False,
}
_LANES = {
    "DORA": True,
    "AB": True,
    "A123456789012345": True,
    "PAY-99": True,
    "A": False,
    "A1234567890123456": False,
    "pay-01": False,
    "PAY-1": False,
    "PAY-001": False,
    "1PAY": False,
    "PAY-٠١": False,
}
_PROFILES = {
    "ab": True,
    f"a{'-' * 47}": True,
    "a": False,
    f"a{'b' * 48}": False,
    "-ab": False,
    "Ab": False,
    "a_b": False,
}
_HASHES = {
    H: True,
    "A" * 43: True,
    f"{'A' * 42}B": False,
    "A" * 42: False,
    "A" * 44: False,
    f"{'A' * 43}=": False,
    f"{'A' * 42}+": False,
    f"{'/' * 43}": False,
    f"{'A' * 42} ": False,
    "": False,
}
_ORIGINS = {
    "registry.example.org/a/b_c": True,
    "a" * 255: True,
    "a" * 256: False,
    "": False,
    "Registry.example.org": False,
    "https://registry.example.org": False,
    "registry.example.org/": False,
    "registry.example.org//a": False,
    "registry.example.org:8080": False,
    "registry_example": False,
}
_KIT_IDS = {
    "kit_00000000000000000000000000": True,
    "kit_7ZZZZZZZZZZZZZZZZZZZZZZZZZ": True,
    "kit_8ZZZZZZZZZZZZZZZZZZZZZZZZZ": False,
    "kit_0000000000000000000000000U": False,
    "kit_0000000000000000000000000I": False,
    "kit_0000000000000000000000000l": False,
    "kit_0000000000000000000000000": False,
    "KIT_00000000000000000000000000": False,
}


def value_vectors() -> list[Vector]:
    """Values within documents."""
    return [
        *_spellings(),
        *_checkpoints(),
        *_manifests(),
        *_trails(),
        *_reports(),
        *_receipts(),
        *_registry_receipts(),
    ]


def value_vector(comment: str, kind: str, data: bytes, expect: str | None) -> Vector:
    given = {"kind": kind, "data": base64.b64encode(data).decode()}
    return {"comment": comment, "expect": expect or "accepted", "input": given}


def changed_vector(kind: str, comment: str, change: Change, expect: str | None = "") -> Vector:
    """The sample of a kind with a change; expected is its own word, None for accepted, or another word."""
    members = parse_json(_SAMPLES[kind]())
    assert isinstance(members, dict)
    change(members)
    return value_vector(comment, kind, format_json(members), _WORDS[kind] if expect == "" else expect)


def _set(name: str, value: Json) -> Change:
    return lambda members: members.update({name: value})


def _spelt(kind: str, name: str, values: Mapping[str, bool]) -> Iterator[Vector]:
    for value, good in values.items():
        yield changed_vector(kind, f"{name} is {value!a}.", _set(name, value), None if good else "")


def _spellings() -> Iterator[Vector]:
    yield from _spelt("leaf-record", "issued_at", _TIMES)
    yield from _spelt("leaf-record", "lane_id", _LANES)
    yield from _spelt("leaf-record", "profile_id", _PROFILES)
    yield from _spelt("leaf-record", "kit_digest", _HASHES)
    yield from _spelt("leaf-record", "issuer_kid", _HASHES)
    yield from _spelt("leaf-record", "outcome", {"FAIL": False, "pass": False})
    yield from _spelt("checkpoint", "origin", _ORIGINS)
    yield from _spelt("receipt", "kit_id", _KIT_IDS)


def _checkpoints() -> Iterator[Vector]:
    empty = format_hash(EMPTY_ROOT)
    first: Members = {"sequence": 0, "prev_checkpoint_hash": None, "tree_size": 0, "root_hash": empty}
    for comment, changes, good in (
        ("Sequence 0.", first, True),
        ("Sequence 0 with one before it.", {**first, "prev_checkpoint_hash": H}, False),
        ("Sequence 0 with a leaf.", {**first, "tree_size": 1, "root_hash": H}, False),
        ("No leaf, and another root than that of the empty tree.", {"tree_size": 0, "root_hash": H}, False),
        ("No leaf yet at sequence 2.", {"tree_size": 0, "root_hash": empty}, True),
        ("None before it.", {"prev_checkpoint_hash": None}, False),
        ("The largest size.", {"tree_size": 2**53 - 1}, True),
        ("A size that is a boolean.", {"tree_size": True}, False),
        ("A size that is a string.", {"tree_size": "3"}, False),
        ("A signature of 63 bytes.", {"signature": format_base64url(bytes(63))}, False),
        ("A signature with trailing bits.", {"signature": f"{'A' * 85}B"}, False),
    ):
        yield changed_vector("checkpoint", comment, lambda m, c=changes: m.update(c), None if good else "")  # type: ignore[misc]


def _files(change: Callable[[list[Members]], object]) -> Change:
    def made(members: Members) -> None:
        files = members["files"]
        assert isinstance(files, list)
        change(files)  # type: ignore[arg-type]

    return made


def _renamed(path: str) -> Change:
    """The one record under another path."""
    return _files(lambda files: files[3].update(path=path))


def _manifests() -> Iterator[Vector]:
    names = {
        "records/001-a": True,
        f"records/001-{'a' * 48}.{'e' * 8}": True,
        f"records/001-{'a' * 49}.txt": False,
        f"records/001-a.{'e' * 9}": False,
        "records/001-.txt": False,
        "records/001-a.": False,
        "records/001-A.txt": False,
        "records/001-a.tar.gz": False,
        "records/1-a.txt": False,
        "records/0001-a.txt": False,
        "records/000-a.txt": False,
        "records/002-a.txt": False,
        "records/../README.txt": False,
        "records/001-a/b": False,
        "readme.txt": False,
    }
    for name, good in names.items():
        yield changed_vector("manifest", f"A record named {name}.", _renamed(name), None if good else "")
    record: Members = {"path": "records/002-b", "salt": "A" * 22, "sha256": H, "size": 0}
    for comment, change, good in (
        ("Two records.", lambda f: f.insert(4, record), True),
        ("Two records with one number.", lambda f: f.insert(4, {**record, "path": "records/001-b"}), False),
        ("A number left out.", lambda f: f.insert(4, {**record, "path": "records/003-b"}), False),
        ("No record.", lambda f: f.pop(3), False),
        ("No binder.", lambda f: f.pop(1), False),
        ("No nonce checkpoint.", lambda f: f.pop(), True),
        ("Two entries the other way round.", lambda f: f.reverse(), False),
        ("An entry twice.", lambda f: f.insert(0, f[0]), False),
        ("The manifest itself.", lambda f: f.insert(3, {**record, "path": "manifest.json"}), False),
        ("A salt of 15 bytes.", lambda f: f[0].update(salt="A" * 20), False),
        ("A salt with trailing bits.", lambda f: f[0].update(salt=f"{'A' * 21}B"), False),
        ("A size that is a boolean.", lambda f: f[0].update(size=True), False),
        ("An unknown member.", lambda f: f[0].update(note=""), False),
    ):
        yield changed_vector("manifest", comment, _files(change), None if good else "")


def _in_list(name: str, at: int, changes: Members) -> Change:
    def made(members: Members) -> None:
        items = members[name]
        assert isinstance(items, list) and isinstance(items[at], dict)
        items[at].update(changes)  # type: ignore[union-attr]

    return made


def _trails() -> Iterator[Vector]:
    opened: Members = {"data": {"salt": "A" * 22}, "type": "packet.opened"}
    for comment, change, good in (
        ("No event.", _set("events", []), False),
        (
            "The chain and its order are not this document's form.",
            _in_list("events", 1, {**opened, "n": 7}),
            True,
        ),
        ("An unknown type.", _in_list("events", 0, {"type": "packet.closed"}), False),
        ("Data of another type.", _in_list("events", 0, {"type": "binder.rendered"}), False),
        ("Another salt.", _in_list("events", 0, opened), True),
        ("A packet opened without a salt.", _in_list("events", 0, {"data": {}}), False),
        ("A salt of 15 bytes.", _in_list("events", 0, {"data": {"salt": "A" * 20}}), False),
        ("A salt with trailing bits.", _in_list("events", 0, {"data": {"salt": f"{'A' * 21}B"}}), False),
        ("A salt that is no string.", _in_list("events", 0, {"data": {"salt": 0}}), False),
        ("A member of data too many.", _in_list("events", 0, {"data": {"salt": "A" * 22, "x": 0}}), False),
        ("A size that is a string.", _in_list("events", 1, {"data": {"sha256": H, "size": "1"}}), False),
        ("A previous hash that is none.", _in_list("events", 0, {"prev": ""}), False),
    ):
        yield changed_vector("hash-trail", comment, change, None if good else "")


def _reports() -> Iterator[Vector]:
    policy: Members = {
        "lane_id": "PAY-01",
        "profile_id": "wire-transfer",
        "schema": "attestlayer/intake-policy/1",
    }
    newer: Members = {**policy, "schema": "attestlayer/intake-policy/2"}
    for comment, change, expect in (
        ("A check that failed.", _in_list("checks", 0, {"result": "fail"}), ""),
        ("A check that is of no concern.", _in_list("checks", 0, {"result": "not-applicable"}), None),
        ("A check of a path that is no string.", _in_list("checks", 0, {"records": [1]}), ""),
        ("Metadata that is no string.", _in_list("records", 0, {"metadata": {"a": 1}}), ""),
        ("Metadata that is an array.", _in_list("records", 0, {"metadata": []}), ""),
        ("A policy with other members.", _set("policy", {**policy, "rules": [{"a": None, "b": True}]}), None),
        ("A policy without a lane.", _set("policy", {n: v for n, v in policy.items() if n != "lane_id"}), ""),
        ("A policy that is a string.", _set("policy", "PAY-01"), ""),
        ("A policy of another schema.", _set("policy", {**policy, "schema": "attestlayer/policy/1"}), ""),
        ("A policy of a newer format.", _set("policy", {"schema": newer["schema"]}), "schema-newer"),
        (
            "A newer policy behind a kit id that is none: the first fault in order is reported.",
            lambda m: m.update(policy=newer, kit_id="kit_1"),
            "",
        ),
        (
            "A newer policy before records that are none.",
            lambda m: m.update(policy=newer, records=0),
            "schema-newer",
        ),
    ):
        yield changed_vector("intake-report", comment, change, expect)


def _receipts() -> Iterator[Vector]:
    last: Members = {"issued_at": "9999-12-31T23:59:59Z", "merge_by": "9999-12-31T23:59:59Z"}
    for comment, changes, good in (
        ("It supersedes a kit.", {"supersedes": "kit_01J9ZX3A8B5C6D7E8F9GAHBKCN"}, True),
        ("It supersedes what is no kit.", {"supersedes": ""}, False),
        ("merge_by is a second late.", {"merge_by": "2026-01-31T12:11:31Z"}, False),
        ("merge_by would lie behind the year 9999.", last, False),
        ("Another boundary.", {"boundary": "Integrity and issuance evidence only."}, False),
        ("Another issuer.", {"issuer": "attestlayer"}, False),
        ("Another outcome.", {"outcome": "FAIL"}, False),
        ("A key id that is none.", {"issuer_kid": "key-1"}, False),
    ):
        yield changed_vector("receipt", comment, lambda m, c=changes: m.update(c), None if good else "")  # type: ignore[misc]


def _registry_receipts() -> Iterator[Vector]:
    newer: Members = {"schema": "attestlayer/checkpoint/2"}
    for comment, changes, expect in (
        ("An audit path of 53 hashes.", {"audit_path": [H] * 53}, None),
        ("An audit path of 54 hashes.", {"audit_path": [H] * 54}, ""),
        ("An audit path with a number.", {"audit_path": [0]}, ""),
        ("A leaf without its hash.", {"leaf": {}}, ""),
        ("A checkpoint of a newer format.", {"checkpoint": newer}, "schema-newer"),
        ("A newer checkpoint behind a leaf that is none.", {"checkpoint": newer, "leaf": {}}, ""),
        ("A newer checkpoint behind an index that is none.", {"checkpoint": newer, "leaf_index": "0"}, ""),
        ("A newer checkpoint before a note that is none.", {"checkpoint": newer, "note": ""}, "schema-newer"),
        ("A note that is none.", {"note": "a\n"}, "note-malformed"),
        ("A note that is a number.", {"note": 1}, ""),
        ("A note that is none behind a checkpoint that is none.", {"checkpoint": {}, "note": ""}, ""),
    ):
        yield changed_vector("registry-receipt", comment, lambda m, c=changes: m.update(c), expect)  # type: ignore[misc]
