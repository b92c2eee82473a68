"""The fault matrix (`scripts/fault-matrix`): each write fails in each way; all cells are green.

In the cloud the faults are on the wire: `test_http_matrix`.
"""

from itertools import product
from typing import Any

import pytest

from fault.matrix import SCENARIOS, fill, packet_ready, short, table
from support.backends import LOCAL
from support.faults import COLUMNS, Column, Outcome, Recovery, Scenario
from support.service import TestService
from support.thorough import THOROUGH

ONE, SAME = COLUMNS[:4], tuple(column for column in COLUMNS if column.second is column.first)
OTHER = tuple(column for column in COLUMNS if column not in (*ONE, *SAME))
HALF = COLUMNS[1:3]
"""Lost and begun again by another process; stored and tried again by the same."""

PARTS = {"half of one fault": HALF, "one fault": ONE, "the same twice": SAME, "one, then the other": OTHER}
ALWAYS = {"round-half of one fault", "idle-the same twice"} | {
    f"{name}-one fault" for name in SCENARIOS if name != "round"
}
"""What is run each time: a round takes as long as all the others."""


def acts_and_columns() -> list[Any]:
    """Each act with each part of the columns."""
    return [
        pytest.param(scenario, columns, id=case, marks=() if case in ALWAYS else THOROUGH)
        for (name, scenario), (part, columns) in product(SCENARIOS.items(), PARTS.items())
        for case in [f"{name}-{part}"]
        if columns is not HALF or case in ALWAYS
    ]


@pytest.mark.parametrize(("scenario", "columns"), acts_and_columns())
def test_after_every_fault_at_every_write_all_is_well(
    scenario: Scenario, columns: tuple[Column, ...]
) -> None:
    rows = fill(LOCAL, scenario, columns)
    assert len(rows) >= scenario.at_least
    assert {len(cells) for _, cells in rows} == {len(columns)}
    text = table(scenario.name, rows, columns)
    assert "RED" not in text, text


def grants_again_when_in_doubt(service: TestService) -> None:
    service.grant(1)


def test_a_service_that_does_a_stored_write_again_is_red() -> None:
    """What the matrix is there to find: each run is a new grant, so that one more is one too many."""
    again = Scenario("again", packet_ready, grants_again_when_in_doubt, 1)
    column = Column(Outcome.STORED, Recovery.RETRY, Outcome.STORED)
    ((write, cells),) = fill(LOCAL, again, [column])
    assert write == "ledger post_credits"
    assert "balance=10" in cells[column]
    assert "RED" in table("again", [(write, cells)], [column])


def test_the_table_names_writes_without_their_hashes() -> None:
    assert short("private batch/3-" + "0a" * 32) == "private batch/3-…"
    assert short("private sealed/" + "0a" * 32 + ".zip") == "private sealed/….zip"
    assert short("public v1/notices/" + "x" * 43 + ".json") == "public v1/notices/….json"
