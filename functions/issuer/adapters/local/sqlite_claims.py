"""Idempotency claims inside a transaction.

A claim holds while its token is the stored one and there is no answer. Its lease counts up to and
including `lease_until`; from the next second another call takes it over.
"""

import sqlite3
from dataclasses import dataclass

from issuer.adapters.rows import ANSWERS
from issuer.errors import Code, ServiceError
from issuer.model import Answer, Claim


@dataclass(frozen=True, slots=True)
class _Stored:
    request_hash: bytes
    token: str | None
    lease_until: int | None
    answer: str | None


def take(connection: sqlite3.Connection, claim: Claim, now: int) -> Answer | None:
    """`Ledger.claim`."""
    stored = _stored(connection, claim)
    if stored is None:
        connection.execute(
            "INSERT INTO claims VALUES (?, ?, ?, ?, ?, NULL)",
            (claim.workspace_id, claim.key, claim.request_hash, claim.token, claim.lease_until),
        )
        return None
    if stored.request_hash != claim.request_hash:
        raise ServiceError(
            Code.IDEMPOTENCY_MISMATCH, f"Idempotency-Key {claim.key} was used for another request"
        )
    if stored.answer is not None:
        return ANSWERS.parse(stored.answer)
    if stored.lease_until is not None and stored.lease_until >= now and stored.token != claim.token:
        raise _in_progress(claim, "a call with it is running", stored.lease_until - now + 1)
    connection.execute(
        "UPDATE claims SET token = ?, lease_until = ? WHERE workspace_id = ? AND key = ?",
        (claim.token, claim.lease_until, claim.workspace_id, claim.key),
    )
    return None


def check_held(connection: sqlite3.Connection, claim: Claim, now: int | None = None) -> None:
    """Raises IN_PROGRESS unless the claim holds, at `now` if that is given."""
    stored = _stored(connection, claim)
    if stored is None or stored.token != claim.token:
        raise _in_progress(claim, "the claim was lost to another call")
    if stored.answer is not None:
        raise _in_progress(claim, "the claim was answered already")
    if now is not None and (stored.lease_until is None or stored.lease_until < now):
        raise _in_progress(claim, f"the lease ended at {stored.lease_until}, now is {now}")


def is_settled(connection: sqlite3.Connection, claim: Claim) -> bool:
    """Whether this very claim was answered."""
    stored = _stored(connection, claim)
    return stored is not None and stored.token == claim.token and stored.answer is not None


def bind(connection: sqlite3.Connection, claim: Claim, answer: Answer) -> None:
    """Bind the answer to a claim that was checked."""
    connection.execute(
        "UPDATE claims SET answer = ? WHERE workspace_id = ? AND key = ?",
        (ANSWERS.format(answer), claim.workspace_id, claim.key),
    )


def give_up(connection: sqlite3.Connection, claim: Claim) -> None:
    """`Ledger.release`."""
    connection.execute(
        "UPDATE claims SET token = NULL, lease_until = NULL "
        "WHERE workspace_id = ? AND key = ? AND token = ? AND answer IS NULL",
        (claim.workspace_id, claim.key, claim.token),
    )


def _stored(connection: sqlite3.Connection, claim: Claim) -> _Stored | None:
    query = "SELECT request_hash, token, lease_until, answer FROM claims WHERE workspace_id = ? AND key = ?"
    row = connection.execute(query, (claim.workspace_id, claim.key)).fetchone()
    return None if row is None else _Stored(*row)


def _in_progress(claim: Claim, why: str, retry_after_s: int | None = None) -> ServiceError:
    return ServiceError(Code.IN_PROGRESS, f"Idempotency-Key {claim.key}: {why}", retry_after_s=retry_after_s)
