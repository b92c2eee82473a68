"""Nothing survives its kit: seed, salts, names, hashes and metadata leave the ledger with the bytes."""

import base64
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from attestlayer.canonical import parse_json, take_members
from attestlayer.encoding import sha256
from attestlayer.kit.manifest import MANIFEST, parse_manifest
from attestlayer.reading.files import open_kit
from issuer.adapters.local.table import SqliteTable
from issuer.audit.findings import PrivateReason
from issuer.errors import Code, ServiceError, StoreError
from issuer.kits.names import delivered_object, record_object, sealed_object
from issuer.ledger.ledger import Ledger
from issuer.model import Answer, Packet, PacketState
from issuer.services.reconcile import Reconciler
from issuer.services.tidy import Tidier
from support.log import Crash, Tap, TestLog, tapped
from support.service import WORKSPACE, TestService, nonce_of
from support.tables import DictTable
from unit.issuer.homes import Home

DAY_S = 86_400
NAME = "Zahlungsauftrag Ünal-Kröger.txt"
BYTES = b"EUR 4711,08 to Kroeger\n"
FAKE = b"\x89PNG\r\n\x1a\n" + bytes(64)
REMARK = "remark-of-the-treasurer"


def needles(packet: Packet, kit: Path | None = None) -> dict[str, bytes]:
    """What must be gone, in each spelling that a row, a JSON text or a document may have."""
    (record,) = packet.records
    values = {"seed": packet.seed, "record hash": record.sha256}
    if kit is not None:
        with open_kit(kit) as opened:
            for each in parse_manifest(b"".join(opened.members[MANIFEST].chunks())).files:
                values[f"salt of {each.path}"] = each.salt
    found = {"bytes": BYTES, "remark": REMARK.encode(), "name": NAME.encode()}
    found["name in JSON"] = json.dumps(NAME).strip('"').encode()
    for what, value in values.items():
        text, plain = base64.urlsafe_b64encode(value), base64.b64encode(value)
        found |= {f"{what}, raw": value, f"{what}, hex": value.hex().encode()}
        found |= {f"{what}, base64url": text.rstrip(b"="), f"{what}, base64": plain.rstrip(b"=")}
    return found


def everything(log: TestLog) -> bytes:
    """Every byte of the ledger's files and of the private store."""
    files = [path for path in log.home.glob("ledger.sqlite*") if path.is_file()]
    files += [path for path in (log.home / "private").rglob("*") if path.is_file()]
    return b"\0".join(path.read_bytes() for path in files)


def survivors(log: TestLog, wanted: dict[str, bytes]) -> set[str]:
    data = everything(log)
    return {what for what, value in wanted.items() if value in data}


def tidy(service: TestService) -> int:
    ports = service.ports
    return Tidier(ports.public, ports.private, ports.ledger, ports.clock).run()


def packet_with_a_record(service: TestService, data: bytes = BYTES) -> Packet:
    packet = service.packet()
    record = service.packets.add_record(
        service.read(packet.packet_id),
        name=NAME,
        record_type="note",
        size=len(data),
        sha256=sha256(data),
        metadata={"remark": REMARK},
    )
    service.ports.private.create(record_object(packet.packet_id, record), data)
    return service.read(packet.packet_id)


def made_now(log: TestLog) -> None:
    for path in (log.home / "private").rglob("*"):
        os.utime(path, (log.clock.time, log.clock.time))


def check_books(service: TestService) -> None:
    ports = service.ports
    assert Reconciler(ports.ledger, ports.private, ports.public, ports.clock).run().findings == ()
    assert Home(service.log.home, ports).audit().findings == ()


@dataclass(frozen=True)
class Issued:
    """A packet that failed once, was issued and delivered, as it was before its kit was deleted."""

    service: TestService
    packet: Packet
    failed: Answer
    needles: dict[str, bytes]


@pytest.fixture
def issued(log: TestLog) -> Issued:
    service = TestService(log).start(2)
    packet = packet_with_a_record(service)
    # A failed attempt first: its report names the record, and the caller's key is bound to the answer.
    extra = service.announce(packet.packet_id, "seeming.pdf", FAKE)
    service.ports.private.create(record_object(packet.packet_id, extra), FAKE)
    failed = service.issue(service.read(packet.packet_id), "failing")
    assert failed.status == 200
    service.packets.remove_record(WORKSPACE, packet.packet_id, extra.record_id)
    assert service.issue(service.read(packet.packet_id), "key").status == 202
    service.round_and_deliver()
    packet = service.read(packet.packet_id)
    assert packet.issued and packet.state is PacketState.ISSUED
    return Issued(service, packet, failed, needles(packet, service.kit_path(packet.issued.kit_id)))


