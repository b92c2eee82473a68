"""The operator's audit: what is whole is silent; whatever is done to private state has its word."""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.encoding import format_time
from issuer.audit.findings import NOTES, AuditPorts, PrivateReason
from issuer.errors import Code, LogHaltedError, ServiceError
from issuer.kits.names import delivered_object, record_object, sealed_object
from issuer.ledger.books import BOOKS
from issuer.ledger.keys import ROUNDS, books_key, packet_key
from issuer.ledger.rows import NUMBERS
from issuer.log.collected import COLLECTED
from issuer.log.state import HEAD, parse_head
from issuer.model import Packet, PacketState, QueuedNotice
from issuer.ports import Signer
from issuer.services.audit import Auditor
from issuer.services.sequence import Sequencer
from support.log import ISSUER, Crash, SeedSigner, Tap, TestLog, queue, tapped, wait
from support.service import WORKSPACE
from support.tables import overwrite
from support.thorough import thorough
from unit.issuer.homes import LAST, Home, copied, make_home

Made = tuple[Path, float]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        folder = tmp_path_factory.mktemp("made") / "home"
        yield folder, make_home(folder)


@pytest.fixture
def home(made: Made, tmp_path: Path) -> Home:
    return copied(made[0], tmp_path / "copy", made[1])


def packets(home: Home, state: PacketState) -> list[Packet]:
    found = home.ports.ledger.packets(WORKSPACE, None, 99)
    return [each for each in found if each.state == state]


# Whole homes


def test_a_whole_home_is_silent(home: Home) -> None:
    found = home.audit()
    assert (found.findings, found.notes) == ((), ())
    assert found.rounds == found.sequence + 1 == LAST + 1
    assert home.reconcile().findings == ()
    kinds = {name.partition("/")[0] for name in home.names()}
    assert kinds == {"batch", COLLECTED, HEAD, "kits", "records", "sealed", "signed"}


class Closed(dict[str, Signer]):
    """Keys that who audits may not open."""

    def __iter__(self) -> Iterator[str]:
        raise ServiceError(Code.KEY_UNUSABLE, "access denied")


def test_keys_that_can_not_be_opened_are_told_and_the_rest_is_looked_at(home: Home) -> None:
    ports = AuditPorts(replace(home.ports, signers=Closed()), Closed())
    found = Auditor(ports).run()
    assert [(each.object, each.reason) for each in found.findings] == [
        ("registry key", "key-missing"),
        ("issuer key", "key-missing"),
    ]


def test_checkpoints_that_are_bundled_are_read_from_their_bundle(tmp_path: Path) -> None:
    home = copied(tmp_path / "made", tmp_path / "copy", make_home(tmp_path / "made", 250))
    assert home.words() == set()
    for one, other in (("signed/7", "signed/8"), ("signed/255", "signed/256")):
        home.swap(one, other)
        assert {(one, "public-differs"), (other, "public-differs"), (one, "chain-broken")} <= home.words()
        home.swap(one, other)
    assert home.words() == set()


def test_a_new_log_is_silent(log: TestLog) -> None:
    ports = log.init()
    found = Home(log.home, ports).audit()
    assert (found.findings, found.notes, found.rounds) == ((), (), 1)


@pytest.mark.parametrize(
    "name",
    [
        "private batch/",
        "ledger note_round",
        "private head",
        "private signed/",
        "public checkpoint",
    ],
)
def test_a_round_that_was_begun_is_no_finding(home: Home, name: str) -> None:
    log = TestLog(home.path, home.ports.clock, made=1000)  # type: ignore[arg-type]
    wait(home.ports, [])
    log.clock.time += 60

    def stop(number: int, found: str) -> None:
        if found.startswith(name):
            raise Crash

    with pytest.raises(Crash):
        Sequencer(tapped(home.ports, Tap(after=stop))).run()
    found = home.audit()
    assert found.findings == ()
    committed = name not in {"private batch/", "ledger note_round"}
    assert [each.reason for each in found.notes] == [
        PrivateReason.ROUND_OPEN if committed else PrivateReason.UNCOMMITTED
    ]
    Sequencer(home.ports).run()
    assert home.audit().findings == ()


