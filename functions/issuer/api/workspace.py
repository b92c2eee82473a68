"""/v1/qualifications and /v1/workspace: a partner's request to take part, balance, contacts, credits."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

from attestlayer.encoding import format_time
from issuer.api.call import (
    DEFAULT_LIMIT,
    Call,
    Limit,
    Page,
    StartingAfter,
    shape_answer,
    text_answer,
    unknown_cursor,
)
from issuer.api.shapes import (
    ContactAnswer,
    ContactsBody,
    CreditAnswer,
    CreditsAnswer,
    QualificationAnswer,
    QualificationBody,
    ReserveAnswer,
    WorkspaceAnswer,
)
from issuer.kits.terms import tier_of
from issuer.ledger.whole import all_lines
from issuer.model import Answer, Contact, CreditEntry, Workspace

CSV = "text/csv"
CREDITS_PATH = "/v1/workspace/credits"

_RESERVED = "reserved:"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def receive(call: Call, body: QualificationBody) -> Answer:
    """Ask to take part. The operator answers the contact; nothing is provisioned by this call."""
    contact = Contact(body.contact.name, body.contact.email, body.contact.role)
    qualification = call.service.qualifications.receive(body.tier, contact, body.workflow)
    answer = QualificationAnswer(
        qualification_id=qualification.qualification_id,
        tier=qualification.tier,
        state=qualification.state.value,
        received_at=format_time(qualification.received_at),
    )
    return shape_answer(answer, 201)


def get_workspace(call: Call) -> Answer:
    """Tier, balance, reserved capacity per cohort, contacts, end of the term."""
    return _workspace(call, call.service.workspaces.get(call.workspace_id))


def put_contacts(call: Call, body: ContactsBody) -> Answer:
    """Put a contact list in place of the old one."""
    contacts = [Contact(contact.name, contact.email, contact.role) for contact in body.contacts]
    return _workspace(call, call.service.workspaces.replace_contacts(call.workspace_id, contacts))


def get_credits(call: Call, starting_after: StartingAfter = None, limit: Limit = DEFAULT_LIMIT) -> Answer:
    """The credit ledger in double entry, oldest line first; CSV if Accept prefers it."""
    page = Page(starting_after, limit)
    ledger, workspace_id = call.service.ledger, call.workspace_id
    entries, has_more = page.read(lambda after, most: ledger.credit_entries(workspace_id, after, most))
    # Looked for only if the page is empty, since it takes O(lines): else it would look like the list's end.
    if starting_after is not None and not entries and not _has_line(call, starting_after):
        raise unknown_cursor(starting_after)
    headers = page.following(CREDITS_PATH, entries[-1].entry_id if entries else None, has_more=has_more)
    lines = [_credit(entry) for entry in entries]
    if call.prefers(CSV):
        # RFC 4180 section 3: `header` says whether the first line names the columns.
        return text_answer(_format_csv(lines), f"{CSV}; charset=utf-8; header=present", headers)
    return shape_answer(CreditsAnswer(credits=lines, has_more=has_more), headers=headers)


def _workspace(call: Call, workspace: Workspace) -> Answer:
    return shape_answer(
        WorkspaceAnswer(
            workspace_id=workspace.workspace_id,
            name=workspace.name,
            tier=workspace.tier,
            open_packets_limit=tier_of(workspace.tier).open_packets,
            credits_available=call.service.ledger.balance(workspace.workspace_id),
            credits_reserved=_reserves(call),
            created_at=format_time(workspace.created_at),
            term_ends_at=format_time(workspace.term_ends_at),
            contacts=[
                ContactAnswer(name=contact.name, email=contact.email, role=contact.role)
                for contact in workspace.contacts
            ],
        )
    )


def _credit(entry: CreditEntry) -> CreditAnswer:
    return CreditAnswer(
        entry_id=entry.entry_id,
        at=format_time(entry.at),
        kind=entry.kind.value,
        amount=entry.amount,
        source=entry.source,
        target=entry.target,
        reference=entry.reference,
    )


def _reserves(call: Call) -> list[ReserveAnswer]:
    """Cohorts with credits left, computed from the ledger's lines. O(lines)."""
    # Double entry: a reserve holds what was moved to its account less what was moved from it.
    balances: Counter[str] = Counter()
    for entry in all_lines(call.service.ledger, call.workspace_id):
        balances[entry.target] += entry.amount
        balances[entry.source] -= entry.amount
    return [
        ReserveAnswer(cohort=account.removeprefix(_RESERVED), credits=amount)
        for account, amount in sorted(balances.items())
        if account.startswith(_RESERVED) and amount > 0
    ]


def _has_line(call: Call, entry_id: str) -> bool:
    return any(entry.entry_id == entry_id for entry in all_lines(call.service.ledger, call.workspace_id))


def _format_csv(lines: Sequence[CreditAnswer]) -> str:
    """The lines as CSV (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)  # its default dialect quotes and ends lines as RFC 4180 section 2 asks
    writer.writerow(CreditAnswer.model_fields)
    for line in lines:
        writer.writerow(_defused(value) for value in line.model_dump().values())
    return out.getvalue()


def _defused(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
