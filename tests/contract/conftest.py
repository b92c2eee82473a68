"""Fixtures over all adapters of a port."""

from pathlib import Path

import pytest

from contract.factories import TABLES, ledger_factory
from contract.places import Place
from contract.racing import Factory, Race
from issuer.ledger.ledger import Ledger
from issuer.ports import Table


@pytest.fixture(params=TABLES, ids=lambda factory: factory.name)
def table_factory(request: pytest.FixtureRequest) -> Factory[Table]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def table_place(table_factory: Factory[Table], tmp_path: Path) -> Place[Table]:
    return Place(table_factory, tmp_path)


@pytest.fixture
def table(table_place: Place[Table]) -> Table:
    return table_place.open()


RACING = [
    pytest.param((factory, processes), id=f"{factory.name}-{'processes' if processes else 'threads'}")
    for factory in TABLES
    for processes in ((False, True) if factory.processes else (False,))
    if factory.races
]


@pytest.fixture(params=RACING)
def table_race(request: pytest.FixtureRequest, tmp_path: Path) -> Race[Table]:
    factory, processes = request.param
    return Race(factory, tmp_path, count=4 if processes else 16, processes=processes)


@pytest.fixture
def ledger_race(table_race: Race[Table]) -> Race[Ledger]:
    return Race(ledger_factory(table_race.factory), table_race.place, table_race.count, table_race.processes)
