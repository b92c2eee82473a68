"""Idempotency claims in a DynamoDB transaction.

A claim holds while its token is the stored one and there is no answer. Its lease counts up to and
including `lease_until`; from the next second another call takes it over. No claim ever expires.
"""

from issuer.adapters.aws.dynamodb_items import Item, Value
from issuer.adapters.aws.dynamodb_keys import claim_key
from issuer.adapters.aws.dynamodb_work import Work
from issuer.adapters.aws.packed import packed, unpacked
from issuer.adapters.rows import ANSWERS
from issuer.errors import Code, ServiceError
from issuer.model import Answer, Claim


def take(work: Work, claim: Claim, now: int) -> Answer | None:
    """`Ledger.claim`."""
    stored = work.get(claim_key(claim))
    if stored is None:
        _put(work, claim, token=claim.token, lease_until=claim.lease_until)
        return None
    if stored.attributes["request"] != claim.request_hash:
        raise ServiceError(
            Code.IDEMPOTENCY_MISMATCH, f"Idempotency-Key {claim.key} was used for another request"
        )
    if stored.body:
        return ANSWERS.parse(unpacked(stored.body))
    token, lease_until = stored.text("token"), stored.number("lease_until")
    if token is not None and token != claim.token and lease_until >= now:
        raise _in_progress(claim, "a call with it is running", lease_until - now + 1)
    _put(work, claim, token=claim.token, lease_until=claim.lease_until)
    return None


def check_held(work: Work, claim: Claim, now: int | None = None) -> Item:
    """The claim as stored. Raises IN_PROGRESS unless it holds, at `now` if that is given."""
    stored = work.get(claim_key(claim))
    if stored is None or stored.text("token") != claim.token:
        raise _in_progress(claim, "the claim was lost to another call")
    if stored.body:
        raise _in_progress(claim, "the claim was answered already")
    lease_until = stored.number("lease_until")
    if now is not None and lease_until < now:
        raise _in_progress(claim, f"the lease ended at {lease_until}, now is {now}")
    return stored


def is_settled(work: Work, claim: Claim) -> bool:
    """Whether this very claim was answered."""
    stored = work.get(claim_key(claim))
    return stored is not None and stored.text("token") == claim.token and bool(stored.body)


def bind(work: Work, claim: Claim, answer: Answer) -> None:
    """Bind the answer to a claim that was checked."""
    stored = work.get(claim_key(claim))
    assert stored is not None
    work.put(claim_key(claim), stored.attributes, packed(ANSWERS.format(answer)))


def give_up(work: Work, claim: Claim) -> None:
    """`Ledger.release`."""
    stored = work.get(claim_key(claim))
    if stored and stored.text("token") == claim.token and not stored.body:
        work.put(claim_key(claim), {"request": stored.attributes["request"]})


def _put(work: Work, claim: Claim, *, token: str, lease_until: int) -> None:
    attributes: dict[str, Value] = {
        "request": claim.request_hash,
        "token": token,
        "lease_until": lease_until,
    }
    work.put(claim_key(claim), attributes)


def _in_progress(claim: Claim, why: str, retry_after_s: int | None = None) -> ServiceError:
    return ServiceError(Code.IN_PROGRESS, f"Idempotency-Key {claim.key}: {why}", retry_after_s=retry_after_s)
