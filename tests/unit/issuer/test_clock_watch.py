"""One wrong clock reading ends no log: no round without a second clock that agrees, and audits see one."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from attestlayer.audit.auditor import audit
from attestlayer.cli.main import main as attestlayer
from attestlayer.encoding import format_time
from attestlayer.log import layout
from attestlayer.reading.registry import FolderRegistry
from issuer.bootstrap import home as homes
from issuer.cli.main import main
from issuer.errors import ClockRefusedError
from issuer.log.face import read_latest
from issuer.log.store import LogPorts
from issuer.log.watch import ClockWatch
from issuer.services.sequence import RoundOutcome, Sequencer
from support.log import START, Crash, HeldClock, Tap, TestLog, tapped

DAY = 86_400
TEN_YEARS = 3650 * DAY


def watched(log: TestLog) -> LogPorts:
    """The ports of one process in a home, as the service makes them."""
    return replace(log.ports(), watch=ClockWatch(log.clock))


def newest(log: TestLog) -> int:
    latest = read_latest(log.ports().public)
    assert latest is not None
    return latest.timestamp


@dataclass
class Operator:
    """Runs `issuer` on one home, each time as a process of its own, by a clock that the test holds."""

    home: Path
    clock: HeldClock
    capture: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def __call__(self, command: str, *more: str) -> int:
        code = main([command, "--home", str(self.home), *more])
        self.out, self.err = self.capture.readouterr()
        return code

    def now(self) -> str:
        return format_time(int(self.clock.now()))

    def sequence_number(self) -> int:
        return int(self.out.split("checkpoint ")[1].split(",")[0])


@pytest.fixture
def operator(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operator:
    clock = HeldClock()
    monkeypatch.setattr(homes, "SystemClock", lambda: clock)
    made = Operator(tmp_path / "home", clock, capsys)
    assert made("init") == 0
    return made


def test_a_clock_that_is_ten_years_ahead_makes_no_round_and_the_right_one_goes_on(operator: Operator) -> None:
    operator.clock.time += 60
    operator.clock.ahead = TEN_YEARS
    for _ in range(3):  # cron tries again each minute: each is a process of its own
        operator.clock.time += 60
        assert operator("sequence") == 2
        assert "3650 days after the newest round" in operator.err
        assert f"issuer sequence --now {operator.now()}" in operator.err
    operator.clock.ahead = 0
    assert operator("sequence") == 0
    assert operator.out.startswith("published: checkpoint 1,")
    assert operator("audit") == 0


def test_a_home_that_stood_still_for_days_goes_on_with_the_operators_word(operator: Operator) -> None:
    operator.clock.time += DAY + 61
    assert operator("sequence") == 2
    other = format_time(int(operator.clock.time) + 301)
    assert operator("sequence", "--now", other) == 2
    assert other in operator.err and "differ" in operator.err
    assert operator("sequence", "--now", operator.now()) == 0
    assert operator.sequence_number() == 1
    operator.clock.time += DAY - 60
    assert operator("sequence") == 0, operator.err


def test_a_time_that_is_none_is_a_usage_error(operator: Operator) -> None:
    with pytest.raises(SystemExit) as ended:
        operator("sequence", "--now", "today")
    assert ended.value.code == 64


def test_the_operators_word_does_not_sign_a_clock_that_is_ahead(operator: Operator) -> None:
    operator.clock.time += 3 * DAY
    right = operator.now()
    operator.clock.ahead = TEN_YEARS
    assert operator("sequence", "--now", right) == 2
    operator.clock.ahead = 0
    assert operator("sequence", "--now", right) == 0


def test_a_running_process_skips_an_attempt_after_a_jump_and_takes_it_for_its_reference(log: TestLog) -> None:
    log.init()
    ports = watched(log)
    assert log.round(ports).outcome is RoundOutcome.PUBLISHED
    log.clock.time += 60
    log.clock.ahead = 3600
    with pytest.raises(ClockRefusedError, match="jumped since the last attempt"):
        Sequencer(ports).run()
    log.clock.ahead = 0  # the reading was wrong once: the next attempt differs again, the one after does not
    with pytest.raises(ClockRefusedError):
        Sequencer(ports).run()
    assert Sequencer(ports).run().outcome is RoundOutcome.PUBLISHED
    assert newest(log) == START + 120


def test_a_machine_that_slept_goes_on_with_the_second_attempt(log: TestLog) -> None:
    log.init()
    ports = watched(log)
    log.round(ports)
    log.clock.ahead = 3 * DAY  # the monotonic clock stood still meanwhile
    with pytest.raises(ClockRefusedError):
        log.round(ports)
    log.clock.time += 5
    assert Sequencer(ports).run().outcome is RoundOutcome.PUBLISHED
    assert newest(log) == START + 3 * DAY + 120


@pytest.mark.parametrize(("days", "goes_on"), [(2, True), (30, True), (32, False), (3650, False)])
def test_a_process_that_starts_after_days_waits_for_a_second_attempt_and_after_a_month_for_the_operator(
    log: TestLog, days: int, goes_on: bool
) -> None:
    log.init()
    log.clock.time += days * DAY
    ports = watched(log)
    for attempt in range(3):
        log.clock.time += 60
        if goes_on and attempt:
            assert Sequencer(ports).run().outcome is RoundOutcome.PUBLISHED
        else:
            with pytest.raises(ClockRefusedError, match=f"{days} days"):
                Sequencer(ports).run()
    assert (newest(log) > START) == goes_on


@pytest.mark.parametrize("ahead", [-TEN_YEARS, -6, 6, TEN_YEARS])
def test_a_clock_that_jumps_within_a_round_signs_nothing(log: TestLog, ahead: int) -> None:
    log.init()
    ports = watched(log)
    log.clock.time += 60

    def jump(number: int, name: str) -> None:
        if name == "private head":
            log.clock.ahead = ahead

    with pytest.raises(ClockRefusedError, match="during the round"):
        Sequencer(tapped(ports, Tap(after=jump))).run()
    assert log.ports().private.read("signed/1") is None
    log.clock.ahead = 0
    log.clock.time += 60
    Sequencer(watched(log)).run()  # signs what was committed, with the time of now
    assert newest(log) == START + 120
    assert audit(FolderRegistry(log.home / "registry"), now=int(log.clock.now())).findings == ()


def test_a_round_that_was_left_unsigned_is_not_finished_by_a_wrong_clock(log: TestLog) -> None:
    log.init()

    def die(number: int, name: str) -> None:
        if name == "private head":
            raise Crash

    log.clock.time += 60
    with pytest.raises(Crash):
        Sequencer(tapped(watched(log), Tap(after=die))).run()
    log.clock.ahead = TEN_YEARS
    with pytest.raises(ClockRefusedError):
        Sequencer(watched(log)).run()
    with pytest.raises(ClockRefusedError):
        replaced = replace(log, opened_by=lambda *given: watched(log))
        replaced.init()
    assert log.ports().private.read("signed/1") is None
    log.clock.ahead = 0
    Sequencer(watched(log)).run()
    assert newest(log) == START + 60


def audited(log: TestLog, at: int) -> list[tuple[str, str]]:
    found = audit(FolderRegistry(log.home / "registry"), now=at).findings
    return [(each.object, each.reason.value) for each in found]


def test_an_audit_names_a_checkpoint_from_the_future(
    log: TestLog, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = log.init()
    log.clock.time += TEN_YEARS
    assert log.round(ports).outcome is RoundOutcome.PUBLISHED  # no second clock: as it was before
    now = START + 120
    assert audited(log, now) == [(layout.LATEST, "from-the-future")]
    place = str(log.home / "registry")
    assert attestlayer(["audit", place], clock=lambda: now) == 3
    assert "from-the-future: v1/checkpoints/latest.json" in capsys.readouterr().out
    then = format_time(newest(log))
    assert attestlayer(["audit", place, "--at", then], clock=lambda: now) == 0
    assert attestlayer(["audit", place, "--at", "then"], clock=lambda: now) == 64


@pytest.mark.parametrize(
    ("cadence_s", "age", "word"),
    [
        (60, -301, "from-the-future"),
        (60, -300, None),
        (60, 180, None),
        (60, 181, "stands-still"),
        (240, 720, None),
        (240, 721, "stands-still"),
        (1, 180, None),
        (1, 181, "stands-still"),
    ],
)
def test_an_audit_judges_the_newest_checkpoints_age_by_the_cadence(
    tmp_path: Path, cadence_s: int, age: int, word: str | None
) -> None:
    log = TestLog(tmp_path, cadence_s=cadence_s)
    log.round(log.init())
    found = audited(log, newest(log) + age)
    assert found == ([(layout.LATEST, word)] if word else [])


def test_the_operators_audit_compares_with_the_clock_or_the_stated_time(operator: Operator) -> None:
    made = operator.now()
    operator.clock.time += DAY
    assert operator("audit") == 3
    assert "registry: stands-still v1/checkpoints/latest.json" in operator.out
    assert operator("audit", "--at", made) == 0
    operator.clock.time -= 2 * DAY
    assert operator("audit") == 3
    assert "registry: from-the-future v1/checkpoints/latest.json" in operator.out
