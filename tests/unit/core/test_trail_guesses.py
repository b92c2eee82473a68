"""What the holder of a disclosed record can try on the kit's other records.

He knows the kit but for two digits of one record. The receipt names the head of the hash trail, the
manifest's hash and its root: with each guess he makes the trail and compares its head.
"""

from collections.abc import Iterator

import pytest

from attestlayer.canonical import parse_json, take_members, take_time
from attestlayer.encoding import format_base64url, format_hash, sha256
from attestlayer.kit.disclosure import disclose, parse_disclosure
from attestlayer.kit.intake import EventType, chain_events, opened, sealed, submitted
from attestlayer.kit.manifest import (
    BINDER,
    DISCLOSURE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    README,
    RECEIPT,
    parse_manifest,
)
from attestlayer.kit.receipt import Receipt, parse_receipt
from support.build import Delivered, EventContent, Hooks, Plan, Scenario, make

SECRET = b"77"
OTHER, OWN = "records/002-b.txt", "records/001-a.txt"


def _record(digits: bytes) -> bytes:
    return b"IBAN DE%s 3704 0044 0532 0130 00\n" % digits


def _plan(**hooks: object) -> Plan:
    records = ((OWN, b"shown\n"), (OTHER, _record(SECRET)))
    return Plan(records=records, hooks=Hooks(**hooks))  # type: ignore[arg-type]


def _unsalted(events: list[EventContent]) -> list[EventContent]:
    at, kind, _ = events[0]
    return [(at, kind, {}), *events[1:]]


def _guessed_events(
    kit: Delivered, receipt: Receipt, first: dict[str, str], guess: bytes
) -> list[EventContent]:
    """The trail's events as its holder makes them: all but the guess and the first event's data is known."""
    known = take_members(parse_json(kit.members[HASH_TRAIL]))["events"]
    true_data = submitted(sha256(_record(SECRET)), len(_record(SECRET)))
    guessed_data = submitted(sha256(_record(guess)), len(_record(guess)))
    events: list[EventContent] = []
    assert isinstance(known, list)
    for event in map(take_members, known):
        kind, data = EventType(str(event["type"])), take_members(event["data"])
        if kind == EventType.PACKET_OPENED:
            data = dict(first)
        elif kind == EventType.MANIFEST_SEALED:
            data = sealed(receipt.manifest_sha256, receipt.manifest_root)
        elif data.get("sha256") == true_data["sha256"]:
            data = {**data, **guessed_data}
        events.append((take_time(event, "at"), kind, data))
    return events


def _attack(kit: Delivered, first: dict[str, str]) -> Iterator[bytes]:
    """Guesses that lead to the head in the disclosed receipt."""
    parts = disclose(kit.members, OWN)
    receipt = parse_receipt(parts[RECEIPT])
    for digits in range(100):
        guess = b"%02d" % digits
        trail = chain_events(receipt.kit_id, _guessed_events(kit, receipt, first, guess))
        if trail.head() == receipt.hash_trail_head:
            yield guess


def test_without_a_salt_the_head_gives_another_record_away() -> None:
    kit = make(Scenario(plan=_plan(events=_unsalted)))
    assert list(_attack(kit, {})) == [SECRET]


def test_with_the_salt_known_the_attack_finds_it_so_the_attack_itself_is_right() -> None:
    kit = make(Scenario(plan=_plan()))
    salt = take_members(parse_json(kit.members[HASH_TRAIL]))["events"][0]["data"]["salt"]  # type: ignore[index,call-overload]
    assert list(_attack(kit, {"salt": str(salt)})) == [SECRET]


@pytest.mark.parametrize("source", ["nothing", "zeros", "the disclosed record's salt", "the kit's id"])
def test_a_disclosed_record_confirms_no_guess_not_even_the_true_one(source: str) -> None:
    kit = make(Scenario(plan=_plan()))
    own = parse_disclosure(disclose(kit.members, OWN)[DISCLOSURE]).file.salt
    kit_id = kit.sealed.receipt.kit_id.encode()
    salts = {"zeros": bytes(16), "the disclosed record's salt": own, "the kit's id": sha256(kit_id)[:16]}
    first = {} if source == "nothing" else {str(k): str(v) for k, v in opened(salts[source]).items()}
    assert list(_attack(kit, first)) == []


def test_no_hash_in_a_disclosed_part_is_made_of_another_record_alone() -> None:
    kit = make(Scenario(plan=_plan()))
    parts = b"".join(disclose(kit.members, OWN).values())
    files = {file.path: file for file in parse_manifest(kit.members[MANIFEST]).files}
    for path in (OTHER, README, BINDER, INTAKE_REPORT):
        assert format_hash(files[path].sha256).encode() not in parts
        assert format_base64url(files[path].salt).encode() not in parts
    assert format_hash(files[OWN].sha256).encode() in parts
