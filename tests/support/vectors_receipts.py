"""Vectors of registry receipts by themselves, with a trust root and with a JWKS (REG-1.0 section 12.6)."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from attestlayer.canonical import Json, Members, format_json, take_array, take_members
from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.errors import Reason
from attestlayer.log.leaf import LeafRecord, RegistryReceipt
from attestlayer.log.notices import IncidentReason, NoticeType, Role, key_added, late_merge
from support.build import (
    ISSUED_AT,
    ORIGIN,
    REGISTRY,
    START,
    Delivered,
    Round,
    Scenario,
    key_retired,
    key_revoked,
    make,
    private_key,
    quorum_policy,
    witness,
    witness_policy,
)

Vector = dict[str, object]
Change = Callable[[Members], object]

_SECOND = private_key("second registry key")
_BOTH = (key_added(Role.REGISTRY, _SECOND.public, START),)
_LATE = Round(after=ISSUED_AT + 601 - START - 60)
_LATER = format_time(START + 180)


@dataclass(frozen=True)
class _Case:
    """A scenario, and what its registry receipt comes to with its trust root and with its JWKS."""

    comment: str
    scenario: Scenario
    by_trust: Reason | None
    by_jwks: Reason | None


_WITNESSED = (witness_policy(format_time(START), quorum_policy([witness(1)])),)
_CASES = (
    _Case("As it was published.", Scenario(), None, None),
    _Case(
        "Signed by both registry keys.",
        Scenario(genesis=_BOTH, merge=Round(signers=(REGISTRY, _SECOND))),
        None,
        None,
    ),
    _Case(
        "Its key was retired before.",
        Scenario(
            genesis=_BOTH,
            merge=Round(signers=(REGISTRY, _SECOND)),
            later=(key_retired(REGISTRY, format_time(START + 100)),),
            later_signer=_SECOND,
        ),
        Reason.REGISTRY_KEY_NOT_VALID,
        Reason.REGISTRY_KEY_NOT_VALID,
    ),
    _Case(
        "Its key was revoked later, and witnesses had cosigned: a JWKS knows of none.",
        Scenario(
            genesis=(*_WITNESSED, *_BOTH),
            merge=Round(cosigners=((witness(1), 5),)),
            later=(key_revoked(REGISTRY, _LATER),),
            later_signer=_SECOND,
        ),
        None,
        Reason.REGISTRY_KEY_REVOKED,
    ),
    _Case(
        "Its note bears another key's line only, which was revoked later.",
        Scenario(
            genesis=_BOTH, later=(key_revoked(_SECOND, _LATER),), merge=Round(signers=(REGISTRY, _SECOND))
        ),
        None,
        None,
    ),
    _Case(
        "A quorum that was not met: a JWKS knows of none.",
        Scenario(genesis=_WITNESSED),
        Reason.WITNESS_QUORUM_NOT_MET,
        None,
    ),
    _Case(
        "Late, and no incident says so: a JWKS knows of none.",
        Scenario(merge=_LATE),
        Reason.LATE_MERGE_UNEXPLAINED,
        None,
    ),
    _Case(
        "Late, with an incident.",
        Scenario(merge=_LATE, later=(late_merge(2, 2, IncidentReason.OVERLOAD),)),
        None,
        None,
    ),
    _Case(
        "Dated after its checkpoint.",
        Scenario(merge=Round(after=29)),
        Reason.ISSUED_AFTER_CHECKPOINT,
        Reason.ISSUED_AFTER_CHECKPOINT,
    ),
)


def receipt_vectors() -> list[Vector]:
    """All of them."""
    return [*_published(), *_changed(), *_withdrawn(), *_outdated(), *_key_sets()]


def _vectors(
    comment: str, data: bytes, delivered: Delivered, by: tuple[Reason | None, Reason | None]
) -> Iterator[Vector]:
    given: dict[str, object] = {"data": base64.b64encode(data).decode()}
    by_trust = {**given, "kind": "receipt-by-trust", "trust": delivered.trust.format().decode()}
    by_jwks = {
        **given,
        "kind": "receipt-by-jwks",
        "jwks": format_json(_jwks(delivered)).decode(),
        "origin": ORIGIN,
    }
    for expect, members in zip(by, (by_trust, by_jwks), strict=True):
        yield {"comment": comment, "expect": expect.value if expect else "accepted", "input": members}


def _receipt(delivered: Delivered) -> RegistryReceipt:
    return delivered.log.receipt(delivered.sealed.record, 2)


def _published() -> Iterator[Vector]:
    for case in _CASES:
        delivered = make(case.scenario)
        yield from _vectors(
            case.comment, _receipt(delivered).format(), delivered, (case.by_trust, case.by_jwks)
        )


def _changed() -> Iterator[Vector]:
    delivered = make()
    receipt = _receipt(delivered)
    record = LeafRecord(receipt.record.leaf, sha256(b"x"))
    unsigned = replace(receipt.checkpoint, signature=bytes(64))
    cases: tuple[tuple[str, RegistryReceipt, Reason], ...] = (
        ("Another leaf hash.", replace(receipt, record=record), Reason.LEAF_HASH_MISMATCH),
        ("Another leaf index.", replace(receipt, leaf_index=1), Reason.INCLUSION_PROOF_INVALID),
        (
            "An unsigned checkpoint.",
            replace(receipt, checkpoint=unsigned),
            Reason.CHECKPOINT_SIGNATURE_INVALID,
        ),
    )
    for comment, changed, reason in cases:
        yield from _vectors(comment, changed.format(), delivered, (reason, reason))
    malformed = Reason.REGISTRY_RECEIPT_MALFORMED
    yield from _vectors("A newline at the end.", receipt.format() + b"\n", delivered, (malformed, malformed))


def _withdrawn() -> Iterator[Vector]:
    delivered = make()
    data: Members = {
        "leaf_hash": format_hash(delivered.sealed.record.leaf_hash),
        "reason": "records-in-error",
    }
    delivered.log.publish(Round(notices=((NoticeType.KIT_WITHDRAWN, data),)))
    known = replace(delivered, trust=delivered.log.trust())
    yield from _vectors(
        "Withdrawn: a JWKS does not know.", _receipt(delivered).format(), known, (Reason.KIT_WITHDRAWN, None)
    )


def _outdated() -> Iterator[Vector]:
    """In the log after merge_by; only notices that the trust root lacks say why."""
    late = Round(after=ISSUED_AT + 601 - START - 60, notices=(late_merge(2, 2, IncidentReason.OUTAGE),))
    delivered = make(Scenario(merge=late))
    older = replace(delivered, trust=delivered.log.trust(1))
    yield from _vectors(
        "A late merge whose incident is newer than the trust root.",
        _receipt(delivered).format(),
        older,
        (Reason.TRUST_ROOT_OUTDATED, None),
    )


def _jwks(delivered: Delivered) -> Members:
    return dict(delivered.trust.keyring.jwks(Role.REGISTRY))


def _key_sets() -> Iterator[Vector]:
    """JWKS documents that are refused, and another origin."""
    delivered = make()
    data = base64.b64encode(_receipt(delivered).format()).decode()

    def changed(change: Change) -> bytes:
        value = _jwks(delivered)
        change(take_members(take_array(value, "keys")[0]))
        return format_json(value)

    def doubled() -> bytes:
        keys: list[Json] = take_array(_jwks(delivered), "keys")
        return format_json({"keys": [*keys, *keys]})

    sound = format_json(_jwks(delivered))
    unusable = Reason.TRUST_ROOT_UNUSABLE
    cases: tuple[tuple[str, bytes, str, Reason], ...] = (
        ("The registry of another name.", sound, "other.example.org", Reason.ORIGIN_MISMATCH),
        ("A JWKS without keys.", format_json({"keys": []}), ORIGIN, Reason.REGISTRY_KEY_UNKNOWN),
        ("A JWKS with a key twice.", doubled(), ORIGIN, unusable),
        ("A JWKS with alg.", changed(lambda key: key.update(alg="EdDSA")), ORIGIN, unusable),
        ("A JWKS without the key's times.", changed(lambda key: key.pop("revoked_at")), ORIGIN, unusable),
        ("A JWKS with another member.", format_json({**_jwks(delivered), "x": 0}), ORIGIN, unusable),
        ("A JWKS that is not canonical.", sound + b"\n", ORIGIN, unusable),
        ("A JWKS that is none.", b"[]", ORIGIN, unusable),
    )
    for comment, jwks, origin, reason in cases:
        given = {"kind": "receipt-by-jwks", "data": data, "jwks": jwks.decode(), "origin": origin}
        yield {"comment": comment, "expect": reason.value, "input": given}
