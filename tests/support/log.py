"""A log in a temporary folder: real adapters, a clock and randomness that the test holds."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from attestlayer.canonical import format_json
from attestlayer.encoding import Hash, sha256
from attestlayer.keys import PrivateKey, PublicKey
from attestlayer.log.leaf import Leaf
from attestlayer.log.promises import MERGE_DELAY_S
from issuer.adapters.local.directory import DirectoryStore
from issuer.adapters.local.table import SqliteTable
from issuer.errors import StoreError
from issuer.ledger.ledger import Ledger
from issuer.ledger.waiting import put_leaf
from issuer.ledger.work import carry_out
from issuer.log.store import LogPorts
from issuer.model import (
    QueuedNotice,
    WaitingLeaf,
)
from issuer.ports import ObjectStore, Tagged
from issuer.services.initialise import Initialiser
from issuer.services.sequence import RoundReport, Sequencer

ORIGIN = "registry.test"
START = 1_800_000_000


@dataclass
class HeldClock:
    """A clock that moves only when told, or when somebody sleeps. `ahead`: seconds by which it is wrong."""

    time: float = START
    ahead: float = 0

    def now(self) -> float:
        return self.time + self.ahead

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class SeededEntropy:
    """Bytes that follow from a seed."""

    seed: str = "entropy"
    count: int = 0

    def token(self, length: int) -> bytes:
        self.count += 1
        return hashlib.shake_256(f"{self.seed} {self.count}".encode()).digest(length)


@dataclass(frozen=True)
class SeedSigner:
    """A signer whose key follows from a name."""

    name: str

    @property
    def private(self) -> PrivateKey:
        return PrivateKey(hashlib.sha256(self.name.encode()).digest())

    @property
    def public(self) -> PublicKey:
        return self.private.public

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


REGISTRY = SeedSigner("registry")
ISSUER = SeedSigner("issuer")


def log_in(home: Path, clock: HeldClock, cadence_s: int = 60, signer: SeedSigner = REGISTRY) -> LogPorts:
    """The ports of a log that lives in `home`; opened again, they are another process's."""
    return LogPorts(
        origin=ORIGIN,
        cadence_s=cadence_s,
        public=DirectoryStore(home / "registry", state=home / "state"),
        private=DirectoryStore(home / "private", private=True),
        ledger=Ledger(SqliteTable(home / "ledger.sqlite")),
        signers={signer.public.kid: signer},
        clock=clock,
    )


def leaf_number(number: int, issued_at: int = START) -> Leaf:
    """A leaf that differs from every other number's."""

    def value(what: str) -> Hash:
        return sha256(f"{what} {number}".encode())

    return Leaf(
        client_nonce_hash=value("nonce"),
        intake_policy_hash=value("policy"),
        issued_at=issued_at,
        issuer_kid=ISSUER.public.kid,
        kit_digest=value("kit"),
        lane_id="PAY-01",
        manifest_root=value("manifest"),
        profile_id="wire-transfer",
        statement_hash=value("statement"),
    )


def wait(ports: LogPorts, leaves: list[Leaf]) -> None:
    """Put leaves into the log's waiting line, as issuing does; nothing is debited."""
    for leaf in leaves:
        put_waiting(ports.ledger, leaf)


def put_waiting(ledger: Ledger, leaf: Leaf) -> None:
    """Store one waiting leaf of workspace `ws_test`; nothing is debited."""
    waiting = WaitingLeaf(
        leaf_hash=leaf.hash(),
        issued_at=leaf.issued_at,
        merge_by=leaf.issued_at + MERGE_DELAY_S,
        entry=leaf.entry(),
        workspace_id="ws_test",
        packet_id=f"pkt_{leaf.hash().hex()}",
        kit_digest=leaf.kit_digest,
    )
    carry_out(ledger.table, lambda work: put_leaf(work, waiting))


Opener = Callable[[Path, HeldClock, int, SeedSigner], LogPorts]
"""Opens the adapters of one more process: `log_in`, or the same with others."""


@dataclass
class TestLog:
    """A log under test: its home, its held clock, and ports that are a process's own."""

    __test__ = False

    home: Path
    clock: HeldClock = field(default_factory=HeldClock)
    cadence_s: int = 60
    signer: SeedSigner = REGISTRY
    made: int = 0
    opened_by: Opener = log_in

    def ports(self) -> LogPorts:
        """The ports of one more process."""
        return self.opened_by(self.home, self.clock, self.cadence_s, self.signer)

    def init(self) -> LogPorts:
        """Start the log."""
        ports = self.ports()
        Initialiser(ports).run([ISSUER.public])
        return ports

    def init_and_grow(self) -> None:
        """Start the log, or find it started, and make a round."""
        self.round(self.init(), 1)

    def leaves(self, count: int, issued_at: int | None = None) -> list[Leaf]:
        """So many new leaves, issued now."""
        at = int(self.clock.time) if issued_at is None else issued_at
        first, self.made = self.made, self.made + count
        return [leaf_number(number, at) for number in range(first, first + count)]

    def round(self, ports: LogPorts, count: int = 0) -> RoundReport:
        """Submit `count` leaves, let a cadence pass, run one round."""
        wait(ports, self.leaves(count))
        self.clock.time += self.cadence_s
        return Sequencer(ports).run()


def copy_home(source: Path, target: Path) -> None:
    """Copy a home quickly: objects are never written in place, so they are linked; the ledger is copied."""

    def link(one: str, other: str) -> None:
        if Path(one).name.startswith("ledger"):
            shutil.copyfile(one, other)
        else:
            os.link(one, other)

    shutil.copytree(source, target, copy_function=link)


