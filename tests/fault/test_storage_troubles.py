"""Disks that fill up or can't be written, locked and damaged ledgers, under the whole service.

Each act fails with a word that says what is wrong; nothing is half done; once the trouble is over the same
process goes on, and comes to what it would have come to without.
"""

import errno
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from attestlayer.log.layout import LATEST, is_immutable
from fault.matrix import SCENARIOS
from handlers.client import running
from issuer.adapters.local.table import SqliteTable
from issuer.errors import Code, LogHaltedError, ServiceError, StoreError
from issuer.ledger.ledger import Ledger
from issuer.log.store import LogPorts
from issuer.services.deliver import Delivery
from issuer.services.sequence import RoundOutcome, Sequencer
from support.audit import audit
from support.backends import LOCAL
from support.faults import Scenario, Settled, settle
from support.log import ORIGIN, HeldClock, SeedSigner, Tap, TestLog, log_in, tapped, wait
from support.service import TestService
from unit.adapters.disks import SmallDisk, small_disk_at

NOBODY = 65_534
KEY = "the-key-of-one-call"
DISK = "16m"


def opened(home: Path, clock: HeldClock, cadence_s: int, signer: SeedSigner) -> LogPorts:
    """As `log_in`, with a ledger that does not wait for others."""
    ports = log_in(home, clock, cadence_s, signer)
    ports.ledger.table.close()  # type: ignore[attr-defined]
    return replace(ports, ledger=Ledger(SqliteTable(home / "ledger.sqlite", busy_timeout_s=0.0)))


@dataclass(frozen=True)
class Place:
    """Where a home in trouble lies."""

    disk: SmallDisk

    @property
    def home(self) -> Path:
        return self.disk.path / "home"


@contextmanager
def full(place: Place) -> Iterator[None]:
    filler = place.disk.fill()
    yield
    filler.unlink()


@contextmanager
def read_only(place: Place) -> Iterator[None]:
    place.disk.remount("ro")
    yield
    place.disk.remount("rw")


@contextmanager
def no_permission(place: Place) -> Iterator[None]:
    """The folders are another user's, who only lets us read."""
    subject = os.geteuid()
    os.seteuid(NOBODY)
    yield
    os.seteuid(subject)


@contextmanager
def locked(place: Place) -> Iterator[None]:
    other = sqlite3.connect(place.home / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@contextmanager
def damaged(place: Place) -> Iterator[None]:
    """Every page but the first is overwritten, and comes back from a copy."""
    path = place.home / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (len(data) - 4096))
    yield
    with path.open("r+b") as file:
        file.write(data)


