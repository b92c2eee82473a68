"""Stores that were lost or came from a backup: the log never goes on beside what it has said before."""

import shutil
from pathlib import Path

import pytest

from issuer.errors import LogHaltedError
from issuer.log.store import LogPorts
from issuer.services.initialise import Initialiser
from issuer.services.sequence import RoundOutcome, Sequencer
from support.audit import audit
from support.log import ISSUER, ORIGIN, Crash, Tap, TestLog, copy_home, tapped

STORES = ("private", "registry")


def restore(log: TestLog, backup: Path, *folders: str) -> LogPorts:
    """Put these folders of a backup in the place of the home's."""
    for folder in folders:
        shutil.rmtree(log.home / folder)
        shutil.copytree(backup / folder, log.home / folder)
    return log.ports()


def grown(log: TestLog, backup: Path, rounds: int) -> None:
    """A log with a backup that is so many rounds old."""
    ports = log.init()
    log.round(ports, 2)
    copy_home(log.home, backup)
    for _ in range(rounds):
        log.round(ports, 1)
    log.clock.time += 60


@pytest.mark.parametrize("rounds", [2, 5])
def test_both_stores_from_a_backup_beside_a_newer_ledger_halt(
    log: TestLog, tmp_path_factory: pytest.TempPathFactory, rounds: int
) -> None:
    """Head and public face agree with each other: only the ledger knows what was signed since."""
    backup = tmp_path_factory.mktemp("backup") / "home"
    grown(log, backup, rounds)
    ports = restore(log, backup, *STORES)
    for run in (Sequencer(ports).run, lambda: Initialiser(ports).run([ISSUER.public])):
        with pytest.raises(LogHaltedError, match=f"the ledger has seen round {rounds + 1}, head is at 1"):
            run()
    assert not (log.home / "private/signed/2").exists()


def test_stores_that_are_empty_beside_a_ledger_that_knows_rounds_make_no_second_log(log: TestLog) -> None:
    log.round(log.init(), 1)
    for folder in STORES:
        shutil.rmtree(log.home / folder)
    ports = log.ports()
    for _ in range(2):
        with pytest.raises(LogHaltedError, match="A key never signs a second log"):
            Initialiser(ports).run([ISSUER.public])
    assert not list((log.home / "private").rglob("*"))
    with pytest.raises(LogHaltedError, match="no lost head is ever made anew"):
        Sequencer(ports).run()


def test_an_init_that_was_killed_before_head_goes_on(log: TestLog) -> None:
    """Its round is noted in the ledger already."""

    def stop(number: int, name: str) -> None:
        if name == "private head":
            raise Crash

    with pytest.raises(Crash):
        Initialiser(tapped(log.ports(), Tap(before=stop))).run([ISSUER.public])
    assert log.ports().ledger.noted_round() == 0
    log.init()
    assert len(audit(log.home / "registry", ORIGIN).checkpoints) == 1


def test_rounds_made_while_another_writer_looks_are_no_backup(log: TestLog) -> None:
    """Between a writer's look at the ledger and its look at head, and after both, others go on."""
    log.init()
    for stall in range(3):
        others = TestLog(log.home, log.clock, made=100 * (stall + 1))

        def go_on(number: int, name: str, stall: int = stall, others: TestLog = others) -> None:
            if number == stall:
                for _ in range(3):
                    others.round(others.ports(), 1)

        tap = Tap(before=go_on)
        report = Sequencer(tapped(log.ports(), tap, reads=True)).run()
        assert report.outcome in {RoundOutcome.NOT_DUE, RoundOutcome.LOST, RoundOutcome.PUBLISHED}
    assert len(audit(log.home / "registry", ORIGIN).entries) == 9