def test_after_its_retention_no_byte_of_a_kit_is_left_in_ledger_or_store(issued: Issued) -> None:
    service, log = issued.service, issued.service.log
    made_now(log)
    before = survivors(log, issued.needles)
    assert {"seed, base64url", "bytes", "name", "remark"} <= before, "the search itself finds them"
    assert any(what.startswith("salt of records/") for what in before)
    log.clock.time += 90 * DAY_S + 1
    tidy(service)
    assert survivors(log, issued.needles) == set()
    after = service.read(issued.packet.packet_id)
    assert (after.seed, after.records, after.deleted_at) == (b"", (), int(log.clock.time))
    assert after.issued == issued.packet.issued  # the receipt is the partner's proof, and names no record
    check_books(service)
    assert tidy(service) == 0


def test_a_younger_packet_keeps_its_own(issued: Issued) -> None:
    service, log = issued.service, issued.service.log
    log.clock.time += 80 * DAY_S
    other = service.packet(b"another client's\n")
    log.clock.time += 10 * DAY_S + 1
    tidy(service)
    kept = service.read(other.packet_id)
    assert (kept.seed, kept.records) == (other.seed, other.records)
    assert len(kept.seed) == 32


def test_the_answer_of_a_failed_attempt_is_replayed_with_its_report_until_the_records_go(
    log: TestLog,
) -> None:
    service = TestService(log).start(1)
    packet = service.packet()
    nonce = nonce_of("n")
    first = service.issue(packet, "failing", nonce)
    assert first.status == 200 and take_members(parse_json(first.body))["blocker_report"]
    assert service.issue(packet, "failing", nonce).body == first.body
    stored = service.ports.ledger.packet(packet.packet_id)
    assert stored and stored.attempts[0].report
    service.packets.withdraw(WORKSPACE, packet.packet_id)
    again = service.claim("failing", packet.packet_id.encode() + nonce)
    assert isinstance(again, Answer)
    left = take_members(parse_json(again.body))
    assert left == {**take_members(parse_json(first.body)), "blocker_report": None}


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda s, p: s.packets.withdraw(WORKSPACE, p.packet_id), id="withdrawn"),
        pytest.param(
            lambda s, p: s.packets.remove_record(WORKSPACE, p.packet_id, p.records[0].record_id), id="removed"
        ),
        pytest.param(lambda s, p: setattr(s.log.clock, "time", s.log.clock.time + 31 * DAY_S), id="expired"),
    ],
)
def test_the_data_of_a_record_goes_with_it(
    log: TestLog, end: Callable[[TestService, Packet], object]
) -> None:
    service = TestService(log).start()
    packet = packet_with_a_record(service)
    extra = service.announce(packet.packet_id, NAME + ".pdf", b"no PDF")
    service.ports.private.create(record_object(packet.packet_id, extra), b"no PDF")
    service.packets.check(WORKSPACE, packet.packet_id)
    made_now(log)
    wanted = needles(packet)
    service.packets.remove_record(WORKSPACE, packet.packet_id, extra.record_id)
    assert {"bytes", "name", "remark"} <= survivors(log, wanted)
    end(service, packet)
    tidy(service)
    gone = {what for what in wanted if not what.startswith("seed")}
    if service.read(packet.packet_id).state is PacketState.WITHDRAWN:
        gone = set(wanted)  # an open packet still needs its seed
    assert survivors(log, wanted) & gone == set()
    check_books(service)


def test_a_run_that_is_killed_at_any_write_is_finished_by_the_next(tmp_path: Path) -> None:
    writes = 0
    for stop in range(12):
        log = TestLog(tmp_path / str(stop))
        service = TestService(log).start(1)
        packet = packet_with_a_record(service)
        service.issue(packet)
        service.round_and_deliver()
        kit = service.read(packet.packet_id).issued
        assert kit
        wanted = needles(packet, service.kit_path(kit.kit_id))
        made_now(log)
        log.clock.time += 90 * DAY_S + 1

        def die(number: int, name: str, stop: int = stop) -> None:
            if number == stop:
                raise Crash

        ports, tap = service.ports, Tap(after=die)
        other = tapped(ports, tap)
        try:
            Tidier(other.public, other.private, other.ledger, ports.clock).run()
        except Crash:
            writes += 1
        tidy(service)
        assert survivors(log, wanted) == set(), stop
        check_books(service)
    assert writes > 3


def test_a_kit_never_goes_before_its_salts(issued: Issued) -> None:
    """The store's clock may be ahead of the ledger's: by its age alone the kit would go first."""
    service, log = issued.service, issued.service.log
    made_now(log)
    for path in (log.home / "private/kits").iterdir():
        os.utime(path, (0, 0))
    log.clock.time += 89 * DAY_S
    tidy(service)
    assert issued.packet.issued
    assert service.ports.private.exists(delivered_object(issued.packet.issued.kit_id))
    check_books(service)


