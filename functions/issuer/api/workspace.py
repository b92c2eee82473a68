"""/v1/workspace: tier, balance, contacts, and the credit ledger."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from aws_lambda_powertools.event_handler import Request

from attestlayer.encoding import format_time
from issuer.api.answers import contact_answer, credit_answer
from issuer.api.bodies import ContactsBody
from issuer.api.call import JSON, Call, Reply, call_of, reply, reply_text
from issuer.api.paging import DEFAULT_LIMIT, Limit, Page, StartingAfter, unknown_cursor
from issuer.api.preferences import choose_media_type
from issuer.api.shapes import CreditAnswer, CreditsAnswer, ReserveAnswer, WorkspaceAnswer
from issuer.kits.terms import tier_of
from issuer.model import Contact, CreditEntry, Workspace

CSV = "text/csv"
CREDITS_PATH = "/v1/workspace/credits"

_RESERVED = "reserved:"
_AT_ONCE = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def get_workspace(request: Request) -> Reply:
    """Tier, balance, reserved capacity per cohort, contacts, end of the term."""
    call = call_of(request)
    return _reply(call, call.service.workspaces.get(call.workspace_id))


def put_contacts(request: Request, body: ContactsBody) -> Reply:
    """Put a contact list in place of the old one."""
    call = call_of(request)
    contacts = [Contact(each.name, each.email, each.role) for each in body.contacts]
    return _reply(call, call.service.workspaces.replace_contacts(call.workspace_id, contacts))


def get_credits(
    request: Request, starting_after: StartingAfter = None, limit: Limit = DEFAULT_LIMIT
) -> Reply:
    """The credit ledger in double entry, oldest line first; CSV if Accept prefers it."""
    call, page = call_of(request), Page(starting_after, limit)
    ledger, workspace_id = call.service.ledger, call.workspace_id
    entries, has_more = page.read(lambda after, most: ledger.credit_entries(workspace_id, after, most))
    if starting_after is not None and not entries and not _has_line(call, starting_after):
        raise unknown_cursor(starting_after)
    headers = page.following(CREDITS_PATH, entries[-1].entry_id if entries else None, has_more=has_more)
    lines = [credit_answer(entry) for entry in entries]
    if choose_media_type(call.headers.get("accept"), (JSON, CSV)) == CSV:
        return reply_text(_format_csv(lines), f"{CSV}; charset=utf-8; header=present", headers=headers)
    return reply(CreditsAnswer(credits=lines, has_more=has_more), headers=headers)


def _reply(call: Call, workspace: Workspace) -> Reply:
    return reply(
        WorkspaceAnswer(
            workspace_id=workspace.workspace_id,
            name=workspace.name,
            tier=workspace.tier,
            open_packets_limit=tier_of(workspace.tier).open_packets,
            credits_available=call.service.ledger.balance(workspace.workspace_id),
            credits_reserved=_reserves(call),
            created_at=format_time(workspace.created_at),
            term_ends_at=format_time(workspace.term_ends_at),
            contacts=[contact_answer(contact) for contact in workspace.contacts],
        )
    )


def _reserves(call: Call) -> list[ReserveAnswer]:
    """Cohorts with credits left, from the ledger's lines. O(lines)."""
    held: Counter[str] = Counter()
    for entry in _all_lines(call):
        held[entry.target] += entry.amount
        held[entry.source] -= entry.amount
    return [
        ReserveAnswer(cohort=account.removeprefix(_RESERVED), credits=amount)
        for account, amount in sorted(held.items())
        if account.startswith(_RESERVED) and amount > 0
    ]


def _has_line(call: Call, entry_id: str) -> bool:
    return any(entry.entry_id == entry_id for entry in _all_lines(call))


def _all_lines(call: Call) -> Iterator[CreditEntry]:
    after: str | None = None
    while page := call.service.ledger.credit_entries(call.workspace_id, after, _AT_ONCE):
        yield from page
        after = page[-1].entry_id


def _format_csv(lines: Sequence[CreditAnswer]) -> str:
    """RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CreditAnswer.model_fields)
    for line in lines:
        writer.writerow(_harmless(value) for value in line.model_dump().values())
    return out.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
