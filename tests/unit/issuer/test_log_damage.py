"""Damage and disagreement stop the log: nothing is signed, nothing public is written."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from issuer.adapters.local.keys import KeyRole, LocalKey, create_key
from issuer.errors import Code, LogHaltedError, ServiceError
from issuer.ledger.keys import leaf_key
from issuer.ledger.rows import WAITING_LEAVES
from issuer.log.store import LogPorts
from issuer.services.initialise import Initialiser
from issuer.services.sequence import RoundOutcome, Sequencer
from support.audit import audit
from support.log import (
    ISSUER,
    ORIGIN,
    Crash,
    SeededEntropy,
    SeedSigner,
    Tap,
    TestLog,
    put_waiting,
    tapped,
    wait,
)
from support.tables import overwrite


def grown(log: TestLog) -> LogPorts:
    """A log of three leaves in two rounds; another leaf waits and a round is due."""
    ports = log.init()
    log.round(ports, 1)
    log.round(ports, 2)
    wait(ports, log.leaves(1))
    log.clock.time += 60
    return ports


def flip(path: Path, at: int = -1) -> None:
    """Flip the lowest bit of one byte (the last digit or letter stays printable ASCII)."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def flip_after(path: Path, mark: str) -> None:
    """Flip a bit of the first character behind `mark`: the JSON stays canonical."""
    data = path.read_bytes()
    flip(path, data.index(mark.encode()) + len(mark))


def assert_halted_and_silent(log: TestLog, ports: LogPorts) -> None:
    """A run halts, having signed nothing and changed nothing but, at most, a batch."""
    before = files(log)
    signed = []

    class Watched(SeedSigner):
        def sign(self, message: bytes) -> bytes:
            signed.append(message)
            return super().sign(message)

    watched = replace(ports, signers={kid: Watched("registry") for kid in ports.signers})
    with pytest.raises(LogHaltedError):
        Sequencer(watched).run()
    after = files(log)
    assert signed == []
    assert {name for name in after if before.get(name) != after[name]} <= {
        name for name in after if name.startswith("private/batch/")
    }
    assert not before.keys() - after.keys()


def files(log: TestLog) -> dict[str, bytes]:
    roots = [log.home / "registry", log.home / "private"]
    found = [path for root in roots for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(log.home)): path.read_bytes() for path in found}