TROUBLES: dict[str, tuple[Callable[[Place], AbstractContextManager[None]], str]] = {
    "the disk is full": (full, r"ENOSPC|is full"),
    "the disk is read-only": (read_only, r"EROFS|read-only|Read-only"),
    "permission is lost": (no_permission, r"EACCES|EPERM|Permission denied|read-only|can't be opened"),
    "the ledger is locked": (locked, r"another process is writing for too long"),
    "the ledger is damaged": (damaged, r"the file is damaged|is not a ledger"),
}
"""How each comes and goes, and what must be said."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with small_disk_at(tmp_path / "disk", DISK) as disk:
        yield Place(disk)


def made(folder: Path, scenario: Scenario) -> tuple[Path, float, Settled]:
    """A home before the act, its time, and what it comes to without any trouble."""
    service = TestService(TestLog(folder / "made"))
    scenario.prepare(service)
    time = service.log.clock.time
    shutil.copytree(folder / "made", folder / "whole")
    whole = TestService(TestLog(folder / "whole", HeldClock(time)), entropy=service.again().entropy)
    scenario.act(whole)
    return folder / "made", time, settle(LOCAL, scenario, whole)


def what_is_said(act: Callable[[], object]) -> str:
    """How the act fails: by an error of the service, or a failed delivery."""
    try:
        answer = act()
    except ServiceError as error:
        assert error.code in {Code.STORAGE_FAILED, Code.LOG_STALLED, Code.KEY_UNUSABLE}
        return error.detail
    assert isinstance(answer, Delivery), answer
    assert answer.failed
    return " ".join(why for _, why in answer.failed)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("act", ["round", "issue", "deliver"])
def test_a_trouble_is_told_and_when_it_is_over_all_is_well(
    act: str, trouble: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario, (come, said) = SCENARIOS[act], TROUBLES[trouble]
    source, time, wanted = made(tmp_path, scenario)
    shutil.copytree(source, place.home)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # /tmp itself is in no trouble
    if trouble == "permission is lost":
        open_up(tmp_path)
    service = TestService(TestLog(place.home, HeldClock(time), opened_by=opened))
    service.entropy.seed = "in trouble"
    service.ports.ledger.table.close()  # a disk with files open for writing can't be made read-only by hand
    with come(place):
        for _ in range(2):
            found = what_is_said(lambda: scenario.act(service))
            assert re.search(said, found), found
    assert settle(LOCAL, scenario, service) == wanted


def open_up(tmp_path: Path) -> None:
    """Let another user reach the home, and read it, but not write it."""
    if os.geteuid() != 0:
        pytest.fail("only root can stop being root")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    tmp_path.chmod(0o777)


def test_a_full_disk_over_http(place: Place) -> None:
    with running(place.home) as site:
        packet_id = site.open()
        site.fill(packet_id)
        nonce = site.nonce()
        with full(place):
            got = site.issue(packet_id, nonce, KEY)
            assert (got.status, got.code) == (503, "storage-failed")
            assert site.call("POST", "/v1/packets", {}, Idempotency_Key="x" * 16).status in {400, 422, 503}
            assert site.packet(packet_id)["state"] in {"open", "ready"}
            assert site.balance() == 10
            assert site.raw("GET", "/v1/stats").status == 200
        got = site.issue(packet_id, nonce, KEY)
        assert got.status == 202, got
        site.publish()
        assert site.packet(packet_id)["state"] == "issued"
        assert site.balance() == 9
        audit(place.home / "registry", ORIGIN)


def test_without_hard_links_the_whole_way_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    scenario = SCENARIOS["round"]
    service = TestService(TestLog(tmp_path / "home"))
    scenario.prepare(service)
    scenario.act(service)
    assert settle(LOCAL, scenario, service).leaves == 4


# Torn files: what a power cut leaves where a disk lies about what it has synced


TORN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("how", TORN)
def test_a_torn_object_that_a_round_needs_halts_it_and_signs_nothing(
    log: TestLog, how: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ports, tap = log.init(), Tap()
    log.round(ports, 3)
    log.round(ports, 2)
    wait(ports, log.leaves(1))
    log.clock.time += 60
    needed = [path for path in read_by_a_round(log, tap, tmp_path_factory.mktemp("copy")) if path.exists()]
    assert {path.name for path in needed} >= {"head", "latest.json", "2", "5"}
    for path in needed:
        data = path.read_bytes()
        path.write_bytes(TORN[how](data))
        with pytest.raises((LogHaltedError, StoreError)) as refused:
            Sequencer(ports).run()
        assert path.name in refused.value.detail or "damaged" in refused.value.detail, path
        assert not (log.home / "private/signed/3").exists(), path
        path.write_bytes(data)
    assert Sequencer(ports).run().outcome == RoundOutcome.PUBLISHED
    assert len(audit(log.home / "registry", ORIGIN).entries) == 6


def read_by_a_round(log: TestLog, tap: Tap, folder: Path) -> list[Path]:
    """What a round reads that was there before, but views, which it makes anew; found in a copy."""
    shutil.copytree(log.home, folder / "home")
    copy = TestLog(folder / "home", HeldClock(log.clock.time))
    Sequencer(tapped(copy.ports(), tap, reads=True)).run()
    found = []
    for name in dict.fromkeys(tap.names):
        store, _, object_name = name.removesuffix(" read").partition(" ")
        looked_for = object_name.startswith("v1/proofs/inclusion/")  # whether they are there, that is all
        needed = is_immutable(object_name) or object_name == LATEST
        if name.endswith(" read") and (store == "private" or (needed and not looked_for)):
            found.append(log.home / ("private" if store == "private" else "registry") / object_name)
    return found
