"""A workspace's books: balances, number of credit lines, number of open packets.

They are one item, which every posting and every opening or closing of a packet rewrites. So the postings of
a workspace follow one another, and a reader of the lines in pages misses none: no line is ever put before
one that was already visible. On DynamoDB it limits a workspace to some tens of postings a second.
"""

from dataclasses import dataclass, field, replace

from issuer.errors import Code, ServiceError, StoreError
from issuer.ledger.keys import books_key, line_key, line_pointer
from issuer.ledger.rows import CREDIT_ENTRIES, POINTERS, Rows
from issuer.ledger.work import Work
from issuer.model import CreditEntry

# Where credits come from and go to: these say how many, so one of them is below zero by nature.
_UNLIMITED = frozenset({"granted", "consumed"})


@dataclass(frozen=True, slots=True)
class Books:
    """`lines`: credit lines posted; `open_packets`: packets that count for the tier's limit."""

    lines: int = 0
    open_packets: int = 0
    accounts: dict[str, int] = field(default_factory=dict)


BOOKS = Rows(Books)


def read_books(work: Work, workspace_id: str) -> Books:
    """A workspace's books; empty ones if it has none."""
    return work.get(BOOKS, books_key(workspace_id)) or Books()


def count_open_packets(work: Work, workspace_id: str, change: int) -> None:
    """Change the number of open packets."""
    books = read_books(work, workspace_id)
    changed = replace(books, open_packets=books.open_packets + change)
    work.put(BOOKS, books_key(workspace_id), changed)


def is_posted(work: Work, entry_id: str) -> bool:
    """Whether there is a line with this id."""
    return work.get(POINTERS, line_pointer(entry_id)) is not None


def check_funds(work: Work, entry: CreditEntry) -> None:
    """Raises NO_CREDITS if the line would take its source below zero."""
    held = read_books(work, entry.workspace_id).accounts.get(entry.source, 0)
    if entry.source not in _UNLIMITED and held < entry.amount:
        raise ServiceError(
            Code.NO_CREDITS,
            f"account {entry.source} of {entry.workspace_id} holds {held} credits, wanted {entry.amount}",
        )


def post(work: Work, entry: CreditEntry) -> None:
    """Add a line that was checked, and move the balances."""
    books = read_books(work, entry.workspace_id)
    accounts = dict(books.accounts)
    accounts[entry.target] = accounts.get(entry.target, 0) + entry.amount
    accounts[entry.source] = accounts.get(entry.source, 0) - entry.amount
    _check_bounds(entry, accounts)
    line = line_key(entry.workspace_id, books.lines + 1)
    changed = replace(books, lines=books.lines + 1, accounts=accounts)
    work.put(BOOKS, books_key(entry.workspace_id), changed)
    work.put(CREDIT_ENTRIES, line, entry)
    work.put(POINTERS, line_pointer(entry.entry_id), line)


def _check_bounds(entry: CreditEntry, accounts: dict[str, int]) -> None:
    """The second guard: no bug elsewhere moves nothing, moves backwards, or overdraws an account."""
    if entry.amount < 1:
        raise StoreError(f"credit line {entry.entry_id} moves {entry.amount} credits, wanted 1 or more")
    if entry.source not in _UNLIMITED and accounts[entry.source] < 0:
        raise StoreError(f"credit line {entry.entry_id} takes {entry.source} to {accounts[entry.source]}")
