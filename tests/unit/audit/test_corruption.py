"""A corruption corpus: every kind of public object, damaged in every way, is found and named."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from attestlayer.encoding import format_time
from attestlayer.errors import CouldNotCheckError
from attestlayer.log import layout
from attestlayer.log.notices import IncidentReason, Role, key_added, late_merge
from issuer.services.index import Indexer
from support.log import SeedSigner, TestLog, queue
from support.shared import made_once
from support.thorough import sampled_rows
from unit.audit.logs import change, found_in, grow, policy, start

KINDS = {
    "full tile": "tile/0/000",
    "partial tile": "tile/0/001.p/*",
    "upper partial tile": "tile/1/000.p/1",
    "full bundle": "tile/entries/000",
    "partial bundle": "tile/entries/001.p/*",
    "entry": "v1/entries/*.json",
    "receipt": "v1/proofs/inclusion/*.json",
    "consistency": "v1/proofs/consistency/*.json",
    "checkpoint": "v1/checkpoints/[!l]*.json",
    "checkpoint bundle": "v1/checkpoints/bundle/000",
    "notices": "v1/notices/*.json",
    "policy": "v1/policies/*.json",
    "index": "v1/index/0/000/000",
    "verifier key": "v1/jwks/registry/*.vkey",
    "note": "checkpoint",
    "latest": layout.LATEST,
    "stats": layout.STATS,
    "trust root": layout.TRUST,
    "registry keys": layout.REGISTRY_JWKS,
    "issuer keys": layout.ISSUER_JWKS,
    "verifier keys": layout.REGISTRY_VKEY,
    "policy for tools": layout.POLICY,
    "log list": layout.LOG_LIST,
}
SEVERAL = [kind for kind, name in KINDS.items() if "*" in name and kind != "policy"]
"""Kinds of which the log has more than one object; its leaves are all of one policy."""

MUTABLE = [kind for kind, name in KINDS.items() if not layout.is_immutable(name)]
"""Kinds that rounds replace."""


@dataclass(frozen=True)
class Made:
    """A registry, and an older state of the same."""

    now: Path
    earlier: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    home = made_once(tmp_path_factory, "audited", _make)
    return Made(home / "registry", home / "earlier")


def _make(home: Path) -> None:
    log, ports = start(home)
    grow(log, ports, 3, 0, 200)
    shutil.copytree(home / "registry", home / "earlier")
    queue(ports, *_notice(0))
    for role, signer in ((Role.REGISTRY, SeedSigner("registry 2")), (Role.ISSUER, SeedSigner("issuer 2"))):
        kind, data = key_added(role, signer.public, int(log.clock.time) + 1)
        queue(ports, kind.value, data)
        ports = replace(ports, signers={**ports.signers, signer.public.kid: signer})
    until = format_time(int(log.clock.time) + 300)
    queue(ports, "key.retired", {"kid": log.signer.public.kid, "valid_until": until})
    grow(log, ports, 60, *[0] * 252, 2)
    queue(ports, *_notice(1))
    grow(log, ports, 3)
    Indexer(ports.public, ports.private).run()


def _notice(index: int) -> tuple[str, object]:
    kind, data = late_merge(index, index, IncidentReason.OUTAGE)
    return kind.value, data


@pytest.fixture
def registry(made: Made, tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    shutil.copytree(made.now, root, copy_function=os.link)
    return root


def _names(root: Path, kind: str) -> list[str]:
    found = sorted(str(path.relative_to(root)) for path in root.glob(KINDS[kind]) if path.is_file())
    assert found, kind
    return found


def _some(names: list[str]) -> Iterator[str]:
    """The first, the middle and the last."""
    yield from dict.fromkeys((names[0], names[len(names) // 2], names[-1]))


def _flip(at: float) -> Callable[[bytes], bytes]:
    def flip(data: bytes) -> bytes:
        place = int(at * (len(data) - 1))
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return flip


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "a bit flipped at the start": _flip(0),
    "a bit flipped in the middle": _flip(0.5),
    "a bit flipped at the end": _flip(1),
    "the last byte cut": lambda data: data[:-1],
    "cut in half": lambda data: data[: len(data) // 2],
    "emptied": lambda data: b"",
    "a byte appended": lambda data: data + b"\n",
    "a hash's length of zeros appended": lambda data: data + bytes(32),
    "a space put in front": lambda data: b" " + data,
    "deleted": lambda data: None,
}


def test_the_corpus_starts_from_a_clean_log(made: Made) -> None:
    assert found_in(made.now) == []
    assert found_in(made.earlier) == []


# The look-up index is a hint and may come late: what of it is not there is no finding.
@pytest.mark.parametrize(
    ("kind", "damage"),
    sampled_rows([each for each in product(KINDS, DAMAGES) if each != ("index", "deleted")], 3),
)
def test_a_damaged_object_is_named(registry: Path, kind: str, damage: str) -> None:
    for name in _some(_names(registry, kind)):
        data = (registry / name).read_bytes()
        change(registry, name, DAMAGES[damage](data))
        assert name in [found for found, _ in found_in(registry)], name
        change(registry, name, data)


@pytest.mark.parametrize("kind", SEVERAL)
def test_an_object_replaced_by_another_of_its_kind_is_named(made: Made, registry: Path, kind: str) -> None:
    names = _names(registry, kind)
    assert len(names) > 1
    data = (registry / names[-1]).read_bytes()
    change(registry, names[0], data)
    assert names[0] in [found for found, _ in found_in(registry)]


@pytest.mark.parametrize("kind", SEVERAL)
def test_two_objects_swapped_are_both_named(registry: Path, kind: str) -> None:
    names = _names(registry, kind)
    assert len(names) > 1
    one, other = names[0], names[-1]
    first, second = (registry / one).read_bytes(), (registry / other).read_bytes()
    change(registry, one, second)
    change(registry, other, first)
    assert {one, other} <= {found for found, _ in found_in(registry)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_replaced_by_one_of_another_kind_is_named(registry: Path, kind: str) -> None:
    kinds = list(KINDS)
    for offset in (1, 7):
        other = kinds[(kinds.index(kind) + offset) % len(kinds)]
        name, data = _names(registry, kind)[0], (registry / _names(registry, other)[-1]).read_bytes()
        own = (registry / name).read_bytes()
        assert own != data
        change(registry, name, data)
        assert name in [found for found, _ in found_in(registry)], other
        change(registry, name, own)


@pytest.mark.parametrize("kind", MUTABLE)
def test_a_view_replaced_by_an_older_version_is_named(made: Made, registry: Path, kind: str) -> None:
    older = (made.earlier / KINDS[kind]).read_bytes()
    assert older != (registry / KINDS[kind]).read_bytes()
    change(registry, KINDS[kind], older)
    assert KINDS[kind] in [found for found, _ in found_in(registry)]


STRAYS = [
    "tile/5/000",
    "tile/64/000",
    "tile/0/009",
    "tile/1/001",
    "tile/1/000",
    "tile/1/000.p/2",
    "tile/entries/009",
    "tile/entries/002.p/3",
    "tile/0/001.p/0",
    "tile/0/001.p/256",
    "tile/0/001.p/001",
    "tile/0/001.p/255",
    "tile/entries/001.p/1",
    "tile/0/1",
    "tile/0/x000/001",
    f"v1/entries/{'A' * 43}.json",
    f"v1/proofs/inclusion/{'A' * 43}.json",
    f"v1/checkpoints/{'A' * 43}.json",
    "v1/checkpoints/bundle/001",
    f"v1/notices/{'A' * 43}.json",
    f"v1/policies/{'A' * 43}.json",
    "v1/proofs/consistency/1-2.json",
    "v1/index/0/001/000",
    "v1/index/0/000/001",
    "v1/index/1/000/000",
    "v1/index/0/0/0",
    "v1/anything",
    "v1/jwks/other.jwks.json",
    f"v1/jwks/registry/{'A' * 43}.vkey",
    "v1/jwks/registry/key.vkey",
    "v1/proofs/consistency/3-203.json.gz",
    "v1/proofs/consistency/03-203.json",
    f"v1/checkpoints/{'A' * 42}B.json",
    "v1/checkpoints/bundle/000.p/3",
    "tile/0/.tmp1234",
    "v1/entries/.new",
    ".tmp-x",
    "checkpoint~",
]


@pytest.mark.parametrize("name", STRAYS)
def test_an_object_that_nobody_refers_to_is_named(registry: Path, name: str) -> None:
    change(registry, name, b"{}")
    assert found_in(registry) == [(name, "stray")]


def _alone(registry: Path) -> set[str]:
    """What is named, but for the look-up index: what follows from a damaged bundle can't be judged."""
    return {name for name, word in found_in(registry) if (name, word) != (KINDS["index"], "tree-unreadable")}


