"""The fault matrix: every write of an act fails, in each way, and is recovered from, in each way.

The writes are those that the act really makes: it is run once to record them. The adapters are an
argument (`support.backends`).
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from attestlayer.encoding import Hash, format_hash
from attestlayer.log.leaf import parse_entry
from attestlayer.log.promises import MERGE_DELAY_S
from attestlayer.verify.report import Verdict
from issuer.errors import Code, ServiceError, StoreError
from issuer.log.store import LogPorts
from issuer.model import CreditKind, Packet, PacketState
from support.audit import Audit, audit, posix_of
from support.backend import Backend
from support.log import ORIGIN, Crash, HeldClock, SeedSigner, Tap, TestLog, tapped
from support.service import WORKSPACE, TestService

LEASE_OVER_S = 61


class Outcome(StrEnum):
    """What becomes of a write."""

    LOST = "lost"
    STORED = "stored"


class Recovery(StrEnum):
    """Who goes on: the same objects after an error, or others after the process died."""

    RETRY = "retry"
    RELOAD = "reload"


@dataclass(frozen=True)
class Column:
    """How a write fails and is recovered from; `second`: so does the first write of the recovery."""

    first: Outcome
    recovery: Recovery
    second: Outcome | None = None

    def __str__(self) -> str:
        faults = self.first if self.second is None else f"{self.first}+{self.second}"
        return f"{faults}/{self.recovery}"


COLUMNS = tuple(
    Column(first, recovery, second)
    for second in (None, *Outcome)
    for first in Outcome
    for recovery in Recovery
)


@dataclass
class FaultyTap(Tap):
    """Lets everything through until armed; then write number `at` fails once."""

    at: int = -1
    outcome: Outcome = Outcome.LOST
    error: type[BaseException] = StoreError
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = lambda number, name: self._meet(Outcome.LOST, number, name)
        self.after = lambda number, name: self._meet(Outcome.STORED, number, name)

    def arm(self, at: int, outcome: Outcome, error: type[BaseException]) -> None:
        """Count from here, and fail at write `at`."""
        self.names.clear()
        self.at, self.outcome, self.error = at, outcome, error

    def disarm(self) -> None:
        """Let everything through."""
        self.at = -1

    @property
    def met(self) -> bool:
        """Whether the write that was to fail was reached."""
        return len(self.names) > self.at

    def _meet(self, outcome: Outcome, number: int, name: str) -> None:
        if (number, outcome) == (self.at, self.outcome):
            raise self.error(f"{name}: {outcome}")


@dataclass(frozen=True)
class Process:
    """A process on a home: its adapters, opened once, and the tap on them."""

    backend: Backend
    home: Path
    clock: HeldClock
    tap: FaultyTap = field(default_factory=FaultyTap)
    first: bool = False

    def service(self) -> TestService:
        """The service on this process's adapters."""
        backend, tap = self.backend, self.tap
        opened: list[LogPorts] = []

        def once(home: Path, clock: HeldClock, cadence_s: int, signer: SeedSigner) -> LogPorts:
            if not opened:
                opened.append(tapped(backend.open(home, clock, cadence_s, signer), tap))
            return opened[0]

        log = TestLog(self.home, self.clock, opened_by=once)
        first = TestService(log)
        # No two processes draw the same bytes; the first one's are the same in every run.
        return first if self.first else TestService(log, entropy=first.again().entropy)


Act = Callable[[TestService], object]


@dataclass(frozen=True)
class Scenario:
    """What is there before, what is done, and how many writes that makes at least."""

    name: str
    prepare: Act
    act: Act
    at_least: int


@dataclass(frozen=True)
class Case:
    """One write of a scenario and one column, with what to expect."""

    scenario: Scenario
    at: int
    write: str
    column: Column


@dataclass(frozen=True)
class Matrix:
    """A scenario over some adapters, in a folder of its own."""

    backend: Backend
    scenario: Scenario
    folder: Path

    def prepare(self) -> "Prepared":
        """Make the home, and record the writes of the act and what an undisturbed run comes to."""
        clock = HeldClock()
        made = self.folder / "made"
        made.mkdir(parents=True)
        self.scenario.prepare(Process(self.backend, made, clock, first=True).service())
        self.backend.copy(made, self.folder / "whole")
        process = Process(self.backend, self.folder / "whole", HeldClock(clock.time))
        service = process.service()
        process.tap.names.clear()
        self.scenario.act(service)
        writes = tuple(process.tap.names)
        assert len(writes) >= self.scenario.at_least, writes
        wanted = settle(self.backend, self.scenario, service)
        return Prepared(self, writes, wanted, clock.time)


