"""Fixtures over all adapters of a port."""

from pathlib import Path

import pytest

from contract.factories import LEDGERS
from contract.ledgers import LedgerPlace
from contract.racing import Factory, Race
from issuer.ports import Ledger


@pytest.fixture(params=LEDGERS, ids=lambda factory: factory.name)
def ledger_factory(request: pytest.FixtureRequest) -> Factory[Ledger]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def ledger_place(ledger_factory: Factory[Ledger], tmp_path: Path) -> LedgerPlace:
    return LedgerPlace(ledger_factory, tmp_path)


@pytest.fixture
def ledger(ledger_place: LedgerPlace) -> Ledger:
    return ledger_place.open()


@pytest.fixture(params=["threads", "processes"])
def _processes(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "processes")


@pytest.fixture(params=[each for each in LEDGERS if each.races], ids=lambda factory: factory.name)
def ledger_race(request: pytest.FixtureRequest, tmp_path: Path, *, _processes: bool) -> Race[Ledger]:
    return Race(request.param, tmp_path, count=4 if _processes else 16, processes=_processes)