def test_an_extra_entry_behind_a_bundle_is_named(registry: Path) -> None:
    for name in [*_names(registry, "full bundle"), *_names(registry, "partial bundle")]:
        data = (registry / name).read_bytes()
        change(registry, name, data + b"\x00\x02{}")
        assert _alone(registry) == {name}
        change(registry, name, data)


def test_a_bundle_one_entry_short_is_named(registry: Path) -> None:
    for name in [*_names(registry, "full bundle"), *_names(registry, "partial bundle")]:
        data = (registry / name).read_bytes()
        length, at = 0, 0
        while at < len(data):
            length, at = at, at + 2 + int.from_bytes(data[at : at + 2], "big")
        change(registry, name, data[:length])
        assert _alone(registry) == {name}
        change(registry, name, data)


def test_one_flipped_bit_of_an_entry_is_one_finding(registry: Path) -> None:
    data = bytearray((registry / "tile/entries/000").read_bytes())
    data[40] ^= 1
    change(registry, "tile/entries/000", bytes(data))
    assert _alone(registry) == {"tile/entries/000"}
    assert ("tile/entries/000", "entry-mismatch") in found_in(registry)


def test_one_flipped_bit_of_a_tile_is_one_finding(registry: Path) -> None:
    data = bytearray((registry / "tile/0/000").read_bytes())
    data[40] ^= 1
    change(registry, "tile/0/000", bytes(data))
    assert found_in(registry) == [("tile/0/000", "hash-mismatch")]


