"""The daily maintenance: what is superseded goes, the books are looked at; no round misses anything."""

import io
import os
import threading
from pathlib import Path

import pytest

from attestlayer.verify.report import Verdict
from issuer.adapters.system import SystemClock
from issuer.errors import LogHaltedError
from issuer.kits.names import delivered_object, sealed_object
from issuer.local.schedule import Maintenance
from issuer.log.store import LogPorts
from issuer.services.reconcile import Reconciler
from issuer.services.sequence import Sequencer
from issuer.services.tidy import Tidier
from support.audit import audit
from support.log import ORIGIN, Crash, Tap, TestLog, tapped, wait
from support.service import TestService
from unit.issuer.homes import Home


def tidied(ports: LogPorts) -> int:
    return Tidier(ports.public, ports.private, ports.ledger, ports.clock).run()


def private_names(log: TestLog) -> set[str]:
    root = log.home / "private"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def crash_after(log: TestLog, ports: LogPorts, name: str) -> None:
    """A round that ends once it has written `name`."""

    def stop(number: int, found: str) -> None:
        if found.startswith(name):
            raise Crash

    log.clock.time += 60
    with pytest.raises(Crash):
        Sequencer(tapped(ports, Tap(after=stop))).run()


def test_what_a_killed_writer_left_behind_goes(log: TestLog) -> None:
    ports = log.init()
    crash_after(log, ports, "public v1/checkpoints/latest.json")  # genesis' batch was not dropped
    for number in range(3):
        ports.private.create(f"batch/{number}-{number:064x}", b"of a writer that lost a race")
    for _ in range(4):
        log.round(ports, 1)
    left = {"batch/0", "batch/1", "batch/2", "batch/5"}
    assert {name.partition("-")[0] for name in private_names(log) if name[0] == "b"} == left
    assert tidied(ports) == 4
    assert {name.partition("-")[0] for name in private_names(log) if name[0] == "b"} == {"batch/5"}
    assert tidied(ports) == 0


@pytest.mark.parametrize("name", ["private batch/", "private head", "private signed/"])
def test_an_open_round_keeps_what_it_needs(log: TestLog, name: str) -> None:
    ports = log.init()
    log.round(ports, 2)
    wait(ports, log.leaves(1))
    crash_after(log, ports, name)
    before = private_names(log)
    assert tidied(ports) == 0
    assert private_names(log) == before
    log.round(ports)
    assert len(audit(log.home / "registry", ORIGIN).entries) == 3


def test_what_has_another_name_is_left_alone(log: TestLog) -> None:
    ports = log.init()
    for name in ("batch/0-short", "batch/x", "batch/-1"):
        ports.private.create(name, b"?")
    for _ in range(3):
        log.round(ports)
    tidied(ports)
    assert private_names(log) >= {"batch/0-short", "batch/x", "batch/-1", "signed/0"}


DAY_S = 86_400


def made_now(log: TestLog) -> None:
    """Gives every private file the held clock's time."""
    for name in private_names(log):
        os.utime(log.home / "private" / name, (log.clock.time, log.clock.time))


def of_packets(log: TestLog) -> list[str]:
    """What is there, by its folder's name."""
    folders = [name.partition("/")[0] for name in private_names(log)]
    return sorted(name for name in folders if name in ("records", "sealed", "kits"))


def check_books(service: TestService) -> None:
    ports = service.ports
    assert Reconciler(ports.ledger, ports.private, ports.public, ports.clock).run().findings == ()
    assert Home(service.log.home, ports).audit().findings == ()


def test_records_and_kits_go_when_their_days_are_over_and_no_audit_misses_them(log: TestLog) -> None:
    service = TestService(log).start(1)
    service.issue(service.packet(b"delivered"))
    service.packet(b"never issued")
    service.round_and_deliver()
    service.ports.private.create(f"sealed/{'0' * 64}.zip", b"of a try that was dropped")
    made_now(log)
    start, whole = log.clock.time, ["kits", "records", "records", "sealed", "sealed"]
    assert of_packets(log) == whole
    for days, wanted in (
        (30, ["kits", "records", "sealed"]),  # the other record was announced a minute before
        (31, ["kits", "sealed"]),
        (90, ["kits", "sealed"]),
    ):
        log.clock.time = start + days * DAY_S
        tidied(service.ports)
        assert of_packets(log) == wanted, days
    check_books(service)
    log.clock.time = start + 90 * DAY_S + 1
    assert tidied(service.ports) == 3  # the record's object too, which was gone
    assert of_packets(log) == []
    check_books(service)


