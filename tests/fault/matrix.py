"""The fault matrix as a table: `python -m fault.matrix [--columns N]`, which is `scripts/fault-matrix`.

Rows are the writes that init, a round, an issuing and a delivery make; columns are what becomes of the write
and who goes on. A cell is green if afterwards everything holds: audit, ledger against log, a new kit.
"""

import argparse
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from issuer.model import Packet
from issuer.services.initialise import Initialiser
from issuer.services.sequence import Sequencer
from support.backends import LOCAL, Backend, backend_named
from support.faults import COLUMNS, Column, Matrix, Scenario
from support.log import ISSUER
from support.service import WORKSPACE, TestService

Row = tuple[str, dict[Column, str]]
C = TypeVar("C")
GREEN = ""


def nothing(service: TestService) -> None:
    """Nothing is there yet."""


def initialise(service: TestService) -> object:
    return Initialiser(service.ports).run([ISSUER.public])


def delivered_kit(service: TestService) -> str:
    """A service with a kit that was handed over."""
    service.start(credits_granted=9)
    first = service.packet(b"first\n")
    service.issue(first, "first")
    service.round_and_deliver()
    issued = service.read(first.packet_id).issued
    assert issued
    return issued.kit_id


def round_due(service: TestService) -> None:
    """Due: a leaf that is too late, one that is not, a withdrawal."""
    service.notifier.withdraw(WORKSPACE, delivered_kit(service), "issued-in-error")
    service.issue(service.packet(b"late\n"), "late")
    service.log.clock.time += 290
    service.issue(service.packet(b"in time\n"), "in time")
    service.log.clock.time += 370


def run_round(service: TestService) -> object:
    return Sequencer(service.ports).run()


def idle_round_due(service: TestService) -> None:
    """Due, and nothing waits: it is all in head."""
    delivered_kit(service)
    service.round()
    service.log.clock.time += 60


def packet_ready(service: TestService) -> None:
    """A packet that supersedes another's kit."""
    service.packet(b"one\n", b"two\n", supersedes=delivered_kit(service))


def issue(service: TestService) -> object:
    return service.issue(newest(service), "the key")


def merged(service: TestService) -> None:
    """Two leaves are public, their kits are not finished; one supersedes another's."""
    packet_ready(service)
    issue(service)
    service.issue(service.packet(b"three\n"), "another")
    service.round()


def deliver(service: TestService) -> object:
    return service.deliver()


def newest(service: TestService) -> Packet:
    (packet, *_) = service.ports.ledger.packets(WORKSPACE, None, 1)
    return packet


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("init", nothing, initialise, 10),
        Scenario("round", round_due, run_round, 20),
        Scenario("idle", idle_round_due, run_round, 6),
        Scenario("issue", packet_ready, issue, 5),
        Scenario("deliver", merged, deliver, 4),
    )
}


def fill(backend: Backend, scenario: Scenario, columns: Sequence[Column]) -> list[Row]:
    """The rows of one scenario: a write's name, and for each column why it is red, or nothing."""
    with tempfile.TemporaryDirectory(prefix="fault-matrix-") as folder:
        prepared = Matrix(backend, scenario, Path(folder)).prepare()
        rows: list[Row] = [(write, {}) for write in prepared.writes]
        for case in prepared.cases(tuple(columns)):
            try:
                prepared.run(case)
                reason = GREEN
            except Exception as error:  # whatever it is, it is what the table says
                reason = f"{type(error).__name__}: {error}"
            rows[case.at][1][case.column] = reason
        return rows


def short(write: str) -> str:
    """A write's name without its hashes and ids."""
    write = re.sub(r"(?<=[/-])[0-9a-f]{64}|(?<=/)[A-Za-z0-9_-]{43}(?=[.])", "…", write)
    return re.sub(r"(kit|pkt|rec)_[0-9a-zA-Z]+", r"\1_…", write)


def table(name: str, rows: Sequence[tuple[str, Mapping[C, str]]], columns: Sequence[C]) -> str:
    """The rows as text, then each red cell with its reason."""
    width = max(len(short(write)) for write, _ in rows)
    lines = [f"{name}: {len(rows)} writes"]
    lines.append(" " * (width + 8) + "  ".join(str(column) for column in columns))
    reds = []
    for number, (write, cells) in enumerate(rows):
        marks = []
        for column in columns:
            marks.append(("RED" if cells[column] else "green").ljust(len(str(column))))
            if cells[column]:
                reds.append(f"  RED {number} {short(write)}, {column}: {cells[column]}")
        lines.append(f"{number:4}  {short(write):{width}}  " + "  ".join(marks).rstrip())
    return "\n".join([*lines, *reds])


def _job(job: tuple[str, str, tuple[Column, ...]]) -> list[Row]:
    os.fsync = lambda fd: None  # nothing here loses power
    name, backend, columns = job
    return fill(backend_named(backend), SCENARIOS[name], columns)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the matrix. Returns 0 if all is green, else 1."""
    parser = argparse.ArgumentParser(prog="scripts/fault-matrix", description="Print the fault matrix.")
    parser.add_argument("--only", choices=list(SCENARIOS), help="one act only")
    options = parser.parse_args(arguments)
    names = [options.only] if options.only else list(SCENARIOS)
    half = len(COLUMNS) // 2
    jobs = [
        (name, backend.name, part)
        for backend in (LOCAL,)
        for name in names
        for part in (COLUMNS[:half], COLUMNS[half:])
    ]
    with multiprocessing.Pool() as pool:
        results = pool.map(_job, jobs, chunksize=1)
    red = cells = 0
    for (name, backend, columns), rows in zip(jobs, results, strict=True):
        print(table(f"{name}, {backend}", rows, columns), end="\n\n")
        cells += sum(len(row) for _, row in rows)
        red += sum(bool(reason) for _, row in rows for reason in row.values())
    print(f"{cells} cells, {red} red")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