def test_a_link_in_an_objects_place_is_no_object(registry: Path) -> None:
    path = registry / "tile/0/000"
    data = path.read_bytes()
    path.unlink()
    (registry.parent / "elsewhere").write_bytes(data)
    path.symlink_to(registry.parent / "elsewhere")
    with pytest.raises(CouldNotCheckError, match=r"tile/0/000"):
        found_in(registry)


@pytest.fixture
def aged(tmp_path: Path) -> Path:
    """A log whose first tile is full since over a day; its partial tiles are not collected."""
    log = TestLog(tmp_path, cadence_s=3600)
    ports = log.init()
    policy(ports)
    grow(log, ports, 200, 60, *[0] * 26, 5, 0)  # the last one has the notice of the leaves that came late
    return tmp_path / "registry"


PARTIALS = ["tile/0/000.p/200", "tile/entries/000.p/200"]


@pytest.mark.parametrize("name", PARTIALS)
def test_a_partial_tile_that_nobody_needs_may_go_but_not_be_wrong(aged: Path, name: str) -> None:
    data = (aged / name).read_bytes()
    assert found_in(aged) == []
    for damage in DAMAGES.values():
        change(aged, name, damage(data))
        damaged = (aged / name).exists()
        assert {found for found, _ in found_in(aged)} == ({name} if damaged else set())


@pytest.mark.parametrize("name", PARTIALS)
def test_a_wrong_partial_tile_is_named_beside_a_damaged_full_one(aged: Path, name: str) -> None:
    full = name.partition(".p/")[0]
    for each in (name, full):
        change(aged, each, _flip(0.3)((aged / each).read_bytes()))
    assert {name, full} <= {found for found, _ in found_in(aged)}


@pytest.mark.parametrize("kind", ["entry", "receipt"])
def test_a_stray_beside_a_missing_object_of_its_kind_is_named(registry: Path, kind: str) -> None:
    names = _names(registry, kind)
    stray = f"{names[0].rpartition('/')[0]}/{'A' * 43}.json"
    change(registry, stray, (registry / names[0]).read_bytes())
    change(registry, names[0], None)
    assert {names[0], stray} <= {found for found, _ in found_in(registry)}
