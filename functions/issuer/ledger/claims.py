"""Idempotency claims.

A claim holds while its token is the stored one and there is no answer. Its lease counts up to and
including `lease_until`; from the next second another call takes it over. No key ever expires.
"""

from dataclasses import dataclass, replace

from attestlayer.canonical import format_json, parse_json, take_members
from issuer.errors import Code, ServiceError
from issuer.ledger.keys import claim_key
from issuer.ledger.rows import Rows
from issuer.ledger.work import Work
from issuer.model import Answer, Claim, Packet


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """An idempotency key as stored. `token` is None once the claim was given up."""

    request_hash: bytes
    token: str | None
    lease_until: int = 0
    answer: Answer | None = None


CLAIMS = Rows(StoredClaim)


def take(work: Work, claim: Claim, now: int) -> Answer | None:
    """Claims the key, renews its lease, or returns the answer that is bound to it (`Ledger.claim`)."""
    stored = work.get(CLAIMS, claim_key(claim))
    if stored and stored.request_hash != claim.request_hash:
        raise ServiceError(
            Code.IDEMPOTENCY_MISMATCH, f"Idempotency-Key {claim.key} was used for another request"
        )
    if stored and stored.answer:
        return stored.answer
    if stored and stored.token not in (None, claim.token) and stored.lease_until >= now:
        raise _in_progress(claim, "a call with it is running", stored.lease_until - now + 1)
    work.put(CLAIMS, claim_key(claim), StoredClaim(claim.request_hash, claim.token, claim.lease_until))
    return None


def check_held(work: Work, claim: Claim, now: int | None = None) -> None:
    """Raises IN_PROGRESS unless the claim holds, at `now` if that is given."""
    stored = work.get(CLAIMS, claim_key(claim))
    if stored is None or stored.token != claim.token:
        raise _in_progress(claim, "the claim was lost to another call")
    if stored.answer:
        raise _in_progress(claim, "the claim was answered already")
    if now is not None and stored.lease_until < now:
        raise _in_progress(claim, f"the lease ended at {stored.lease_until}, now is {now}")


def is_settled(work: Work, claim: Claim) -> bool:
    """Whether this very claim was answered."""
    stored = work.get(CLAIMS, claim_key(claim))
    return stored is not None and stored.token == claim.token and stored.answer is not None


def bind(work: Work, claim: Claim, answer: Answer) -> None:
    """Bind the answer to a claim that was checked, without a report that the packet holds."""
    stored = work.get(CLAIMS, claim_key(claim))
    assert stored is not None
    if answer.report_of:
        answer = replace(answer, body=_with_report(answer, None))
    work.put(CLAIMS, claim_key(claim), replace(stored, answer=answer))


def complete(answer: Answer, packet: Packet | None) -> Answer:
    """The answer with the report that `packet` holds for it: null once that was deleted."""
    if answer.report_of is None:
        return answer
    numbered = {each.number: each.report for each in packet.attempts} if packet else {}
    return replace(answer, body=_with_report(answer, numbered.get(answer.report_of[1])))


def _with_report(answer: Answer, report: bytes | None) -> bytes:
    members = take_members(parse_json(answer.body))
    return format_json({**members, "blocker_report": report and parse_json(report)})


def give_up(work: Work, claim: Claim) -> None:
    """Gives the key up unless it was answered or lost (`Ledger.release`)."""
    stored = work.get(CLAIMS, claim_key(claim))
    if stored and stored.token == claim.token and stored.answer is None:
        work.put(CLAIMS, claim_key(claim), StoredClaim(stored.request_hash, None))


def _in_progress(claim: Claim, why: str, retry_after_s: int | None = None) -> ServiceError:
    return ServiceError(Code.IN_PROGRESS, f"Idempotency-Key {claim.key}: {why}", retry_after_s=retry_after_s)
