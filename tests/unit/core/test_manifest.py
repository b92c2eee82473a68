"""Manifests: which paths they list, in which order; names of members; the root over the entries."""

import pytest

from attestlayer.canonical import format_json
from attestlayer.errors import FormatError, Reason
from attestlayer.kit.manifest import UNLISTED, Manifest, is_member, is_record, parse_manifest
from attestlayer.log.merkle import leaf_hash, node_hash
from support.build import manifest_file

KIT_ID = "kit_01J9ZX3A8B5C6D7E8F9GAHBKCM"
LEAST = ("README.txt", "binder.pdf", "intake_report.json", "records/001-a", "registry/client_nonce.txt")


def manifest(*paths: str) -> bytes:
    return Manifest(KIT_ID, tuple(manifest_file(path, b"") for path in paths)).format()


def test_the_least_that_a_manifest_lists() -> None:
    assert [file.path for file in parse_manifest(manifest(*LEAST)).files] == list(LEAST)


@pytest.mark.parametrize("path", LEAST)
def test_each_of_the_least_is_listed(path: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_manifest(manifest(*(other for other in LEAST if other != path)))
    assert caught.value.reason == Reason.MANIFEST_MALFORMED


@pytest.mark.parametrize("path", sorted(UNLISTED))
def test_what_comes_after_the_manifest_is_not_listed(path: str) -> None:
    with pytest.raises(FormatError, match="not a path that a manifest lists"):
        parse_manifest(manifest(*sorted([*LEAST, path])))


@pytest.mark.parametrize(
    "path", ["notes.txt", "../x", "records/002-A", "records/2-a", "registry/other.json", ""]
)
def test_what_no_kit_has_is_not_listed(path: str) -> None:
    with pytest.raises(FormatError, match="not a path that a manifest lists"):
        parse_manifest(manifest(*sorted([*LEAST, path])))


def test_paths_are_in_byte_order_and_once() -> None:
    for paths in ((LEAST[1], LEAST[0], *LEAST[2:]), (LEAST[0], *LEAST)):
        with pytest.raises(FormatError, match="byte order"):
            parse_manifest(manifest(*paths))


@pytest.mark.parametrize(
    "records",
    [
        ["records/002-a"],
        ["records/000-a"],
        ["records/000-a", "records/001-a"],
        ["records/001-a", "records/003-a"],
        ["records/001-a", "records/001-b"],
    ],
)
def test_records_are_numbered_from_001_without_a_gap(records: list[str]) -> None:
    others = [path for path in LEAST if not is_record(path)]
    with pytest.raises(FormatError, match="numbered from 001"):
        parse_manifest(manifest(*sorted([*others, *records])))


@pytest.mark.parametrize(
    "path", ["records/001-a", "records/999-a-b.pdf", f"records/001-{'a' * 48}.{'b' * 8}"]
)
def test_names_of_records(path: str) -> None:
    assert is_record(path)
    assert is_member(path)


@pytest.mark.parametrize(
    "path",
    [
        "records/01-a",
        "records/0001-a",
        "records/001-",
        "records/001-a.",
        "records/001-a.b.c",
        "records/001-a_b",
        "records/001-A",
        "records/001-é",
        "records/٠٠١-a",
        "records/001-a\n",
        "records/001-a/b",
        "Records/001-a",
        f"records/001-{'a' * 49}",
        f"records/001-a.{'b' * 9}",
        "./records/001-a",
    ],
)
def test_what_is_no_name_of_a_record(path: str) -> None:
    assert not is_record(path)
    assert not is_member(path)


def test_the_root_is_that_of_the_entries_canonical_bytes() -> None:
    # RFC 6962 section 2.1, written out for three entries.
    files = tuple(manifest_file(path, b"x") for path in LEAST[:3])
    one, two, three = (leaf_hash(format_json(file.members())) for file in files)
    assert Manifest(KIT_ID, files).root() == node_hash(node_hash(one, two), three)
