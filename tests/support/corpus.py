"""Changed kits by the thousand: bytes flipped, pieces moved, members and documents changed in structure.

The same seed makes the same kits. What is changed in a member is made a canonical ZIP again by the
caller, so that the container's checksums don't hide what verification itself finds.
"""

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from unittest.mock import patch

from attestlayer.canonical import Json, format_json, parse_json
from attestlayer.encoding import format_time
from attestlayer.errors import VerificationError
from attestlayer.keys import PrivateKey
from attestlayer.kit.manifest import MANIFEST, RECEIPT, REGISTRY_RECEIPT
from attestlayer.kit.receipt import parse_receipt
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.log.leaf import parse_registry_receipt
from attestlayer.log.notices import IncidentReason, Role, key_added, late_merge
from support.build import (
    ISSUER,
    REGISTRY,
    START,
    STRANGER,
    Delivered,
    NoticeContent,
    Plan,
    Round,
    Scenario,
    key_retired,
    key_revoked,
    make,
    make_note,
    private_key,
    quorum_policy,
    sign_checkpoint,
    sign_receipt,
    witness,
    witness_policy,
)
from support.cases import small
from support.packed import HONEST

Members = dict[str, bytes]


@cache
def other() -> Delivered:
    """Another kit of the same log's keys."""
    plan = Plan(kit_id="kit_01J9ZX3A8B5C6D7E8F9GAHBKCN", records=(("records/001-a", b"y"),), readme=b"R")
    return make(Scenario(plan=plan, merge=Round(after=61)))


@cache
def originals() -> tuple[Delivered, ...]:
    """Kits to change: a small one, one of twelve records, one that two of three witnesses cosigned."""
    names = [f"records/{n:03d}-r{n}.txt" for n in range(1, 13)]
    many = tuple((name, name.encode() * 5) for name in names)
    witnesses = [witness(number) for number in range(3)]
    policy = witness_policy("2026-01-31T12:00:00Z", quorum_policy(witnesses, "2"))
    cosigned = Round(cosigners=((witnesses[0], 0), (witnesses[2], 9)))
    return small(), make(Scenario(plan=Plan(records=many))), make(Scenario(genesis=(policy,), merge=cosigned))


@dataclass(frozen=True)
class Mutant:
    """A changed kit: its members, and the names of the changes."""

    members: Members
    changes: tuple[str, ...]


