"""Many processes on one home: no fork, no lost leaf, no leaf twice; the public face never goes back."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydantic_core
import pytest

from fault.promises import bring_to_rest, check_kept
from fault.service_process import with_small_policy, workspace_of
from issuer.services.sequence import Sequencer
from support.audit import audit
from support.backends import BACKENDS, SHARED, Backend
from support.log import ORIGIN, HeldClock, Tap, TestLog, at_write, tapped, wait
from support.thorough import sampled, thorough

HERE = Path(__file__).parent
FEW, MANY = (4, 2, 5), (16, 4, 15)
"""Writers, issuers, and the kits of each issuer: what a race needs, and more."""
BOUND_S = 120


@contextmanager
def racers(
    backend: Backend, home: Path, *works: tuple[str, int], kits: int = 0
) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that wait for `go`."""
    backend.registry(home)  # what it needs to run is started once, or missed, here and in no racer
    paths = os.pathsep.join(str(HERE.parent.parent / part) for part in ("functions", "tests"))
    running = [
        subprocess.Popen(
            [sys.executable, str(HERE / "racer.py"), backend.name, str(home), work, str(number), str(kits)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},  # noqa: TID251
        )
        for work, number in works
    ]
    try:
        for process in running:
            assert process.stdout
            assert process.stdout.readline() == "ready\n", process.communicate()
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def outcome(process: "subprocess.Popen[str]") -> tuple[list[str], dict[str, Any]]:
    """What a racer said: its lines, then its counts."""
    said, errors = process.communicate(timeout=BOUND_S)
    assert process.returncode == 0, errors[-3000:]
    *lines, counts = said.splitlines()
    return lines, pydantic_core.from_json(counts)


@pytest.mark.parametrize("racing", [FEW, thorough(MANY)], ids=["few", "many"])
@pytest.mark.parametrize("backend", SHARED, ids=str)
def test_many_writers_and_issuers_make_one_log(
    backend: Backend, racing: tuple[int, int, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert backend.service
    service = with_small_policy(backend.service(home))
    workspace_id = workspace_of(service)
    *many, kits = racing
    sequencers, issuers = (max(2, each // backend.share) for each in many)
    works = [("issue", n) for n in range(issuers)] + [("watch", 0)]
    works += [("sequence", n) for n in range(sequencers)]
    begun = time.monotonic()
    with racers(backend, home, *works, kits=kits) as running:
        (tmp_path / "go").touch()
        said = [outcome(process) for process in running[:issuers]]
        bring_to_rest(service)
        (tmp_path / "stop").touch()
        counts = [outcome(process)[1] for process in running[issuers:]]
    watched, rounds = counts[0], counts[1:]
    accepted = dict(line.split()[1:] for lines, _ in said for line in lines if line.startswith("accepted "))
    assert len(accepted) == issuers * kits
    kept = check_kept(service, backend.registry(home), workspace_id, accepted)
    assert kept.leaves == issuers * kits
    assert watched["polls"] > watched["changes"] > 0
    sums = {name: sum(each[name] for each in rounds) for name in rounds[0]}
    assert sums["published"] > 0
    with capsys.disabled():
        print(f"\n{sequencers} writers: {sums}; watcher: {watched}; {kept}; {time.monotonic() - begun:.0f} s")


@pytest.mark.parametrize("backend", sampled(SHARED, len(SHARED)), ids=str)
def test_services_that_initialise_the_same_home_at_once_make_one_log(
    backend: Backend, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    assert backend.service
    with racers(backend, home, *(("init", number) for number in range(4))) as running:
        (tmp_path / "go").touch()
        counts = [outcome(process)[1] for process in running]
    service = backend.service(home)
    keys = sorted([*service.log.signers, *service.issuer.signers])
    assert [each["keys"] for each in counts] == [keys] * 4
    service.clock.sleep(1)
    service.sequencer.run()
    found = audit(backend.registry(home), ORIGIN)
    assert found.entries == []
    added = [each["data"]["jwk"]["kid"] for each in found.notices if each["type"] == "key.added"]
    assert sorted(added) == keys


@pytest.mark.parametrize("asleep_s", [thorough(120), 86_400])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_a_writer_that_wakes_up_long_after_spoils_nothing(
    backend: Backend, tmp_path: Path, asleep_s: int
) -> None:
    """It stalls before each of its writes in turn; meanwhile the log goes on, with all its clocks."""
    made = TestLog(tmp_path / "made", opened_by=backend.open)
    wait(made.init(), made.leaves(2))
    made.clock.time += 60
    tap = Tap()
    backend.copy(made.home, tmp_path / "whole")
    whole = TestLog(tmp_path / "whole", HeldClock(made.clock.time), opened_by=backend.open)
    Sequencer(tapped(whole.ports(), tap)).run()
    assert len(tap.names) > 10
    for stall in range(0, len(tap.names), backend.share):
        backend.copy(made.home, tmp_path / str(stall))
        log = TestLog(tmp_path / str(stall), HeldClock(made.clock.time), made=10, opened_by=backend.open)

        def others_go_on(log: TestLog = log) -> None:
            ports = log.ports()
            Sequencer(ports).run()
            log.round(ports, 1)
            log.clock.time += asleep_s
            log.round(ports, 1)

        Sequencer(tapped(log.ports(), at_write(stall, others_go_on))).run()
        log.round(log.ports(), 1)
        log.round(log.ports())
        assert len(audit(backend.registry(log.home), ORIGIN).entries) == 5
