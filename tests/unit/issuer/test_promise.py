"""The merge promise: credits that come back, the cadence kept."""

import pytest

from issuer.model import CreditKind
from issuer.services.sequence import Sequencer
from support.log import TestLog
from support.service import WORKSPACE, TestService


@pytest.mark.parametrize("cohort", [None, "spring"])
def test_a_late_credit_goes_back_to_the_account_that_paid(log: TestLog, cohort: str | None) -> None:
    service = TestService(log).start(3)
    account = "available"
    if cohort:
        account = f"reserved:{cohort}"
        service.grant(2, account)
    service.issue(service.packet(b"a record", cohort=cohort))
    before = service.ports.ledger.balance(WORKSPACE, account)
    log.clock.time += 660  # past merge_by, 600 s after issued_at
    for _ in range(2):
        Sequencer(service.ports).run()
        log.clock.time += 60
    assert service.ports.ledger.balance(WORKSPACE, account) == before + 1
    lines = service.ports.ledger.credit_entries(WORKSPACE, None, 100)
    (line,) = [line for line in lines if line.kind == CreditKind.RETURNED]
    assert (line.source, line.target, line.amount) == ("consumed", account, 1)
    assert service.deliver().delivered
