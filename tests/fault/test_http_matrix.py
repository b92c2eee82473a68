"""The fault matrix on S3 and DynamoDB, by turns; `scripts/fault-matrix --cloud` runs and prints all of it."""

import pytest

from fault.http_matrix import HTTP_COLUMNS, by_turns, fill
from fault.matrix import SCENARIOS
from support.faults import Scenario


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=list(SCENARIOS))
def test_after_a_fault_on_the_wire_all_is_well(scenario: Scenario) -> None:
    rows = fill(scenario, by_turns)
    assert len(rows) >= scenario.at_least
    for write, cells in rows:
        assert len(cells) == 2
        for column, reason in cells.items():
            assert not reason, f"{write}, {column}: {reason}"


def test_every_fault_has_its_turn() -> None:
    for column in HTTP_COLUMNS:
        assert any(by_turns(at, column) for at in range(len(HTTP_COLUMNS) // 2))
