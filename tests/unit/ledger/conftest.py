"""The ledger over a table in memory."""

from pathlib import Path

import pytest

from contract.racing import Factory, Race
from issuer.ledger.ledger import Ledger
from support.tables import DictTable, dict_table


@pytest.fixture
def table() -> DictTable:
    return DictTable()


@pytest.fixture
def ledger(table: DictTable) -> Ledger:
    return Ledger(table)


@pytest.fixture
def ledger_race(tmp_path: Path) -> Race[Ledger]:
    """Threads whose transactions run side by side, which is the least that a `Table` promises."""
    return Race(Factory("dict", lambda place: Ledger(dict_table(place))), tmp_path, 16, processes=False)