def test_what_killed_and_beaten_writers_leave_is_noted(home: Home) -> None:
    head = parse_head((home / HEAD).read_bytes())
    home.ports.private.create(record_object("pkt_0", packets(home, PacketState.OPEN)[0].records[0]), b"x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("issuer.services.sequence.Sequencer._clean_up", lambda *_: None)
        log = TestLog(home.path, home.ports.clock)  # type: ignore[arg-type]
        log.round(home.ports)
    found = home.audit()
    assert found.findings == ()
    assert [(each.object.partition("-")[0], each.reason) for each in found.notes] == [
        (head.batch.partition("-")[0], PrivateReason.SUPERSEDED),
        (next(name for name in home.names() if name.startswith("records/pkt_0/")), PrivateReason.ORPHAN),
    ]
    assert {each.reason for each in found.notes} <= NOTES


# Each kind of object, spoilt in each way


def flipped(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


SPOIL: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "a bit flipped": flipped,
    "another bit flipped": flipped,
    "the last bit flipped": lambda data, _: data[:-1] + bytes([data[-1] ^ 1]),
    "cut to nothing": lambda data, _: b"",
    "cut in half": lambda data, _: data[: len(data) // 2],
    "cut by a byte": lambda data, _: data[:-1],
    "a byte more": lambda data, _: data + b"\n",
    "zeros": lambda data, _: bytes(len(data)),
}


def kinds(home: Home) -> dict[str, list[str]]:
    """Names by kind; of signed rounds some."""
    found: dict[str, list[str]] = {}
    for name in home.names():
        found.setdefault(name.partition("/")[0], []).append(name)
    signed = sorted(found["signed"], key=lambda name: int(name.partition("/")[2]))
    found["signed"] = signed
    return found


KINDS = ["batch", COLLECTED, HEAD, "kits", "records", "sealed", "signed"]


def assert_named(home: Home, name: str, what: str) -> None:
    """Something is found, and it is about the object, or the packet whose kit it is."""
    found = home.words()
    owners = {
        packet.packet_id
        for packet in home.ports.ledger.packets(WORKSPACE, None, 99)
        if packet.issued and name == delivered_object(packet.issued.kit_id)
    }
    assert {subject for subject, _ in found} & {name, *owners}, (name, what, found)


@pytest.mark.parametrize("some", [True, thorough(False)], ids=["some", "each"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_spoilt_object_is_named(made: Made, tmp_path: Path, kind: str, *, some: bool) -> None:
    chance = random.Random(kind)
    home = copied(made[0], tmp_path / "copy", made[1])
    names = kinds(home)[kind]
    for name in {names[0]: None, names[-1]: None} if some else names:
        data = (home / name).read_bytes()
        for what, spoil in SPOIL.items():
            spoilt = spoil(data, chance)
            if spoilt == data:
                continue
            home.write(name, spoilt)
            assert_named(home, name, what)
        home.write(name, data)
    assert home.words() == set()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != COLLECTED])
def test_an_object_that_is_gone_is_named(home: Home, kind: str) -> None:
    for name in kinds(home)[kind]:
        data = (home / name).read_bytes()
        (home / name).unlink()
        if name.startswith("records/") and packets(home, PacketState.OPEN)[0].packet_id in name:
            assert home.words() == set(), "it is announced and not uploaded"
        else:
            assert_named(home, name, "gone")
        home.write(name, data)


@pytest.mark.parametrize("kind", ["kits", "records", "sealed", "signed"])
def test_objects_in_each_others_place_are_named(home: Home, kind: str) -> None:
    one, other = kinds(home)[kind][-2:]
    home.swap(one, other)
    for name in (one, other):
        assert_named(home, name, "swapped")


def test_an_older_object_in_the_newers_place_is_named(home: Home) -> None:
    old = {name: (home / name).read_bytes() for name in home.names()}
    log = TestLog(home.path, home.ports.clock, made=500)  # type: ignore[arg-type]
    for _ in range(2):
        log.round(home.ports, 0)
    new = {name: (home / name).read_bytes() for name in home.names()}
    for name, data in {
        HEAD: old[HEAD],
        f"signed/{LAST + 2}": old[f"signed/{LAST}"],
        "signed/0": old["signed/1"],
    }.items():
        home.write(name, data)
        assert_named(home, name, "older")
        home.write(name, new[name])
    assert home.words() == set()


def test_objects_that_nothing_names_are_strays(home: Home) -> None:
    names = [f"signed/{LAST + 1}", "signed/007", "batch/x", "heads", "kits/x", "tmp/y"]
    for name in names:
        home.write(name, b"x")
    home.write(f"batch/300-{'0' * 64}", b"x")
    found = home.words()
    assert {(name, "stray") for name in names} <= found
    assert (f"batch/300-{'0' * 64}", "stray") in found
    assert (f"batch/300-{'0' * 64}", "hash-mismatch") in found


def test_a_cause_that_says_nothing_is_named(home: Home) -> None:
    home.ports.private.create(
        "cause/3", b'{"reason":"witnesses-unavailable","schema":"attestlayer/cause/1","sequence":3}'
    )
    assert home.words() == set()
    for data in (b"", b'{"reason":"key-revoked","schema":"attestlayer/cause/1","sequence":3}'):
        home.write("cause/3", data)
        assert home.words() == {("cause/3", "malformed")}
    home.write("cause/99", b"")
    assert ("cause/99", "stray") in home.words()


def test_a_sealed_orphan_with_other_bytes_than_its_name_is_named(home: Home) -> None:
    name = sealed_object(bytes(32))
    home.write(name, b"torn")
    assert (name, "hash-mismatch") in home.words()


def test_an_object_that_can_not_be_read_is_named(home: Home) -> None:
    for name in ("signed/7", sealed_object(packets(home, PacketState.ISSUED)[0].issued.kit_digest)):  # type: ignore[union-attr]
        (home / name).unlink()
        (home / name).symlink_to("/etc/hostname")
        assert (name, "unreadable") in home.words()


# Ledger, face, keys


def found_in(home: Home, word: PrivateReason) -> list[str]:
    return [each.detail for each in home.audit().findings if each.reason is word]


def test_a_ledger_that_is_damaged_is_told(home: Home) -> None:
    table, key = home.ports.ledger.table, books_key(WORKSPACE)
    books = BOOKS.parse(table.get_many([key])[key].body)
    changed = replace(books, accounts={**books.accounts, "available": 77})
    overwrite(table, {key: BOOKS.format(changed)})
    assert found_in(home, PrivateReason.LEDGER_DAMAGED) == [
        "balances ws_test: available holds 77 credits, its lines make 6"
    ]


def test_a_packet_that_can_not_be_read_is_told_once_more_where_it_is_needed(home: Home) -> None:
    (packet, *_) = packets(home, PacketState.OPEN)
    overwrite(home.ports.ledger.table, {packet_key(packet.packet_id): "["})
    assert any(
        "a stored Packet can't be read" in each for each in found_in(home, PrivateReason.LEDGER_DAMAGED)
    )


@pytest.mark.parametrize(
    ("noted", "word"), [(3, PrivateReason.LEDGER_BEHIND), (LAST + 2, PrivateReason.LEDGER_AHEAD)]
)
def test_a_ledger_of_another_time_than_head_is_told(home: Home, noted: int, word: PrivateReason) -> None:
    overwrite(home.ports.ledger.table, {ROUNDS: NUMBERS.format(noted)})
    assert len(found_in(home, word)) == 1


def test_a_receipt_that_is_not_the_leafs_is_told(home: Home) -> None:
    (packet, *_) = packets(home, PacketState.ISSUED)
    assert packet.issued
    issued = replace(packet.issued, receipt=packet.issued.receipt.replace(b"TEST-01", b"TEST-02"))
    home.ports.ledger.replace_packet(replace(packet, issued=issued, version=packet.version + 1))
    assert "its receipt hashes to " in found_in(home, PrivateReason.RECEIPT_MISMATCH)[0]


@pytest.mark.parametrize("member", ["issued_at", "merge_by"])
def test_a_packet_that_says_other_times_than_its_receipt_is_told(home: Home, member: str) -> None:
    (packet, *_) = packets(home, PacketState.ISSUED)
    assert packet.issued
    issued = replace(packet.issued, **{member: 1_800_000_000 - 7})
    home.ports.ledger.replace_packet(replace(packet, issued=issued, version=packet.version + 1))
    assert member in found_in(home, PrivateReason.RECEIPT_MISMATCH)[0]


def test_a_nonce_that_is_free_again_is_told(home: Home) -> None:
    table = home.ports.ledger.table
    nonces = [item.key for item in table.scan() if item.key.pk.startswith("nonce#")]
    overwrite(table, dict.fromkeys(nonces))
    assert len(found_in(home, PrivateReason.NONCE_MISSING)) == 4


def test_a_notice_that_no_round_can_publish_is_told(home: Home) -> None:
    home.ports.ledger.queue_notice(QueuedNotice("incident", b'"text"'))
    queue(home.ports, "key.retired", {"kid": "A" * 43, "valid_until": format_time(1_800_000_000)})
    queue(home.ports, "kit.withdrawn", {"leaf_hash": "A" * 43, "reason": "issued-in-error"})
    told = found_in(home, PrivateReason.NOTICE_REFUSED)
    assert [each.split()[1] for each in told] == ["incident", "key.retired"]


def test_a_key_that_is_not_at_hand_is_told(home: Home) -> None:
    other = SeedSigner("another")
    ports = replace(home.ports, signers={other.public.kid: other})
    found = {(each.object, each.reason) for each in Home(home.path, ports).audit().findings}
    (kid,) = home.ports.signers
    assert found == {
        (f"registry key {kid}", PrivateReason.KEY_MISSING),
        (f"registry key {other.public.kid}", PrivateReason.KEY_UNKNOWN),
    }
    assert ISSUER.public.kid not in {kid, other.public.kid}


def test_another_origin_is_told(home: Home) -> None:
    found = Home(home.path, replace(home.ports, origin="other.test")).audit().findings
    assert [(each.object, each.reason) for each in found] == [(HEAD, PrivateReason.ORIGIN_MISMATCH)]


@pytest.mark.parametrize(("back", "word"), [(1, PrivateReason.ROUND_OPEN), (2, PrivateReason.FACE_BEHIND)])
def test_a_registry_from_a_backup_is_told(home: Home, back: int, word: PrivateReason) -> None:
    from issuer.log.state import parse_signed

    older = parse_signed((home / f"signed/{LAST - back}").read_bytes(), f"signed/{LAST - back}").checkpoint
    latest = home.path / "registry/v1/checkpoints/latest.json"
    latest.unlink()
    latest.write_bytes(older.format())
    found = home.audit()
    assert (HEAD, word) in {(each.object, each.reason) for each in (*found.findings, *found.notes)}


def test_a_face_that_can_not_be_read_is_an_error(home: Home) -> None:
    latest = home.path / "registry/v1/checkpoints/latest.json"
    latest.unlink()
    latest.write_bytes(b"{}")
    with pytest.raises(LogHaltedError):
        home.audit()


def test_a_finding_of_one_moment_only_is_none(home: Home) -> None:
    """Between two looks the service went on."""
    name = "signed/3"
    data = (home / name).read_bytes()
    (home / name).unlink()
    looks: list[int] = []

    def progress(what: str, done: int, total: int) -> None:
        if what == "packets" and not looks:
            looks.append(done)
            home.write(name, data)

    from issuer.audit.findings import AuditPorts
    from issuer.services.audit import Auditor

    assert Auditor(AuditPorts(home.ports, {ISSUER.public.kid: ISSUER})).run(progress).findings == ()
    assert looks
