"""A workspace's books in a DynamoDB transaction: balances, credit lines in order, number of open packets.

They are one item, which every posting and every opening or closing of a packet rewrites. So postings of a
workspace follow one another, and who reads the lines in pages misses none: a line is never put before
one that could be seen already. It bounds a workspace to some tens of postings a second.
"""

from dataclasses import dataclass, field

from issuer.adapters.aws.dynamodb_items import Value
from issuer.adapters.aws.dynamodb_keys import books_key, line_key, line_of
from issuer.adapters.aws.dynamodb_table import Table
from issuer.adapters.aws.dynamodb_work import Work
from issuer.adapters.aws.packed import packed, unpacked
from issuer.adapters.rows import CREDIT_ENTRIES
from issuer.errors import Code, ServiceError, StoreError
from issuer.model import CreditEntry

# Where credits come from and go to: these say how many, so one of them is below zero by nature.
_UNLIMITED = frozenset({"granted", "consumed"})


@dataclass(frozen=True, slots=True)
class Books:
    """`lines`: credit lines posted; `open_packets`: packets that count for the tier's limit."""

    lines: int = 0
    open_packets: int = 0
    accounts: dict[str, int] = field(default_factory=dict)


def read_books(work: Work, workspace_id: str) -> Books:
    """A workspace's books as they are in this transaction; empty ones if it has none."""
    stored = work.get(books_key(workspace_id))
    if stored is None:
        return Books()
    accounts = stored.attributes["accounts"]
    assert isinstance(accounts, dict)
    return Books(stored.number("lines"), stored.number("open_packets"), accounts)


def write_books(work: Work, workspace_id: str, books: Books) -> None:
    """Put other books in place of those that were read."""
    attributes: dict[str, Value] = {
        "lines": books.lines,
        "open_packets": books.open_packets,
        "accounts": books.accounts,
    }
    work.put(books_key(workspace_id), attributes)


def is_posted(work: Work, entry_id: str) -> bool:
    """Whether there is a line with this id."""
    return work.get(line_of(entry_id)) is not None


def check_funds(work: Work, entry: CreditEntry) -> None:
    """Raises NO_CREDITS if the line would take its source below zero."""
    if entry.source in _UNLIMITED:
        return
    found = read_books(work, entry.workspace_id).accounts.get(entry.source, 0)
    if found < entry.amount:
        raise ServiceError(
            Code.NO_CREDITS,
            f"account {entry.source} of {entry.workspace_id} holds {found} credits, wanted {entry.amount}",
        )


def post(work: Work, entry: CreditEntry) -> None:
    """Add a line that was checked, and move the balances."""
    books = read_books(work, entry.workspace_id)
    accounts = dict(books.accounts)
    accounts[entry.target] = accounts.get(entry.target, 0) + entry.amount
    accounts[entry.source] = accounts.get(entry.source, 0) - entry.amount
    number = books.lines + 1
    write_books(work, entry.workspace_id, Books(number, books.open_packets, accounts))
    work.put(line_key(entry.workspace_id, number), {}, packed(CREDIT_ENTRIES.format(entry)))
    work.put(line_of(entry.entry_id), {"workspace": entry.workspace_id, "number": number})


def find_line(table: Table, entry_id: str) -> CreditEntry | None:
    """The line with this id."""
    place = table.get(line_of(entry_id))
    if place is None:
        return None
    line = table.get(line_key(place.text("workspace") or "", place.number("number")))
    if line is None:
        raise StoreError(f"credit line {entry_id} is missing from its workspace")
    return CREDIT_ENTRIES.parse(unpacked(line.body))