DAMAGE: dict[str, Callable[[Path], None]] = {
    "edge tile": lambda home: flip(home / "registry/tile/0/000.p/3"),
    "edge tile gone": lambda home: (home / "registry/tile/0/000.p/3").unlink(),
    "edge tile cut": lambda home: (home / "registry/tile/0/000.p/3").write_bytes(bytes(64)),
    "last bundle": lambda home: flip(home / "registry/tile/entries/000.p/3", -10),
    "last bundle gone": lambda home: (home / "registry/tile/entries/000.p/3").unlink(),
    "last bundle's lengths": lambda home: flip(home / "registry/tile/entries/000.p/3", 0),
    "notices": lambda home: flip_after(next((home / "registry/v1/notices").iterdir()), '"origin":"'),
    "notices, no JSON": lambda home: flip(next((home / "registry/v1/notices").iterdir()), 0),
    "notices gone": lambda home: next((home / "registry/v1/notices").iterdir()).unlink(),
    "latest": lambda home: flip_after(home / "registry/v1/checkpoints/latest.json", '"root_hash":"'),
    "latest, no JSON": lambda home: flip(home / "registry/v1/checkpoints/latest.json", 0),
    "latest gone": lambda home: (home / "registry/v1/checkpoints/latest.json").unlink(),
    "head, no JSON": lambda home: flip(home / "private/head", 0),
    "head's edge": lambda home: flip_after(home / "private/head", '"edge":["'),
    "head's root": lambda home: flip_after(home / "private/head", '"root_hash":"'),
    "head's sequence": lambda home: flip_after(home / "private/head", '"sequence":'),
    "head's notices": lambda home: flip_after(home / "private/head", '"notices_hash":"'),
    "head's origin": lambda home: flip_after(home / "private/head", '"origin":"'),
    "signed": lambda home: flip_after(home / "private/signed/2", '"signature":"'),
    "signed, no JSON": lambda home: flip(home / "private/signed/2", 0),
    "signed gone": lambda home: (home / "private/signed/2").unlink(),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_between_rounds_halts(log: TestLog, what: str) -> None:
    ports = grown(log)
    DAMAGE[what](log.home)
    assert_halted_and_silent(log, ports)


def batch_of(home: Path, sequence: int = 3) -> Path:
    return next((home / "private/batch").glob(f"{sequence}-*"))


OPEN_ROUND: dict[str, Callable[[Path], None]] = {
    "batch": lambda home: flip_after(batch_of(home), '"time":"202'),
    "batch's leaf": lambda home: flip_after(batch_of(home), r"\"kit_digest\":\""),
    "batch gone": lambda home: batch_of(home).unlink(),
    "head's previous": lambda home: flip_after(home / "private/head", '"prev_checkpoint_hash":"'),
    "head's notices": lambda home: flip_after(home / "private/head", '"notices_hash":"'),
    "head's sequence": lambda home: flip_after(home / "private/head", '"sequence":'),
    "head's time": lambda home: flip_after(home / "private/head", '"batch_time":"202'),
    "the face before": lambda home: (home / "registry/v1/checkpoints/latest.json").unlink(),
    "tile before": lambda home: flip(home / "registry/tile/0/000.p/3"),
    "bundle before": lambda home: flip(home / "registry/tile/entries/000.p/3", -10),
}


def crash_at(log: TestLog, ports: LogPorts, name: str) -> None:
    """A round that ends before the write of `name`."""

    def stop(number: int, found: str) -> None:
        if found.startswith(name):
            raise Crash

    with pytest.raises(Crash):
        Sequencer(tapped(ports, Tap(before=stop))).run()


@pytest.mark.parametrize("what", OPEN_ROUND)
def test_damage_to_a_committed_round_halts_before_it_is_signed(log: TestLog, what: str) -> None:
    ports = grown(log)
    crash_at(log, ports, "public tile/")
    OPEN_ROUND[what](log.home)
    assert_halted_and_silent(log, ports)


SIGNED = {
    "signature": '"signature":"',
    "note's root": r'"note":"registry.test\n',
    "note's line": "— registry.test ",
    "timestamp": '"timestamp":"2',
    "chain": '"prev_checkpoint_hash":"',
    "notices": '"notices_hash":"',
    "root": '"root_hash":"',
}


@pytest.mark.parametrize("what", SIGNED)
def test_a_damaged_signed_round_is_never_published(log: TestLog, what: str) -> None:
    ports = grown(log)
    crash_at(log, ports, "public v1/")
    flip_after(log.home / "private/signed/3", SIGNED[what])
    assert_halted_and_silent(log, ports)


def test_a_damaged_signed_round_of_the_past_is_not_bundled(log: TestLog) -> None:
    ports = log.init()
    for _ in range(254):
        log.round(ports)
    flip_after(log.home / "private/signed/100", '"signature":"')
    with pytest.raises(LogHaltedError):
        log.round(ports)
    assert not (log.home / "registry/v1/checkpoints/bundle").exists()


def test_a_face_ahead_of_head_halts(log: TestLog) -> None:
    ports = grown(log)
    head = (log.home / "private/head").read_bytes()
    assert Sequencer(ports).run().outcome == RoundOutcome.PUBLISHED
    (log.home / "private/head").write_bytes(head)  # restored from a backup
    log.clock.time += 60
    assert_halted_and_silent(log, ports)
    with pytest.raises(LogHaltedError):
        Initialiser(ports).run([ISSUER.public])


def test_a_face_restored_from_a_backup_halts(log: TestLog) -> None:
    ports = log.init()
    log.round(ports)
    old = (log.home / "registry/v1/checkpoints/latest.json").read_bytes()
    log.round(ports)
    log.round(ports)
    (log.home / "registry/v1/checkpoints/latest.json").write_bytes(old)
    log.clock.time += 60
    assert_halted_and_silent(log, ports)


def test_another_log_beside_this_head_halts(log: TestLog, tmp_path: Path) -> None:
    ports = grown(log)
    other = TestLog(tmp_path / "other", signer=SeedSigner("another registry"))
    theirs = other.init()
    other.round(theirs, 1)
    other.round(theirs, 2)
    mixed = replace(ports, public=theirs.public)
    with pytest.raises(LogHaltedError):
        Sequencer(mixed).run()


def test_a_home_of_another_origin_halts(log: TestLog) -> None:
    ports = grown(log)
    assert_halted_and_silent(log, replace(ports, origin="other.test"))


def test_a_key_file_of_another_origin_or_role_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.key"
    create_key(path, KeyRole.REGISTRY, ORIGIN, SeededEntropy())
    for role, origin in ((KeyRole.REGISTRY, "other.test"), (KeyRole.ISSUER, ORIGIN)):
        with pytest.raises(ServiceError) as error:
            LocalKey(path, role, origin)
        assert error.value.code is Code.KEY_UNUSABLE


@pytest.mark.parametrize("held", [[], ["another registry"]])
def test_without_the_registry_key_nothing_is_committed(log: TestLog, held: list[str]) -> None:
    ports = grown(log)
    before = files(log)
    signers = {SeedSigner(name).public.kid: SeedSigner(name) for name in held}
    with pytest.raises(ServiceError) as error:
        Sequencer(replace(ports, signers=signers)).run()
    assert error.value.code is Code.KEY_UNUSABLE
    after = files(log)
    assert {n: d for n, d in after.items() if "/batch/" not in n} == {
        n: d for n, d in before.items() if "/batch/" not in n
    }
    assert Sequencer(ports).run().outcome == RoundOutcome.PUBLISHED


@pytest.mark.parametrize("spoil", [lambda entry: entry[:-3], lambda entry: entry.replace(b"PASS", b"FAIL")])
def test_a_waiting_entry_that_is_damaged_halts(log: TestLog, spoil: Callable[[bytes], bytes]) -> None:
    ports = grown(log)
    leaf = log.leaves(1, int(log.clock.time) - 60)[0]
    put_waiting(ports.ledger, leaf)
    waiting = ports.ledger.waiting_leaf(leaf.hash())
    assert waiting
    spoiled = replace(waiting, entry=spoil(waiting.entry))
    assert spoiled != waiting
    overwrite(ports.ledger.table, {leaf_key(leaf.hash()): WAITING_LEAVES.format(spoiled)})
    assert_halted_and_silent(log, ports)


def test_a_halted_log_goes_on_once_the_damage_is_repaired(log: TestLog) -> None:
    ports = grown(log)
    path = log.home / "registry/tile/0/000.p/3"
    flip(path)
    assert_halted_and_silent(log, ports)
    flip(path)
    assert Sequencer(ports).run().outcome == RoundOutcome.PUBLISHED
    assert len(audit(log.home / "registry", ORIGIN).entries) == 4
