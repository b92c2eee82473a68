"""Every write of a round fails once, before it was done and after; then the log goes on and is audited."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from attestlayer.encoding import format_hash
from issuer.errors import StoreError
from issuer.log.store import LogPorts
from issuer.services.initialise import Initialiser
from issuer.services.sequence import Sequencer
from support.audit import Audit, audit
from support.log import ISSUER, ORIGIN, Crash, Failure, Tap, TestLog, copy_home, failures, queue, tapped, wait
from support.thorough import sampled

Act = Callable[[LogPorts], object]


def first(log: TestLog) -> None:
    """Nothing is there yet."""


def due(log: TestLog) -> None:
    """A round is due: 2 leaves on top of 3, one of them too late, and a withdrawal."""
    ports = log.init()
    log.round(ports, 3)
    wait(ports, log.leaves(1))
    log.clock.time += 661
    wait(ports, log.leaves(1, int(log.clock.time) - 5))
    withdrawn = format_hash(log.leaves(1)[0].hash())
    queue(ports, "kit.withdrawn", {"leaf_hash": withdrawn, "reason": "issued-in-error"})


def full(log: TestLog) -> None:
    """A round is due that fills a tile and begins another."""
    ports = log.init()
    log.round(ports, 254)
    wait(ports, log.leaves(4))
    log.clock.time += 60


def fills(log: TestLog) -> None:
    """A round is due that fills a bundle of checkpoints, with the log's first leaf."""
    ports = log.init()
    for _ in range(254):
        log.round(ports)
    wait(ports, log.leaves(1))
    log.clock.time += 60


def initialise(ports: LogPorts) -> object:
    return Initialiser(ports).run([ISSUER.public])


def sequence(ports: LogPorts) -> object:
    return Sequencer(ports).run()


CASES: dict[str, tuple[Callable[[TestLog], None], Act]] = {
    "init": (first, initialise),
    "round": (due, sequence),
    "round over a tile's end": (full, sequence),
    "round that fills a bundle": (fills, sequence),
}
ENOUGH = {"init": 10, "round": 20, "round over a tile's end": 20, "round that fills a bundle": 9}
"""At least so many writes the sweep must have met, or it tests nothing."""

PARTS = 3
"""The failures, dealt out: each write has four, or two."""


def settle(log: TestLog, act: Act) -> Audit:
    """Run again as another process would, a minute later too, and audit all."""
    ports = log.ports()
    act(ports)
    for _ in range(2):
        log.clock.time += log.cadence_s
        Sequencer(ports).run()
    assert ports.ledger.queued_notices() == ()
    return audit(log.home / "registry", ORIGIN)


def returned(log: TestLog) -> int:
    return log.ports().ledger.balance("ws_test")


@pytest.mark.parametrize("part", sampled(range(PARTS), PARTS))
@pytest.mark.parametrize("case", CASES)
def test_a_write_that_fails_leaves_a_log_that_goes_on(case: str, tmp_path: Path, part: int) -> None:
    prepare, act = CASES[case]
    made = TestLog(tmp_path / "made")
    prepare(made)

    def copy(name: str) -> TestLog:
        if (made.home).exists():
            copy_home(made.home, tmp_path / name)
        log = TestLog(tmp_path / name)
        log.clock.time = made.clock.time
        return log

    whole, tap = copy("whole"), Tap()
    act(tapped(whole.ports(), tap))
    wanted = settle(whole, act)
    assert len(tap.names) >= ENOUGH[case], tap.names
    # A crash is an error that nothing handles: where a case is slow, it is enough.
    errors = (StoreError, Crash) if case in {"init", "round"} else (Crash,)
    for failure in failures(len(tap.names), errors)[part::PARTS]:
        log = copy("failed")
        failing = failure.tap()
        with suppress(StoreError, Crash):
            act(tapped(log.ports(), failing))
        assert len(failing.names) > failure.at
        found = settle(log, act)
        assert found.entries == wanted.entries, failure
        assert [n["data"] for n in found.notices] == [n["data"] for n in wanted.notices], failure
        assert returned(log) == returned(whole), failure
        shutil.rmtree(log.home)


def test_a_log_where_every_write_in_turn_fails_once_still_comes_through(log: TestLog) -> None:
    """The next failure meets the recovery from the one before."""
    log.init()
    at = 0
    for _ in range(60):
        wait(log.ports(), log.leaves(1))
        log.clock.time += 60
        try:
            Sequencer(tapped(log.ports(), Failure(at, True, Crash).tap())).run()
            at = 0
        except Crash:
            at += 1
    for _ in range(2):
        log.clock.time += 60
        Sequencer(log.ports()).run()
    assert len(audit(log.home / "registry", ORIGIN).entries) == 60
