"""Changes to a kit, drawn by chance from a seed: what an editor, a forger or a bad disk may do to it.

The tests that nothing changed is VERIFIED and the one that all verifiers agree on it read this table.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from attestlayer.canonical import Json, format_json, parse_json
from attestlayer.checkpoint import parse_checkpoint
from attestlayer.errors import VerificationError
from attestlayer.keys import PrivateKey
from attestlayer.manifest import MANIFEST, RECEIPT, REGISTRY_RECEIPT
from attestlayer.receipt import parse_receipt
from attestlayer.registry_receipt import parse_registry_receipt
from support.build import (
    ISSUER,
    REGISTRY,
    STRANGER,
    Delivered,
    Plan,
    Round,
    Scenario,
    make,
    make_note,
    sign_checkpoint,
    sign_receipt,
)

Members = dict[str, bytes]


@cache
def small() -> Delivered:
    return make(Scenario(plan=Plan(records=(("records/001-a", b"x"),), readme=b"R", binder=b"B")))


@cache
def other() -> Delivered:
    """Another kit of the same log's keys."""
    plan = Plan(kit_id="kit_01J9ZX3A8B5C6D7E8F9GAHBKCN", records=(("records/001-a", b"y"),), readme=b"R")
    return make(Scenario(plan=plan, merge=Round(after=61)))


def other_values(value: int, at: int) -> set[int]:
    """A flipped low bit, a flipped case bit, the next byte, and one that changes from place to place."""
    return {value ^ 0x01, value ^ 0x20, (value + 1) % 256, (value + 7 + at % 241) % 256} - {value}


def change_bytes(members: Members, chance: random.Random) -> Members:
    """One byte of a member, and the ZIP made canonical again."""
    name = chance.choice(sorted(name for name in members if members[name]) or [MANIFEST])
    data = members.get(name, b"")
    if not data:
        return members
    at = chance.randrange(len(data))
    value = chance.choice(sorted(other_values(data[at], at)))
    return {**members, name: data[:at] + bytes([value]) + data[at + 1 :]}


def move_pieces(whole: bytes, chance: random.Random) -> bytes:
    """Up to three pieces of a ZIP taken out, repeated, moved or written over."""
    data = bytearray(whole)
    for _ in range(chance.randrange(1, 4)):
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
    return bytes(data)


def leave_out(members: Members, chance: random.Random) -> Members:
    gone = chance.choice(sorted(members))
    return {name: data for name, data in members.items() if name != gone}


def put_in(members: Members, chance: random.Random) -> Members:
    names = (
        "extra.txt",
        "records/002-b",
        "records/002-b.pdf",
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
)