Hook = Callable[[int, str], None]
"""Called with the number of a write, from 0, and what it writes."""


def _nothing(number: int, name: str) -> None:
    del number, name


@dataclass
class Tap:
    """Sees every write through tapped ports, in order; a hook may raise, or run something else."""

    before: Hook = _nothing
    after: Hook = _nothing
    names: list[str] = field(default_factory=list)

    @contextmanager
    def write(self, name: str) -> Iterator[None]:
        number = len(self.names)
        self.names.append(name)
        self.before(number, name)
        yield
        self.after(number, name)


class Crash(BaseException):
    """The process dies here: nothing in it can handle that."""


@dataclass(frozen=True)
class Failure:
    """What happens at one write: it raises before or after it was done; an error, or the end."""

    at: int
    stored: bool
    error: type[BaseException]

    def tap(self) -> Tap:
        """A tap that fails so, once."""

        def fail(number: int, name: str) -> None:
            if number == self.at:
                raise self.error(f"write {number}, {name}, failed")

        return Tap(after=fail) if self.stored else Tap(before=fail)


def failures(writes: int, errors: tuple[type[BaseException], ...] = (StoreError, Crash)) -> list[Failure]:
    """Every way in which one of so many writes can fail."""
    return [
        Failure(at, stored, error) for at in range(writes) for stored in (False, True) for error in errors
    ]


def at_write(stall: int, act: Callable[[], object]) -> Tap:
    """A tap that does something else right before write number `stall`."""

    def do(number: int, name: str) -> None:
        if number == stall:
            act()

    return Tap(before=do)


@dataclass(frozen=True)
class TappedStore:
    """A store whose writes are seen one by one, those of `create_many` as well; with `reads` reads too."""

    store: ObjectStore
    tap: Tap
    prefix: str
    reads: bool = False

    def create(self, name: str, data: bytes) -> None:
        with self.tap.write(f"{self.prefix}{name}"):
            self.store.create(name, data)

    def create_file(self, name: str, path: Path) -> None:
        with self.tap.write(f"{self.prefix}{name}"):
            self.store.create_file(name, path)

    def create_many(self, objects: Mapping[str, bytes]) -> None:
        for name, data in objects.items():
            self.create(name, data)

    def replace(self, name: str, data: bytes, tag: str | None) -> None:
        with self.tap.write(f"{self.prefix}{name}"):
            self.store.replace(name, data, tag)

    def delete(self, name: str) -> None:
        with self.tap.write(f"{self.prefix}{name} deleted"):
            self.store.delete(name)

    def read(self, name: str) -> bytes | None:
        with self._read(name):
            return self.store.read(name)

    def exists(self, name: str) -> bool:
        with self._read(name):
            return self.store.exists(name)

    def read_tagged(self, name: str) -> Tagged | None:
        with self._read(name):
            return self.store.read_tagged(name)

    def _read(self, name: str) -> AbstractContextManager[None]:
        return self.tap.write(f"{self.prefix}{name} read") if self.reads else nullcontext()

    def fetch_many(self, files: Mapping[str, Path]) -> tuple[str, ...]:
        return tuple(name for name, path in files.items() if not self.fetch(name, path))

    def fetch(self, name: str, path: Path) -> bool:
        return self.store.fetch(name, path)

    def list(self, prefix: str, before: float | None = None) -> Iterator[str]:
        return self.store.list(prefix, before)


_LEDGER_READS = frozenset(
    {
        *("api_key", "api_keys", "balance", "credit_entries", "credit_entry", "nonce_used", "noted_round"),
        *("packet", "packet_of_kit", "packets", "qualification", "qualifications", "queued_notices"),
        *("damage", "unmerged_leaves", "waiting_leaf", "waiting_leaves", "workspace", "workspaces"),
        "table",
    }
)
"""Every other method of the ledger is a write, also one that is new."""


class _TappedLedger:
    def __init__(self, ledger: Ledger, tap: Tap) -> None:
        self._ledger = ledger
        self._tap = tap

    def __getattr__(self, name: str) -> object:
        method = getattr(self._ledger, name)
        if name in _LEDGER_READS:
            return method

        def tapped(*arguments: object, **named: object) -> object:
            with self._tap.write(f"ledger {name}"):
                return method(*arguments, **named)

        return tapped


def tapped_ledger(ledger: Ledger, tap: Tap) -> Ledger:
    """A ledger whose writing calls are seen."""
    return cast("Ledger", _TappedLedger(ledger, tap))


def tapped_store(store: ObjectStore, tap: Tap, prefix: str) -> ObjectStore:
    """A store whose writes are seen as `prefix` and the object's name."""
    return TappedStore(store, tap, prefix)


def tapped(ports: LogPorts, tap: Tap, reads: bool = False) -> LogPorts:
    """Ports whose every write is seen by `tap`, and with `reads` every read of the stores."""
    return replace(
        ports,
        public=TappedStore(ports.public, tap, "public ", reads),
        private=TappedStore(ports.private, tap, "private ", reads),
        ledger=tapped_ledger(ports.ledger, tap),
    )


def queue(ports: LogPorts, kind: str, data: object) -> QueuedNotice:
    """Queue a notice with this data."""
    notice = QueuedNotice(kind, format_json(data))
    ports.ledger.queue_notice(notice)
    return notice
