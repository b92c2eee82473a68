"""Looks for damage in the table: records against their attributes, balances and counts against lines."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from issuer.adapters import rows
from issuer.adapters.aws.dynamodb_items import Item, Value
from issuer.adapters.aws.dynamodb_packets import OPEN_STATES
from issuer.adapters.aws.dynamodb_table import Table
from issuer.adapters.aws.packed import unpacked
from issuer.errors import StoreError
from issuer.model import CreditEntry, Packet


@dataclass(frozen=True, slots=True)
class _Kind:
    """Items with a record, by how their keys begin, and what their attributes repeat of it."""

    pk: str
    sk: str
    rows: rows.Rows[Any]
    repeated: Callable[[Any], dict[str, Value]] = lambda record: {}


_KINDS = (
    _Kind("workspaces", "id#", rows.WORKSPACES, lambda record: {"version": record.version}),
    _Kind("qualifications", "id#", rows.QUALIFICATIONS, lambda record: {"version": record.version}),
    _Kind("key#", "-", rows.API_KEYS),
    _Kind("claim#", "-", rows.ANSWERS),
    _Kind("workspace#", "credit#", rows.CREDIT_ENTRIES),
    _Kind("leaves#", "", rows.WAITING_LEAVES, lambda record: {"issued_at": record.issued_at}),
    _Kind(
        "packet#",
        "-",
        rows.PACKETS,
        lambda record: {
            "workspace": record.workspace_id,
            "state": record.state.value,
            "version": record.version,
            "opened_at": record.opened_at,
        },
    ),
)


@dataclass(slots=True)
class _Workspace:
    """What a workspace's lines and packets make, and what its books say."""

    lines: int = 0
    open_packets: int = 0
    accounts: Counter[str] = field(default_factory=Counter)
    books: Item | None = None


def damage(table: Table) -> Iterator[str]:
    """`Ledger.damage`. Not one state of the table: what changes meanwhile is looked at twice."""
    found = list(_damage(table))
    again = set(_damage(table)) if found else set()
    return (sentence for sentence in found if sentence in again)


def _damage(table: Table) -> Iterator[str]:
    workspaces: defaultdict[str, _Workspace] = defaultdict(_Workspace)
    for item in table.scan():
        workspace_id = item.key.pk.removeprefix("workspace#")
        if item.key.sk == "books" and workspace_id != item.key.pk:
            workspaces[workspace_id].books = item
        for kind in _KINDS:
            if item.key.pk.startswith(kind.pk) and item.key.sk.startswith(kind.sk):
                yield from _record(kind, item, workspaces)
    for workspace_id, made in sorted(workspaces.items()):
        yield from _books(workspace_id, made)


def _record(kind: _Kind, item: Item, workspaces: defaultdict[str, _Workspace]) -> Iterator[str]:
    if not item.body and kind.rows is rows.ANSWERS:
        return  # not answered yet
    name = f"{item.key.pk} {item.key.sk}"
    try:
        record = kind.rows.parse(unpacked(item.body))
    except StoreError as error:
        yield f"{name}: {error}"
        return
    for attribute, wanted in kind.repeated(record).items():
        if (found := item.attributes.get(attribute)) != wanted:
            yield f"{name}: attribute {attribute} is {found!r}, its record says {wanted!r}"
    if isinstance(record, CreditEntry):
        made = workspaces[record.workspace_id]
        made.lines += 1
        made.accounts[record.target] += record.amount
        made.accounts[record.source] -= record.amount
    if isinstance(record, Packet):
        workspaces[record.workspace_id].open_packets += record.state in OPEN_STATES


def _books(workspace_id: str, made: _Workspace) -> Iterator[str]:
    books = made.books
    accounts = books.attributes.get("accounts", {}) if books else {}
    assert isinstance(accounts, dict)
    for account in sorted(made.accounts.keys() | accounts.keys()):
        held, posted = accounts.get(account, 0), made.accounts[account]
        if held != posted:
            yield f"balances {workspace_id}: {account} holds {held} credits, its lines make {posted}"
    for name, counted in (("lines", made.lines), ("open_packets", made.open_packets)):
        if (said := books.number(name) if books else 0) != counted:
            yield f"books {workspace_id}: {name} is {said}, counted {counted}"