def test_an_audit_finds_what_maintenance_left(issued: Issued) -> None:
    service, log = issued.service, issued.service.log
    log.clock.time += 90 * DAY_S + 1
    home = Home(log.home, service.ports)
    too_long = ("ledger", PrivateReason.KEPT_TOO_LONG)
    assert too_long not in {(each.object, each.reason) for each in home.audit().findings}
    log.clock.time += 2 * DAY_S
    assert too_long in {(each.object, each.reason) for each in home.audit().findings}
    kit = service.kit_path(issued.packet.issued.kit_id).read_bytes()  # type: ignore[union-attr]
    tidy(service)
    check_books(service)
    log.clock.time += 2 * DAY_S + 1
    name = delivered_object(issued.packet.issued.kit_id)  # type: ignore[union-attr]
    service.ports.private.create(name, kit)
    assert (name, PrivateReason.KEPT_TOO_LONG) in {
        (each.object, each.reason) for each in home.audit().findings
    }


# Sealed copies that were not accepted


def sealed_names(service: TestService) -> list[str]:
    return list(service.ports.private.list("sealed/"))


def test_a_sealed_copy_that_lost_a_race_is_deleted_at_once(log: TestLog) -> None:
    service = TestService(log).start(2)
    packet = service.packet(b"raced\n")
    other = service.packet(b"other\n")
    nonce = nonce_of("the same")

    def overtake() -> None:
        assert rival.issue(other, "rival", nonce).status == 202

    rival = service.again()
    slow = service.again(renderer=replace(service.renderer, then=overtake))  # type: ignore[type-var]
    with pytest.raises(ServiceError) as refused:
        slow.issue(packet, "slow", nonce)
    assert refused.value.code is Code.NONCE_USED
    winner = service.read(other.packet_id).issued
    assert winner and sealed_names(service) == [sealed_object(winner.kit_digest)]


@pytest.mark.parametrize("stored", [False, True], ids=["not stored", "stored"])
def test_after_a_lost_answer_the_sealed_copy_stays_until_maintenance_has_read_the_ledger(
    log: TestLog, stored: bool
) -> None:
    service = TestService(log).start(1)
    packet = service.packet(b"lost\n")

    def lose(number: int, name: str) -> None:
        if name == "ledger accept":
            raise StoreError("the answer was lost")

    tap = Tap(after=lose) if stored else Tap(before=lose)
    with pytest.raises(StoreError):
        service.again(tap=tap).issue(packet)
    assert len(sealed_names(service)) == 1, "never in the same call"
    made_now(log)
    log.clock.time += 3600
    tidy(service)
    assert len(sealed_names(service)) == 1
    log.clock.time += 1
    tidy(service)
    assert len(sealed_names(service)) == int(stored)


@pytest.mark.parametrize("keeper", ["packet", "leaf", "claim"])
@pytest.mark.parametrize("table", [DictTable, "sqlite"], ids=str)
def test_a_digest_that_only_one_kind_of_item_names_is_named(
    log: TestLog, tmp_path: Path, keeper: str, table: object
) -> None:
    service = TestService(log).start(1)
    packet = service.packet(b"named\n")
    service.issue(packet)
    issued = service.read(packet.packet_id).issued
    assert issued
    kind = {"packet": "packet#", "leaf": "leaves#", "claim": "claim#"}[keeper]
    items = [item for item in service.ports.ledger.table.scan() if item.key.pk.startswith(kind)]
    other = DictTable() if table is DictTable else SqliteTable(tmp_path / "other.sqlite")
    other.transact(lambda reader: (None, {item.key: item.body for item in items}))
    ledger = Ledger(other)
    assert ledger.naming([issued.kit_digest, bytes(32)]) == {issued.kit_digest}
    assert ledger.naming([bytes(32)]) == set()


def test_two_issuers_of_one_packet_leave_one_sealed_copy(log: TestLog) -> None:
    service = TestService(log).start(2)
    packet = service.packet(b"both\n")
    barrier = threading.Barrier(2)

    def run(number: int) -> None:
        mine = service.again()
        barrier.wait()
        try:
            mine.issue(packet, f"key {number}", nonce_of(str(number)))
        except ServiceError as error:
            assert error.code in {Code.CHANGED_MEANWHILE, Code.WRONG_STATE}

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winner = service.read(packet.packet_id).issued
    assert winner and sealed_names(service) == [sealed_object(winner.kit_digest)]