def mutants(seed: str, count: int) -> Iterator[Mutant]:
    """The small kit with one to three changes of structure, `count` times; none is the kit itself."""
    chance = random.Random(seed)
    made = 0
    while made < count:
        members = dict(small().members)
        steps = [chance.choice(CHANGES) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
        for step in steps:
            members = step(members, chance)
        if members != small().members:
            made += 1
            yield Mutant(members, tuple(step.__name__ for step in steps))


def flipped(seed: str, count: int) -> Iterator[Members]:
    """The small kit with one byte of one member changed, `count` times."""
    chance = random.Random(seed)
    for _ in range(count):
        yield change_byte(small().members, chance)


def change_byte(members: Members, chance: random.Random) -> Members:
    """One byte of one member changed; all members are empty: nothing is."""
    names = sorted(name for name in members if members[name])
    if not names:
        return members
    name = chance.choice(names)
    data = members[name]
    at = chance.randrange(len(data))
    value = chance.choice(sorted(other_values(data[at], at)))
    return {**members, name: data[:at] + bytes([value]) + data[at + 1 :]}


def documents(data: bytes, seed: str, count: int) -> Iterator[bytes]:
    """A document with one to three changes of structure, canonical again, `count` times."""
    chance = random.Random(seed)
    for _ in range(count):
        value = parse_json(data)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            change_container(chance.choice(list(containers(value)) or [{}]), chance)
        try:
            yield format_json(value)
        except ValueError:
            continue


def pieces_moved(seed: str, count: int) -> Iterator[bytes]:
    """The small kit's ZIP with pieces taken out, doubled, moved or overwritten, `count` times at most."""
    chance, whole = random.Random(seed), small().zip
    for _ in range(count):
        data = move_pieces(whole, chance)
        if data != whole:
            yield data


def move_pieces(whole: bytes, chance: random.Random) -> bytes:
    """Up to three pieces of a ZIP taken out, doubled, moved or overwritten."""
    data = bytearray(whole)
    for _ in range(chance.randrange(1, 4)):
        _move_piece(data, chance)
    return bytes(data)


def _move_piece(data: bytearray, chance: random.Random) -> None:
    at, length = chance.randrange(len(data)), chance.choice((1, 2, 4, 16, 30, 100, 2000))
    piece = data[at : at + length]
    action = chance.randrange(4)
    if action == 0:
        del data[at : at + length]
    elif action == 1:
        data[at:at] = piece
    elif action == 2:
        del data[at : at + length]
        to = chance.randrange(len(data) + 1)
        data[to:to] = piece
    else:
        data[at : at + length] = chance.choice((b"\0", b"\xff", b"PK\3\4", b"PK\1\2", b"PK\5\6")) * 2


def repacked(seed: str, count: int) -> Iterator[bytes]:
    """The small kit packed again in one of the ways that people do, and changed, `count` times."""
    chance, ways = random.Random(seed), [maker for _, maker in HONEST.values()]
    wholes = [maker(small().members) for maker in ways]
    for _ in range(count):
        data = bytearray(chance.choice(wholes))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            chance.choice((_change_header, _change_header, _change_header, _move_piece))(data, chance)
        yield bytes(data)


def read_by_python(data: bytes) -> dict[str, bytes]:
    """The entries of a ZIP by Python's own reader, whatever version they say is needed to read them."""
    with patch.object(zipfile, "MAX_EXTRACT_VERSION", 0xFF), zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _change_header(data: bytearray, chance: random.Random) -> None:
    """A field of a header, or what follows it: another value, or another header's."""
    marks = [at for at in range(len(data) - 4) if data[at : at + 2] == b"PK" and data[at + 2] < 9]
    if not marks:
        return
    at, width = chance.choice(marks) + chance.randrange(70), chance.choice((1, 2, 4, 8))
    field = data[at : at + width]
    if not field:
        return
    value = int.from_bytes(field, "little")
    other = chance.choice(marks) + chance.randrange(70)
    values = (
        0,
        2 ** (8 * len(field)) - 1,
        value ^ (1 << chance.randrange(8 * len(field))),
        value + 1,
        value - 1,
    )
    made = (chance.choice(values) % 2 ** (8 * len(field))).to_bytes(len(field), "little")
    data[at : at + width] = data[other : other + len(field)] if chance.randrange(6) == 0 else made


def other_values(value: int, at: int) -> set[int]:
    """A flipped low bit, a flipped case bit, the next byte, and one that changes from place to place."""
    return {value ^ 0x01, value ^ 0x20, (value + 1) % 256, (value + 7 + at % 241) % 256} - {value}


_KEYS = (REGISTRY, private_key("second registry key"))


def scenarios(seed: str, count: int) -> Iterator[Delivered]:
    """Whole kits of logs whose keys, policies, notices, times and signers are drawn at random."""
    chance, made = random.Random(seed), 0
    while made < count:
        try:
            delivered = make(_scenario(chance))
            older = delivered.log.trust(chance.choice((-1, -1, 1, 2)))
        except ValueError:  # notices that contradict each other, or a trust root by a key that doesn't count
            continue
        made += 1
        yield replace(delivered, trust=older)


def _scenario(chance: random.Random) -> Scenario:
    second = _KEYS[1]
    genesis = [key_added(Role.REGISTRY, second.public, START + chance.choice((-60, 0, 60, 120)))]
    policies = [_policy(chance, START + 60 * n) for n in range(chance.choice((0, 1, 1, 2, 3)))]
    ends = [_end(chance) for _ in range(chance.choice((0, 0, 1, 2)))]
    kind, incident = late_merge(chance.randrange(2), chance.randrange(1, 4), IncidentReason.OUTAGE)
    late = kind, {**incident, "kind": chance.choice(("late-merge", "late-merge", "wrong-entry"))}
    later = [*ends, *([late] if chance.randrange(2) else []), *chance.sample(policies, len(policies) // 2)]
    early = [notice for notice in policies if notice not in later]
    again = key_revoked(second, format_time(START + chance.choice((90, 200, 400))))
    later += [again] if chance.randrange(4) == 0 else []
    return Scenario(
        dated=chance.randrange(4) > 0,
        genesis=(*genesis, *early),
        nonce_round=Round(after=chance.choice((30, 60, 89, 90, 91))),
        merge=Round(
            after=chance.choice((1, 29, 30, 31, 60, 600, 690, 720)),
            signers=tuple(chance.sample(_KEYS, chance.choice((1, 1, 2)))),
            cosigners=tuple(
                (witness(chance.randrange(1, 4)), chance.choice((-601, -600, -5, 0, 40, 600, 601)))
                for _ in range(chance.randrange(5))
            ),
        ),
        later=tuple(later),
        later_signer=chance.choice(_KEYS),
    )


def _policy(chance: random.Random, valid_from: int) -> NoticeContent:
    chosen = [witness(n) for n in chance.sample((1, 2, 3), chance.choice((1, 2, 3)))]
    threshold = chance.choice(("all", "any", "1"))
    return witness_policy(format_time(valid_from), quorum_policy(chosen, threshold))


def _end(chance: random.Random) -> NoticeContent:
    at = format_time(START + chance.choice((0, 60, 89, 90, 91, 119, 120, 121, 150, 180, 300, 900)))
    key = chance.choice((REGISTRY, ISSUER))
    return key_revoked(key, at) if chance.randrange(2) else key_retired(key, at)


def leave_out(members: Members, chance: random.Random) -> Members:
    gone = chance.choice(sorted(members))
    return {name: data for name, data in members.items() if name != gone}


def put_in(members: Members, chance: random.Random) -> Members:
    names = (
        "extra.txt",
        "records/002-b",
        "records/002-b.pdf",
        "records/000-a",
        "records/001-b",
        "registry/x",
        "README",
        "A" * 128,
        "manifest.json ",
    )
    return {**members, chance.choice(names): chance.randbytes(chance.randrange(9))}


def swap_contents(members: Members, chance: random.Random) -> Members:
    if len(members) < 2:
        return members
    one, two = chance.sample(sorted(members), 2)
    return {**members, one: members[two], two: members[one]}


def take_from_other_kit(members: Members, chance: random.Random) -> Members:
    name = chance.choice(sorted(other().members))
    return {**members, name: other().members[name]}


def take_several_from_other_kit(members: Members, chance: random.Random) -> Members:
    names = chance.sample(sorted(other().members), chance.randrange(2, len(other().members)))
    return {**members, **{name: other().members[name] for name in names}}


def cut(members: Members, chance: random.Random) -> Members:
    name = chance.choice(sorted(members))
    return {**members, name: members[name][: chance.randrange(len(members[name]) or 1)]}


def repeat(members: Members, chance: random.Random) -> Members:
    name = chance.choice(sorted(members))
    return {**members, name: members[name] * 2}


def change_json(members: Members, chance: random.Random) -> Members:
    name = chance.choice([name for name in sorted(members) if name.endswith(".json")] or [MANIFEST])
    try:
        value = parse_json(members.get(name, b"{}"))
        place = chance.choice(list(containers(value)) or [{}])
        change_container(place, chance)
        return {**members, name: format_json(value)}
    except ValueError:
        return members


def containers(value: Json) -> Iterator[dict[str, Json] | list[Json]]:
    """Every object and array within a value, itself included."""
    if isinstance(value, dict | list):
        yield value
        for item in list(value.values()) if isinstance(value, dict) else value:
            yield from containers(item)


def change_container(place: dict[str, Json] | list[Json], chance: random.Random) -> None:
    if isinstance(place, dict) and place:
        name = chance.choice(sorted(place))
        kind = chance.randrange(4)
        if kind == 0:
            del place[name]
        elif kind == 1:
            place[chance.choice(("zz", "schema", "leaf", "sha256"))] = chance.choice(VALUES)
        else:
            place[name] = changed_value(place[name], chance)
    elif isinstance(place, list) and place:
        at = chance.randrange(len(place))
        kind = chance.randrange(4)
        if kind == 0:
            del place[at]
        elif kind == 1:
            place.insert(at, place[at])
        elif kind == 2:
            place.reverse()
        else:
            place[at] = changed_value(place[at], chance)


VALUES: tuple[Json, ...] = (None, True, False, 0, 1, 2**53 - 1, "", "a", "A" * 43, [], {}, [0], {"a": 0})


def changed_value(value: Json, chance: random.Random) -> Json:
    if isinstance(value, bool) or value is None or chance.randrange(3) == 0:
        return chance.choice(VALUES)
    if isinstance(value, str) and value.startswith("attestlayer/"):
        return f"{value[:-1]}{chance.choice((0, 2, 10, '02', 1_234_567_890))}"
    if isinstance(value, int):
        return max(0, value + chance.choice((-1, 1, 256)))
    if isinstance(value, str) and value:
        at = chance.randrange(len(value))
        return value[:at] + chance.choice("aB0-_Z9") + value[at + 1 :]
    return value


def sign_receipt_again(members: Members, chance: random.Random) -> Members:
    """The receipt with another time, signed by the issuer himself or by a stranger."""
    try:
        receipt = parse_receipt(members.get(RECEIPT, b""))
    except VerificationError:
        return members
    key: PrivateKey = chance.choice((ISSUER, STRANGER, REGISTRY))
    changed = replace(
        receipt,
        issued_at=receipt.issued_at + chance.choice((0, 1, -1)),
        issuer_kid=chance.choice((receipt.issuer_kid, key.public.kid)),
    )
    return {**members, RECEIPT: sign_receipt(changed, key).format()}


def sign_checkpoint_again(members: Members, chance: random.Random) -> Members:
    """Checkpoint and note signed again by a stranger or, with another time, by the registry."""
    try:
        receipt = parse_registry_receipt(members.get(REGISTRY_RECEIPT, b""))
    except VerificationError:
        return members
    key: PrivateKey = chance.choice((REGISTRY, STRANGER, ISSUER))
    checkpoint = replace(
        receipt.checkpoint,
        timestamp=receipt.checkpoint.timestamp + chance.choice((1, -1, 3600)),
        kid=chance.choice((receipt.checkpoint.kid, key.public.kid)),
    )
    signed = sign_checkpoint(checkpoint, key)
    again = replace(receipt, checkpoint=signed, note=make_note(signed, Round(signers=(key,))))
    return {**members, REGISTRY_RECEIPT: again.format()}


def claim_another_leaf(members: Members, chance: random.Random) -> Members:
    """The registry receipt of another leaf of the same log."""
    log = small().log
    try:
        receipt = parse_registry_receipt(members.get(REGISTRY_RECEIPT, b""))
        parse_checkpoint(receipt.checkpoint.format())
    except VerificationError:
        return members
    forged = replace(receipt, leaf_index=chance.randrange(len(log.leaves) + 1))
    if chance.randrange(2):
        leaf = replace(receipt.record.leaf, issued_at=receipt.record.leaf.issued_at + 1)
        forged = replace(forged, record=leaf.record())
    return {**members, REGISTRY_RECEIPT: forged.format()}


def state_another_leaf_hash(members: Members, chance: random.Random) -> Members:
    """The registry receipt states another leaf's hash, and may name its index too."""
    try:
        receipt = parse_registry_receipt(members.get(REGISTRY_RECEIPT, b""))
    except VerificationError:
        return members
    stated = chance.choice(small().log.leaves)
    index = chance.choice((receipt.leaf_index, small().log.leaves.index(stated)))
    forged = replace(receipt, record=replace(receipt.record, leaf_hash=stated), leaf_index=index)
    return {**members, REGISTRY_RECEIPT: forged.format()}


def add_note_line(members: Members, chance: random.Random) -> Members:
    """One line of the note once more, with one byte changed."""
    try:
        receipt = parse_registry_receipt(members.get(REGISTRY_RECEIPT, b""))
    except VerificationError:
        return members
    line = chance.choice(receipt.note.signatures)
    at = chance.randrange(len(line.data))
    spoilt = replace(line, data=line.data[:at] + bytes([line.data[at] ^ 1]) + line.data[at + 1 :])
    note = replace(receipt.note, signatures=(*receipt.note.signatures, spoilt))
    return {**members, REGISTRY_RECEIPT: replace(receipt, note=note).format()}


CHANGES: tuple[Callable[[Members, random.Random], Members], ...] = (
    leave_out,
    put_in,
    swap_contents,
    take_from_other_kit,
    take_several_from_other_kit,
    cut,
    repeat,
    change_json,
    change_json,
    change_json,
    change_json,
    sign_receipt_again,
    sign_checkpoint_again,
    claim_another_leaf,
    state_another_leaf_hash,
    add_note_line,
)
