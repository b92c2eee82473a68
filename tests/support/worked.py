"""The worked example of REG-1.0, appendix D: a log of four rounds with two witnesses, and one kit of it."""

from dataclasses import dataclass
from functools import cache

from attestlayer.canonical import Members, format_json
from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.log.leaf import Leaf, LeafRecord
from attestlayer.log.notices import NoticeType
from support.build import (
    ISSUER,
    POLICY,
    START,
    Delivered,
    Log,
    Plan,
    Round,
    deliver,
    quorum_policy,
    seal,
    witness,
    witness_policy,
)

WITNESSES = (witness(1), witness(2))
COSIGNED = ((WITNESSES[0], 2), (WITNESSES[1], -1))
"""Seconds between the checkpoint's timestamp and the cosignature's."""

RECORDS = (("records/001-order.txt", b"Pay 12.50\n"), ("records/002-approval.txt", b"Yes.\n"))


@dataclass(frozen=True)
class Worked:
    """The example. `leaves` are in order of the log; `kit` is checked with the trust root of sequence 3."""

    kit: Delivered
    leaves: tuple[LeafRecord, ...]

    @property
    def log(self) -> Log:
        """The log."""
        return self.kit.log

    @property
    def index(self) -> int:
        """The place of the kit's leaf."""
        return self.leaves.index(self.kit.sealed.record)


def _other(number: int, after: int) -> LeafRecord:
    """A leaf of some other kit, issued `after` seconds behind sequence 0."""
    return Leaf(
        client_nonce_hash=sha256(b"nonce %d" % number),
        intake_policy_hash=sha256(format_json(POLICY)),
        issued_at=START + after,
        issuer_kid=ISSUER.public.kid,
        kit_digest=sha256(b"kit %d" % number),
        lane_id="PAY-01",
        manifest_root=sha256(b"manifest %d" % number),
        profile_id="wire-transfer",
        statement_hash=sha256(b"statement %d" % number),
    ).record()


@cache
def worked() -> Worked:
    """The log and the kit. The policy is in force from sequence 1 on, so that sequence 0 needs no witness."""
    log = Log(notices=(witness_policy(format_time(START + 60), quorum_policy(WITNESSES)),))
    before = (_other(1, 30), _other(2, 40))
    seen = log.publish(Round(leaves=before, cosigners=COSIGNED)).checkpoint
    kit = seal(Plan(records=RECORDS, nonce_checkpoint=seen))
    after = (kit.record, _other(3, 95), _other(4, 100))
    log.publish(Round(leaves=after, cosigners=COSIGNED))
    members = deliver(kit, log.receipt(kit.record))
    withdrawn: Members = {"leaf_hash": format_hash(before[0].leaf_hash), "reason": "issued-in-error"}
    log.publish(Round(notices=((NoticeType.KIT_WITHDRAWN, withdrawn),), cosigners=COSIGNED))
    return Worked(Delivered(members, log.trust(), log, kit), (*before, *after))