def test_a_dropped_sealed_kit_goes(log: TestLog) -> None:
    service = TestService(log).start()
    service.ports.private.create(f"sealed/{'0' * 64}.zip", b"of a try that was dropped")
    made_now(log)
    log.clock.time += 3600
    assert tidied(service.ports) == 0
    log.clock.time += 1
    assert tidied(service.ports) == 1


def test_a_sealed_kit_stays_for_as_long_as_its_leaf_waits(log: TestLog) -> None:
    service = TestService(log).start(1)
    packet = service.packet(b"waiting")
    service.issue(packet)
    made_now(log)
    log.clock.time += 400 * DAY_S
    assert tidied(service.ports) == 1
    assert of_packets(log) == ["sealed"]
    service.round()
    assert service.round_and_deliver().failed == ()
    assert service.explained(packet).verdict is Verdict.VERIFIED
    assert tidied(service.ports) == 0  # both are kept from the delivery on
    log.clock.time += 90 * DAY_S + 1
    assert tidied(service.ports) == 3  # the record's object too, which was gone
    assert of_packets(log) == []
    check_books(service)


def test_a_kit_that_is_gone_before_its_days_are_over_is_found(log: TestLog) -> None:
    service = TestService(log).start(1)
    packet = service.packet(b"delivered")
    service.issue(packet)
    service.round_and_deliver()
    issued = service.read(packet.packet_id).issued
    assert issued
    for name in (delivered_object(issued.kit_id), sealed_object(issued.kit_digest)):
        service.ports.private.delete(name)
    log.clock.time += 89 * DAY_S - 60
    ports = service.ports
    found = Reconciler(ports.ledger, ports.private, ports.public, ports.clock).run(opened_since=2**40)
    assert [each.reason for each in found.findings] == ["kit-missing"]
    missing = [each.object for each in Home(log.home, ports).audit().findings]
    assert missing == [sealed_object(issued.kit_digest)]


def test_a_tidier_beside_a_writer_at_any_of_its_steps_spoils_nothing(tmp_path: Path) -> None:
    log = TestLog(tmp_path)
    ports = log.init()
    for stall in range(60):
        log.clock.time += 60
        wait(ports, log.leaves(1))

        def tidy(number: int, name: str, stall: int = stall) -> None:
            if number == stall:
                tidied(ports)

        Sequencer(tapped(log.ports(), Tap(before=tidy), reads=True)).run()
    assert len(audit(log.home / "registry", ORIGIN).entries) == 60


def told(*answers: dict[str, object] | Exception) -> list[str]:
    """What the thread tells of runs that answer, or raise, this."""
    out, done, left = io.StringIO(), threading.Event(), list(answers)

    def handler(event: object, context: object) -> dict[str, object]:
        found = left.pop(0)
        if not left:
            done.set()
        if isinstance(found, Exception):
            raise found
        return found

    maintenance = Maintenance(SystemClock(), out=out, handler=handler, pauses_s=(0.0, 0.0))
    maintenance.start()
    assert done.wait(20)
    maintenance.close()
    maintenance._thread.join(20)
    return [line.partition("  ")[2] for line in out.getvalue().splitlines()]


def test_a_run_is_told_in_a_line_and_a_failure_ends_nothing() -> None:
    clean: dict[str, object] = {"partials": 3, "objects": 1, "findings": [], "notes": 2, "failed": []}
    found = clean | {"findings": [["debit-without-leaf", "leaf", "lost"]]}
    cut = clean | {"failed": [["collect", "a tile is missing"]]}
    lines = told(clean, ZeroDivisionError("x"), LogHaltedError("halted"), found, cut)
    assert lines[0] == (
        "maintenance: 3 partial and 1 private objects deleted; ledger against log: 0 findings, 2 notes"
    )
    assert lines[1] == "maintenance failed: ZeroDivisionError: x"
    assert lines[2] == "maintenance failed: LogHaltedError: halted"
    assert lines[4] == "FINDING debit-without-leaf leaf: lost"
    assert lines[6] == "maintenance failed, collect: a tile is missing"