@dataclass(frozen=True)
class Prepared:
    """A scenario ready to be disturbed."""

    matrix: Matrix
    writes: tuple[str, ...]
    wanted: "Settled"
    time: float

    def cases(self, columns: tuple[Column, ...] = COLUMNS) -> Iterator[Case]:
        """Every write in every column."""
        for at, write in enumerate(self.writes):
            for column in columns:
                yield Case(self.matrix.scenario, at, write, column)

    def run(self, case: Case) -> None:
        """Disturb, recover, go on, check everything. Raises if anything is wrong."""
        matrix, column = self.matrix, case.column
        home = matrix.folder / f"{case.at} {column}".replace("/", " ")
        matrix.backend.copy(matrix.folder / "made", home)
        clock = HeldClock(self.time)
        error: type[BaseException] = StoreError if column.recovery is Recovery.RETRY else Crash
        process = Process(matrix.backend, home, clock)
        service = process.service()
        assert self._fails(process, service, case.at, column.first, error), "the write was not reached"
        if column.recovery is Recovery.RELOAD:
            process, service = self._reload(process)
        if column.second:
            self._fails(process, service, 0, column.second, error)
            if column.recovery is Recovery.RELOAD:
                process, service = self._reload(process)
        found = settle(matrix.backend, matrix.scenario, service)
        assert found == self.wanted, f"found {found}, undisturbed {self.wanted}"
        shutil.rmtree(home)

    def _fails(
        self, process: Process, service: TestService, at: int, outcome: Outcome, error: type[BaseException]
    ) -> bool:
        process.tap.arm(at, outcome, error)
        try:
            self.matrix.scenario.act(service)
        except (StoreError, Crash):
            pass  # what the caller sees; else the fault was dealt with inside
        except ServiceError as refused:
            if refused.code is not Code.IN_PROGRESS:
                raise
        met = process.tap.met
        process.tap.disarm()
        return met

    def _reload(self, process: Process) -> tuple[Process, TestService]:
        """Another process, once the leases of the one that died are over."""
        process.clock.time += LEASE_OVER_S
        other = Process(process.backend, process.home, process.clock)
        return other, other.service()


@dataclass(frozen=True)
class Settled:
    """What a home comes to, as far as it does not depend on time and chance."""

    leaves: int
    notices: tuple[str, ...]
    kits: int
    balance: int
    returned: int


def settle(backend: Backend, scenario: Scenario, service: TestService) -> Settled:
    """Do the act again, go on with a new kit, and hold everything against everything."""
    try:
        scenario.act(service)
    except ServiceError as refused:
        if refused.code is not Code.IN_PROGRESS:
            raise
        service.log.clock.time += LEASE_OVER_S
        scenario.act(service)
    if service.ports.ledger.workspace(WORKSPACE) is None:
        service.open_workspace(1)
    before = len(service.ports.ledger.waiting_leaves(2**40, 10_000))
    report = service.round()
    assert report.checkpoint, "the next round makes no checkpoint"
    assert service.deliver().failed == ()
    packet = service.packet(f"new, beside {before}\n".encode())
    assert service.issue(packet, "the new kit").status == 202
    for _ in range(2):
        assert service.round_and_deliver().failed == ()
    assert service.read(packet.packet_id).state == PacketState.ISSUED
    found = audit(backend.registry(service.log.home), ORIGIN)
    return check_books(service, found)


def check_books(service: TestService, found: Audit) -> Settled:
    """Check ledger against log and kits: nothing too much, nothing too little, nothing twice."""
    ledger = service.ports.ledger
    packets = [each for each in ledger.packets(WORKSPACE, None, 10_000) if each.issued]
    leaves = sorted(format_hash(Hash(each.issued.leaf_hash)) for each in packets if each.issued)
    assert sorted(found.leaf_hashes) == leaves, "log and ledger hold different leaves"
    lines = ledger.credit_entries(WORKSPACE, None, 10_000)
    debits = sorted(line.reference for line in lines if line.kind is CreditKind.CONSUMED)
    assert debits == sorted(each.issued.kit_id for each in packets if each.issued), "debits are not the kits"
    sums = {kind: sum(line.amount for line in lines if line.kind is kind) for kind in CreditKind}
    balance = ledger.balance(WORKSPACE)
    granted, consumed, returned = (
        sums[kind] for kind in (CreditKind.GRANTED, CreditKind.CONSUMED, CreditKind.RETURNED)
    )
    assert balance == granted - consumed + returned, "the balance is not its lines'"
    assert returned == len(late_leaves(found)), "returned credits are not the late leaves"
    assert ledger.waiting_leaves(2**40, 10) == (), "a leaf still waits"
    assert ledger.queued_notices() == (), "a notice still waits"
    for packet in packets:
        check_kit(service, packet, found)
    types = tuple(notice["type"] for notice in found.notices)
    return Settled(len(leaves), types, len(packets), balance, returned)


def check_kit(service: TestService, packet: Packet, found: Audit) -> None:
    """Check that the packet's kit was handed over and verifies, unless a notice withdrew it."""
    assert packet.state == PacketState.ISSUED, f"{packet.packet_id} is {packet.state}"
    assert packet.issued
    withdrawn = {each["data"]["leaf_hash"] for each in found.notices if each["type"] == "kit.withdrawn"}
    gone = format_hash(Hash(packet.issued.leaf_hash)) in withdrawn
    wanted = Verdict.NOT_VERIFIED if gone else Verdict.VERIFIED
    verdict = service.explained(packet).verdict
    assert verdict == wanted, f"{packet.packet_id}: {verdict}, wanted {wanted}"


def late_leaves(found: Audit) -> list[str]:
    """Leaves whose first checkpoint came after their `merge_by`."""
    late = []
    for index, entry in enumerate(found.entries):
        first = next(one for one in found.checkpoints if one["tree_size"] > index)
        if posix_of(first["timestamp"]) > parse_entry(entry).issued_at + MERGE_DELAY_S:
            late.append(found.leaf_hashes[index])
    return late
