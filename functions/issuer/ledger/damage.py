"""Looks for damage: items against their kind, pointers both ways, books against lines and packets."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from issuer.errors import StoreError
from issuer.ledger import keys, rows
from issuer.ledger.books import BOOKS, Books
from issuer.ledger.claims import CLAIMS
from issuer.ledger.packets import kit_id_of
from issuer.ledger.work import read_items
from issuer.model import OPEN_STATES, CreditEntry, Packet
from issuer.ports import Item, Key, Table

_BATCH = 100  # links that are followed at once


@dataclass(frozen=True, slots=True)
class _Kind:
    """Items of one kind, by how their keys begin.

    `key`: the key under which a record belongs, if the record says it; `pointers`: the keys of the items that
    point to it.
    """

    pk: str
    sk: str
    rows: rows.Rows[Any]
    key: Callable[[Any], Key] | None = None
    pointers: Callable[[Any], tuple[Key, ...]] = lambda record: ()


def _packet_pointers(packet: Packet) -> tuple[Key, ...]:
    kit_id = kit_id_of(packet)
    listed = keys.packet_pointer(packet)
    return (listed, keys.kit_pointer(packet.workspace_id, kit_id)) if kit_id else (listed,)


_KINDS = (
    _Kind("workspaces", "id#", rows.WORKSPACES, lambda each: keys.workspace_key(each.workspace_id)),
    _Kind(
        *("qualifications", "id#", rows.QUALIFICATIONS),
        lambda each: keys.qualification_key(each.qualification_id),
    ),
    _Kind(
        *("key#", "-", rows.API_KEYS),
        lambda each: keys.api_key_key(each.key_hash),
        lambda each: (keys.api_key_pointer(each.workspace_id, each.key_hash),),
    ),
    _Kind(
        *("packet#", "-", rows.PACKETS),
        lambda each: keys.packet_key(each.packet_id),
        _packet_pointers,
    ),
    _Kind(
        *("workspace#", "credit#", rows.CREDIT_ENTRIES),
        pointers=lambda each: (keys.line_pointer(each.entry_id),),
    ),
    _Kind("workspace#", "books", BOOKS),
    _Kind("claim#", "-", CLAIMS),
    _Kind("leaves#", "", rows.WAITING_LEAVES, lambda each: keys.leaf_key(each.leaf_hash)),
    _Kind(*("notices", "n#", rows.NOTICES), pointers=lambda each: (keys.notice_pointer(each),)),
    _Kind("notices", "next", rows.NUMBERS),
    _Kind("rounds", "-", rows.NUMBERS),
    _Kind("workspace#", "key#", rows.POINTERS),
    _Kind("workspace#", "packet#", rows.POINTERS),
    _Kind("workspace#", "kit#", rows.POINTERS),
    _Kind("credit#", "-", rows.POINTERS),
    _Kind("nonce#", "-", rows.POINTERS),
    _Kind("notices", "is#", rows.POINTERS),
)


@dataclass(frozen=True, slots=True)
class _Link:
    """An item that `item` needs: what it points to, or, if `back`, a pointer to it."""

    item: Key
    other: Key
    back: bool


@dataclass(slots=True)
class _Workspace:
    """What a workspace's lines and packets make, and what its books say."""

    lines: int = 0
    open_packets: int = 0
    accounts: Counter[str] = field(default_factory=Counter)
    books: Books = field(default_factory=Books)


_Workspaces = defaultdict[str, _Workspace]


def damage(table: Table) -> Iterator[str]:
    """`Ledger.damage`. A scan is not one state of the table: what seems wrong is looked at twice."""
    yield from table.damage()
    first = list(_damage(table))
    again = set(_damage(table)) if first else set()
    yield from (sentence for sentence in first if sentence in again)


def _damage(table: Table) -> Iterator[str]:
    workspaces: _Workspaces = defaultdict(_Workspace)
    links: list[_Link] = []
    for item in table.scan():
        yield from _look_at(item, workspaces, links)
        if len(links) >= _BATCH:
            yield from _broken(table, links)
            links.clear()
    yield from _broken(table, links)
    for workspace_id, counted in sorted(workspaces.items()):
        yield from _differences(workspace_id, counted)


def _look_at(item: Item, workspaces: _Workspaces, links: list[_Link]) -> Iterator[str]:
    """What is wrong with the item alone. Counts it in `workspaces` and adds to `links` what it needs."""
    kinds = [each for each in _KINDS if item.key.pk.startswith(each.pk) and item.key.sk.startswith(each.sk)]
    if not kinds:
        yield f"{_shown(item.key)}: the ledger keeps nothing under such a key"
        return
    (kind,) = kinds
    try:
        record = kind.rows.parse(item.body)
    except StoreError as error:
        yield f"{_shown(item.key)}: {error}"
        return
    if kind.key and (key := kind.key(record)) != item.key:
        yield f"{_shown(item.key)}: its record belongs under {_shown(key)}"
    if isinstance(record, Key):
        links.append(_Link(item.key, record, back=False))
    links += [_Link(item.key, pointer, back=True) for pointer in kind.pointers(record)]
    _count(item.key, record, workspaces)


def _count(key: Key, record: object, workspaces: _Workspaces) -> None:
    if isinstance(record, Books):
        workspaces[key.pk.removeprefix("workspace#")].books = record
    elif isinstance(record, CreditEntry):
        workspace = workspaces[record.workspace_id]
        workspace.lines += 1
        workspace.accounts[record.target] += record.amount
        workspace.accounts[record.source] -= record.amount
    elif isinstance(record, Packet):
        workspaces[record.workspace_id].open_packets += record.state in OPEN_STATES


def _broken(table: Table, links: list[_Link]) -> Iterator[str]:
    others = read_items(table, [link.other for link in links])
    for link in links:
        other = others.get(link.other)
        if other is None:
            yield f"{_shown(link.item)}: {_shown(link.other)} is missing"
        elif link.back and other.body != rows.POINTERS.format(link.item):
            yield f"{_shown(link.item)}: {_shown(link.other)} does not point to it"


def _differences(workspace_id: str, counted: _Workspace) -> Iterator[str]:
    books = counted.books
    for account in sorted(counted.accounts.keys() | books.accounts.keys()):
        held, posted = books.accounts.get(account, 0), counted.accounts[account]
        if held != posted:
            yield f"balances {workspace_id}: {account} holds {held} credits, its lines make {posted}"
    for name in ("lines", "open_packets"):
        if getattr(books, name) != getattr(counted, name):
            yield f"books {workspace_id}: {name} is {getattr(books, name)}, counted {getattr(counted, name)}"


def _shown(key: Key) -> str:
    return f"{key.pk} {key.sk}"
