"""Qualification: a partner asks to take part, the operator accepts or declines and records the scope."""

from dataclasses import dataclass, replace

from attestlayer.encoding import format_time, shown
from issuer.errors import Code, ServiceError
from issuer.kits.names import make_id
from issuer.kits.terms import tier_of
from issuer.ledger.ledger import Ledger
from issuer.model import Contact, Qualification, QualificationState
from issuer.ports import Clock, Entropy


@dataclass(frozen=True)
class Qualifications:
    """Receives requests to take part and records the one decision about each."""

    ledger: Ledger
    clock: Clock
    entropy: Entropy

    def receive(self, tier: str, contact: Contact, workflow: str) -> Qualification:
        """Store a request. Raises INVALID_REQUEST for an unknown tier or an empty description."""
        if not workflow.strip():
            raise ServiceError(
                Code.INVALID_REQUEST, "workflow: wanted a description of the partner's workflow"
            )
        now = self.clock.now()
        qualification = Qualification(
            qualification_id=make_id("qual", now, self.entropy),
            tier=tier_of(tier).name,
            contact=contact,
            workflow=workflow,
            received_at=int(now),
        )
        self.ledger.add_qualification(qualification)
        return qualification

    def decide(
        self, qualification_id: str, *, accepted: bool, decided_by: str, scope: str, boundaries: str
    ) -> Qualification:
        """Accept or decline a request once. Raises NOT_FOUND, WRONG_STATE.

        `decided_by`: the person, for the record; `scope`, `boundaries`: text for people.
        """
        request = self.ledger.qualification(qualification_id)
        if request is None:
            raise ServiceError(Code.NOT_FOUND, f"there is no qualification {shown(qualification_id)}")
        if request.state != QualificationState.RECEIVED:
            when = format_time(request.decided_at or 0)
            raise ServiceError(
                Code.WRONG_STATE,
                f"the qualification was {request.state} on {when} by {shown(request.decided_by)}; a decision "
                "is not changed",
            )
        decided = replace(
            request,
            state=QualificationState.ACCEPTED if accepted else QualificationState.DECLINED,
            decided_at=int(self.clock.now()),
            decided_by=decided_by,
            scope=scope,
            boundaries=boundaries,
            version=request.version + 1,
        )
        self.ledger.replace_qualification(decided)
        return decided
