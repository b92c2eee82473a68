"""Two writers of one log, of which one stalls before any of its reads and writes: no fork, no way back."""

import threading
from pathlib import Path

import pytest

from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from issuer.errors import ServiceError
from issuer.ports import ObjectStore
from issuer.services.initialise import Initialiser
from issuer.services.sequence import RoundOutcome, Sequencer
from support.audit import audit
from support.backends import BACKENDS, Backend
from support.log import ISSUER, ORIGIN, HeldClock, Tap, TestLog, at_write, queue, tapped, wait
from support.thorough import sampled

PARTS = 4
"""The steps of a round, dealt out."""


def prepared(backend: Backend, home: Path) -> TestLog:
    """A log with a round due: three leaves on top of three, and a notice."""
    log = TestLog(home, opened_by=backend.open)
    ports = log.init()
    log.round(ports, 3)
    wait(ports, log.leaves(3))
    queue(ports, "kit.superseded", {"leaf_hash": "A" * 43, "by": "A" * 43})
    log.clock.time += 60
    return log


def public_sequence(public: ObjectStore) -> int:
    return parse_checkpoint(public.read(layout.LATEST) or b"").sequence


def steps_of_a_round(backend: Backend, home: Path) -> list[str]:
    log, tap = prepared(backend, home), Tap()
    Sequencer(tapped(log.ports(), tap, reads=True)).run()
    return tap.names


@pytest.mark.parametrize("part", sampled(range(PARTS), PARTS))
@pytest.mark.parametrize("rounds", [1, 3])
@pytest.mark.parametrize("clock", ["same", "later"])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_writer_that_stalls_before_a_step_spoils_nothing(
    backend: Backend, tmp_path: Path, rounds: int, clock: str, part: int
) -> None:
    names = steps_of_a_round(backend, tmp_path / "first")
    prepared(backend, tmp_path / "prepared")
    assert len(names) > 40
    for stall in range(part * backend.share, len(names), PARTS * backend.share):
        home, now = tmp_path / str(stall), prepared_time()
        backend.copy(tmp_path / "prepared", home)
        log = TestLog(home, HeldClock(now), made=6, opened_by=backend.open)
        later = 30 if clock == "later" else 0
        others = TestLog(home, HeldClock(now + later), made=100, opened_by=backend.open)
        stall_before(stall, log, others, rounds)
        found = audit(backend.registry(home), ORIGIN)
        assert len(found.entries) == 6 + rounds
        assert len(found.notices) == 3


def stall_before(stall: int, log: TestLog, others: TestLog, rounds: int) -> None:
    """One writer stalls before step number `stall`; another, by a clock of its own, makes rounds."""
    seen: list[int] = []
    public = others.ports().public

    def overtake(number: int, name: str) -> None:
        if number == stall:
            Sequencer(others.ports()).run()
            for _ in range(rounds - 1):
                others.round(others.ports(), 1)
            seen.append(public_sequence(public))
        elif seen:  # the public face never goes back, whatever the stalled one still writes
            assert public_sequence(public) >= seen[-1]

    outcome = Sequencer(tapped(log.ports(), Tap(before=overtake), reads=True)).run().outcome
    assert outcome in ({RoundOutcome.NOT_DUE} if stall == 0 else {RoundOutcome.PUBLISHED, RoundOutcome.LOST})
    assert seen
    assert public_sequence(public) >= seen[-1]
    others.round(others.ports(), 1)
    others.round(others.ports())


def prepared_time() -> float:
    return HeldClock().time + 120


def test_inits_of_which_one_stalls_make_one_genesis(tmp_path: Path) -> None:
    tap = Tap()
    Initialiser(tapped(TestLog(tmp_path / "first").ports(), tap, reads=True)).run([ISSUER.public])
    for stall in range(len(tap.names)):
        log = TestLog(tmp_path / str(stall))
        stalled = at_write(stall, TestLog(log.home, HeldClock(log.clock.time + 300)).init_and_grow)
        Initialiser(tapped(log.ports(), stalled, reads=True)).run([ISSUER.public])
        assert len(audit(log.home / "registry", ORIGIN).checkpoints) == 2


def test_writers_at_once_in_threads_make_one_chain(tmp_path: Path) -> None:
    log = TestLog(tmp_path)
    wait(log.init(), log.leaves(40))
    failures: list[BaseException] = []

    def work(number: int) -> None:
        mine = TestLog(tmp_path, HeldClock(log.clock.time + 7 * number))
        ports = mine.ports()
        for _ in range(6):
            mine.clock.time += 60
            try:
                Sequencer(ports).run()
            except ServiceError as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = audit(tmp_path / "registry", ORIGIN)
    assert len(found.entries) == 40
    assert 2 <= len(found.checkpoints) <= 30
