"""The fault matrix on S3 and DynamoDB, its faults on the wire: `scripts/fault-matrix --cloud`.

Rows are the requests that write, of init, a round, an issuing and a delivery; columns what becomes of one,
and who goes on. A fault of one request the adapters settle themselves: the act must not notice. One after
which nothing answers any more is the service's to recover from.
"""

import argparse
import multiprocessing
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fault.matrix import GREEN, SCENARIOS, table
from issuer.adapters.aws import s3, tries
from issuer.errors import Code, ServiceError
from issuer.log.store import LogPorts
from support.backend import Backend
from support.cloud_backend import CLOUD, open_cloud
from support.cloud_servers import MINISTACK, server_url
from support.fault_proxy import FaultProxy, HttpFault
from support.faults import LEASE_OVER_S, Recovery, Scenario, Settled, settle
from support.log import HeldClock, SeedSigner, TestLog
from support.service import TestService


@dataclass(frozen=True)
class HttpColumn:
    """What becomes of a write; for faults after which nothing answers, who goes on."""

    fault: HttpFault
    recovery: Recovery | None = None

    def __str__(self) -> str:
        return f"{self.fault}/{self.recovery}" if self.recovery else str(self.fault)


HTTP_COLUMNS = tuple(
    HttpColumn(fault, recovery)
    for fault in HttpFault
    for recovery in (tuple(Recovery) if fault.stays_down else (None,))
)
HttpRow = tuple[str, dict[HttpColumn, str]]


@contextmanager
def nothing_waits() -> Iterator[None]:
    """Tries follow one another at once, and writes too, so that their order is the same in every run."""
    before = s3._WRITERS, tries._sleep
    s3._WRITERS, tries._sleep = 1, lambda seconds: None
    try:
        yield
    finally:
        s3._WRITERS, tries._sleep = before


@dataclass
class HttpMatrix:
    """One scenario on the cloud, behind a proxy, in a folder of its own."""

    scenario: Scenario
    folder: Path
    proxy: FaultProxy

    def prepare(self) -> tuple[str, ...]:
        """Make the home; the writes of the act, and what an undisturbed run comes to."""
        made = self.folder / "made"
        made.mkdir(parents=True)
        clock = HeldClock()
        self.scenario.prepare(self.service(made, clock, first=True))
        self.time = clock.time
        service = self.service(self.copied("whole"), HeldClock(self.time))
        self.proxy.disarm()
        self.scenario.act(service)
        writes = tuple(self.proxy.names)
        self.wanted: Settled = settle(CLOUD, self.scenario, service)
        return writes

    def run(self, at: int, column: HttpColumn) -> None:
        """Disturb, recover, go on, check everything. Raises if anything is wrong."""
        home, clock = self.copied(f"{at} {column}".replace("/", " ")), HeldClock(self.time)
        service = self.service(home, clock)
        self.proxy.arm(at, column.fault)
        noticed = self._act(service)
        assert self.proxy.met, "the write was not reached"
        self.proxy.disarm()
        if not column.fault.stays_down:
            assert noticed is None, f"one fault was not settled: {noticed}"
        if column.recovery is Recovery.RELOAD:
            clock.time += LEASE_OVER_S
            service = self.service(home, clock)
        found = settle(self.backend(), self.scenario, service)
        assert found == self.wanted, f"found {found}, undisturbed {self.wanted}"
        shutil.rmtree(home)

    def copied(self, name: str) -> Path:
        """A copy of the home that was made."""
        CLOUD.copy(self.folder / "made", self.folder / name)
        return self.folder / name

    def service(self, home: Path, clock: HeldClock, *, first: bool = False) -> TestService:
        """The service in a process of its own, its adapters opened once."""
        opened: list[LogPorts] = []

        def once(home: Path, clock: HeldClock, cadence_s: int, signer: SeedSigner) -> LogPorts:
            if not opened:
                opened.append(open_cloud(home, clock, cadence_s, signer, url=self.proxy.url))
            return opened[0]

        log = TestLog(home, clock, opened_by=once)
        made = TestService(log)
        return made if first else TestService(log, entropy=made.again().entropy)

    def backend(self) -> Backend:
        """How the public reads it."""
        return CLOUD

    def _act(self, service: TestService) -> ServiceError | None:
        """Do it. What the caller is told, if anything failed."""
        try:
            self.scenario.act(service)
        except ServiceError as error:
            if error.code not in (Code.STORAGE_FAILED, Code.IN_PROGRESS):
                raise
            return error
        return None


Chosen = Callable[[int, HttpColumn], bool]


def fill(scenario: Scenario, chosen: Chosen) -> list[HttpRow]:
    """The rows of one scenario: a write's name, and for each chosen column why it is red, or nothing."""
    proxy = FaultProxy(server_url(MINISTACK))
    try:
        with tempfile.TemporaryDirectory(prefix="http-matrix-") as folder, nothing_waits():
            matrix = HttpMatrix(scenario, Path(folder), proxy)
            rows: list[HttpRow] = [(write, {}) for write in matrix.prepare()]
            for at, (_, cells) in enumerate(rows):
                for column in (each for each in HTTP_COLUMNS if chosen(at, each)):
                    cells[column] = _cell(partial(matrix.run, at, column))
            return rows
    finally:
        proxy.close()


def _cell(run: Callable[[], None]) -> str:
    try:
        run()
    except Exception as error:  # whatever it is, it is what the table says
        return f"{type(error).__name__}: {error}"
    return GREEN


def everything(at: int, column: HttpColumn) -> bool:
    """All columns of all rows."""
    del at, column
    return True


def by_turns(at: int, column: HttpColumn) -> bool:
    """Two columns of each row, others in the next: each fault meets every fifth write."""
    return (HTTP_COLUMNS.index(column) - 2 * at) % len(HTTP_COLUMNS) < 2


def now_and_then(at: int, column: HttpColumn) -> bool:
    """One column of every third row, another the next time: each fault meets every thirtieth write."""
    return at % 3 == 0 and at // 3 % len(HTTP_COLUMNS) == HTTP_COLUMNS.index(column)


def _half(first: bool, at: int, column: HttpColumn) -> bool:
    return (HTTP_COLUMNS.index(column) % 2 == 0) is first


def _job(job: tuple[str, bool]) -> list[HttpRow]:
    name, first = job
    return fill(SCENARIOS[name], partial(_half, first))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the matrix. Returns 0 if all is green, else 1."""
    parser = argparse.ArgumentParser(
        prog="scripts/fault-matrix --cloud", description="Print the fault matrix."
    )
    parser.add_argument("--only", choices=list(SCENARIOS), help="one act only")
    options = parser.parse_args(arguments)
    names = [options.only] if options.only else list(SCENARIOS)
    server_url(MINISTACK)
    jobs = [(name, first) for name in names for first in (True, False)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(_job, jobs, chunksize=1)
    red = cells = 0
    for (name, _), rows in zip(jobs, results, strict=True):
        columns = [each for each in HTTP_COLUMNS if each in rows[0][1]]
        print(table(f"{name}, on the wire", rows, columns), end="\n\n")
        cells += sum(len(row) for _, row in rows)
        red += sum(bool(reason) for _, row in rows for reason in row.values())
    print(f"{cells} cells, {red} red")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
