"""Idempotency-Key: a request is carried out once, and its answer is bound to the key for ever."""

from collections.abc import Callable

from issuer.api.call import Call, Reply, reply_stored
from issuer.model import Answer, Claim


def carry_out_once(call: Call, carry_out: Callable[[Claim], Answer]) -> Reply:
    """Claim the key and carry out, or answer what the key was answered before.

    `carry_out` binds its answer to the claim itself, in the transaction that does its work. If it
    raises, the key is free again for the same request. Raises as `Ledger.claim`.
    """
    packets = call.service.packets
    claim = packets.claim(call.workspace_id, call.idempotency_key(), call.signed)
    if isinstance(claim, Answer):
        return reply_stored(claim, replayed=True)
    try:
        return reply_stored(carry_out(claim), replayed=False)
    except BaseException:
        call.service.ledger.release(claim)
        raise
