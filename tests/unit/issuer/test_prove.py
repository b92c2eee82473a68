"""Consistency proofs that no round stored: the same bytes as a round's, and right for every pair."""

import itertools

import pytest

from attestlayer.canonical import parse_json
from attestlayer.encoding import parse_hash
from attestlayer.log import layout
from attestlayer.log.merkle import TreeHead, check_consistency
from issuer.errors import Code, ServiceError
from issuer.services.prove import Prover
from support.log import TestLog

ROUNDS = [1, 2, 252, 1, 1, 300, 0, 7]
SIZES = sorted({sum(ROUNDS[:n]) for n in range(len(ROUNDS) + 1)})


def head(members: dict[str, object], side: str) -> TreeHead:
    return TreeHead(int(str(members[f"{side}_size"])), parse_hash(str(members[f"{side}_root"])))


def test_every_pair_of_sizes_is_proved_and_a_stored_pair_gets_the_stored_bytes(log: TestLog) -> None:
    ports = log.init()
    for count in ROUNDS:
        log.round(ports, count)
    prover = Prover(ports.public)
    wanted = [*SIZES, 128, 254, 257, 512]
    roots: dict[int, set[object]] = {}
    for old in wanted:
        for new in wanted:
            if old > new:
                continue
            data = prover.consistency(old, new)
            stored = ports.public.read(layout.consistency_path(old, new))
            assert stored in {None, data}
            answer = parse_json(data)
            assert isinstance(answer, dict)
            assert isinstance(answer["proof"], list)
            path = [parse_hash(str(value)) for value in answer["proof"]]
            check_consistency(head(answer, "from"), head(answer, "to"), path)  # type: ignore[arg-type]
            for side in ("from", "to"):
                roots.setdefault(int(str(answer[f"{side}_size"])), set()).add(answer[f"{side}_root"])
    assert {len(found) for found in roots.values()} == {1}
    stored_pairs = list(itertools.pairwise(SIZES))
    assert all(ports.public.exists(layout.consistency_path(*pair)) for pair in stored_pairs)


def test_a_size_beyond_the_log_is_not_found(log: TestLog) -> None:
    ports = log.init()
    log.round(ports, 2)
    with pytest.raises(ServiceError) as error:
        Prover(ports.public).consistency(1, 3)
    assert error.value.code is Code.NOT_FOUND


def test_damaged_tiles_make_no_proof(log: TestLog) -> None:
    ports = log.init()
    log.round(ports, 2)
    (log.home / "registry/tile/0/000.p/2").unlink()
    with pytest.raises(ServiceError) as error:
        Prover(ports.public).consistency(1, 2)
    assert error.value.code is Code.STORAGE_FAILED
