"""The fault matrix on S3 and DynamoDB, by turns; `scripts/fault-matrix --cloud` runs and prints all of it."""

import pytest

from fault.http_matrix import HTTP_COLUMNS, Chosen, by_turns, fill, now_and_then
from fault.matrix import SCENARIOS
from support.faults import Scenario
from support.thorough import thorough


@pytest.mark.parametrize("chosen", [now_and_then, thorough(by_turns)])
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_after_a_fault_on_the_wire_all_is_well(scenario: Scenario, chosen: Chosen) -> None:
    rows = fill(scenario, chosen)
    assert len(rows) >= scenario.at_least
    for at, (write, cells) in enumerate(rows):
        assert list(cells) == [column for column in HTTP_COLUMNS if chosen(at, column)]
        for column, reason in cells.items():
            assert not reason, f"{write}, {column}: {reason}"


@pytest.mark.parametrize(("chosen", "rows"), [(by_turns, 5), (now_and_then, 30)])
def test_every_fault_has_its_turn(chosen: Chosen, rows: int) -> None:
    for column in HTTP_COLUMNS:
        assert any(chosen(at, column) for at in range(rows))
