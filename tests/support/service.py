"""Issuing in a temporary home: a small policy, real adapters, a held clock, a renderer that costs nothing."""

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from attestlayer.canonical import format_json
from attestlayer.encoding import sha256
from attestlayer.kit.receipt import Nonce
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.reading.files import open_kit
from attestlayer.verify.report import Report
from attestlayer.verify.verifier import explain
from issuer.intake.catalogue import Catalogue, build_catalogue, load_words
from issuer.intake.policy import parse_policy
from issuer.intake.source import expand_policy, read_toml
from issuer.kits.names import delivered_object, record_object
from issuer.log.face import read_trust_root
from issuer.log.store import LogPorts
from issuer.model import (
    Answer,
    Binder,
    Claim,
    CreditEntry,
    CreditKind,
    KitRegistry,
    Packet,
    Record,
    Workspace,
)
from issuer.ports import BinderRenderer
from issuer.services.deliver import Deliverer, Delivery
from issuer.services.issue import Issuer
from issuer.services.notify import Notifier
from issuer.services.packet import Packets
from issuer.services.sequence import RoundReport, Sequencer
from issuer.settings import verify_page_of
from support.examining import ExaminerHere
from support.log import ISSUER, ORIGIN, SeededEntropy, Tap, TestLog, tapped_ledger, tapped_store

WORKSPACE = "ws_test"
_SMALL = b"""
words = 1
lane_id = "TEST-01"
lane_title = "Tests"
profile_id = "small"
version = 1
title = "Small policy"
summary = "For tests."
limits = { max_records = 999, max_total_mib = 100 }

[[record_types]]
id = "note"
title = "Note"
description = "What happened."
obtain = "Write it."
min_count = 1
max_count = 999
types = ["TXT", "PDF"]
max_mib = 100
fields = [{ name = "remark", kind = "text", title = "Remark", optional = true }]
"""
LANE, PROFILE = "TEST-01", "small"


def small_catalogue() -> Catalogue:
    """One policy: 1 … 999 texts or PDFs, each up to 100 MiB, with an optional remark."""
    document = expand_policy(read_toml(_SMALL), load_words(1))
    return build_catalogue([parse_policy(format_json(document))])


CATALOGUE = small_catalogue()
_PROCESSES = itertools.count()


@dataclass(frozen=True)
class PlainBinder:
    """A renderer that writes down what it was given. `then` happens while it works."""

    then: Callable[[], object] = field(default=lambda: None)

    def render(self, binder: Binder) -> bytes:
        self.then()
        return b"%PDF-1.7\n" + repr(binder).encode() + b"\n%%EOF\n"


@dataclass
class TestService:
    """A log, a workspace and its packets, in one home."""

    __test__ = False

    log: TestLog
    renderer: BinderRenderer = field(default_factory=PlainBinder)
    catalogue: Catalogue = CATALOGUE
    tap: Tap | None = None
    entropy: SeededEntropy = field(default_factory=SeededEntropy)

    def __post_init__(self) -> None:
        self.ports: LogPorts = self.log.ports()

    def start(self, credits_granted: int = 1) -> "TestService":
        """Start the log and a workspace with credits."""
        self.log.init()
        return self.open_workspace(credits_granted)

    def open_workspace(self, credits_granted: int) -> "TestService":
        """A workspace with credits."""
        now = int(self.log.clock.time)
        self.ports.ledger.add_workspace(Workspace(WORKSPACE, "Test", "growth", now + 86_400, now))
        if credits_granted:
            self.grant(credits_granted)
        return self

    def again(self, tap: Tap | None = None, renderer: BinderRenderer | None = None) -> "TestService":
        """The same home as another process sees it."""
        entropy = SeededEntropy(f"{self.entropy.seed} again {next(_PROCESSES)}")
        return TestService(self.log, renderer or self.renderer, self.catalogue, tap, entropy)

    @property
    def issuer(self) -> Issuer:
        """Issues kits; writes go through the tap if there is one."""
        issuer = Issuer(
            registry=KitRegistry(ORIGIN, verify_page_of(ORIGIN)),
            ledger=self.ports.ledger,
            private=self.ports.private,
            public=self.ports.public,
            catalogue=self.catalogue,
            signers={ISSUER.public.kid: ISSUER},
            examiner=ExaminerHere(),
            renderer=self.renderer,
            clock=self.log.clock,
            entropy=self.entropy,
        )
        if self.tap is None:
            return issuer
        return replace(
            issuer,
            ledger=tapped_ledger(issuer.ledger, self.tap),
            private=tapped_store(issuer.private, self.tap, "private "),
            public=tapped_store(issuer.public, self.tap, "public "),
        )

    @property
    def packets(self) -> Packets:
        """Packets, past the tap."""
        ports = self.ports
        return Packets(
            ledger=ports.ledger,
            private=ports.private,
            public=ports.public,
            catalogue=self.catalogue,
            examiner=ExaminerHere(),
            clock=self.log.clock,
            entropy=self.entropy,
        )

    @property
    def notifier(self) -> Notifier:
        """Queues the operator's notices."""
        return Notifier(self.ports.ledger, self.ports.public, self.log.clock)

    def grant(self, amount: int, account: str = "available") -> None:
        """Give credits into an account."""
        source = "granted" if account == "available" else "available"
        kind = CreditKind.GRANTED if account == "available" else CreditKind.RESERVED
        entry_id = f"grant {self.entropy.token(8).hex()}"
        now = int(self.log.clock.time)
        self.ports.ledger.post_credits(
            CreditEntry(entry_id, WORKSPACE, now, kind, amount, source, account, "test")
        )

    def packet(self, *contents: bytes, supersedes: str | None = None, cohort: str | None = None) -> Packet:
        """A packet with these records, uploaded."""
        packet = self.packets.open(WORKSPACE, LANE, PROFILE, "a packet", cohort=cohort, supersedes=supersedes)
        claim = self.claim(f"open {packet.packet_id}", b"open")
        assert isinstance(claim, Claim)
        self.packets.store(packet, claim, Answer(201, b"{}"))
        for number, data in enumerate(contents, 1):
            self.submit(packet.packet_id, f"note {number}.txt", data)
        return self.read(packet.packet_id)

    def submit(self, packet_id: str, name: str, data: bytes) -> None:
        """Announce a record and upload its bytes."""
        record = self.announce(packet_id, name, data)
        self.ports.private.create(record_object(packet_id, record), data)

    def announce(self, packet_id: str, name: str, data: bytes) -> Record:
        """Announce a record; its bytes are not there yet."""
        return self.packets.add_record(
            self.read(packet_id),
            name=name,
            record_type="note",
            size=len(data),
            sha256=sha256(data),
            metadata={},
        )

    def read(self, packet_id: str) -> Packet:
        """The packet as it is stored now."""
        return self.packets.get(WORKSPACE, packet_id)

    def claim(self, key: str, request: bytes) -> Claim | Answer:
        """Claim an idempotency key; the ledger's writes are seen if there is a tap."""
        return replace(self.packets, ledger=self.issuer.ledger).claim(WORKSPACE, key, request)

    def issue(self, packet: Packet, key: str = "key", nonce: bytes | None = None) -> Answer:
        """Issue as the API does: claim the key, read the packet, carry out."""
        nonce = nonce if nonce is not None else nonce_of(packet.packet_id)
        claim = self.claim(key, packet.packet_id.encode() + nonce)
        if isinstance(claim, Answer):
            return claim
        return self.issuer.issue(self.read(packet.packet_id), nonce, claim)

    def round(self) -> RoundReport:
        """Let a cadence pass and run a round."""
        self.log.clock.time += self.log.cadence_s
        return Sequencer(self.ports).run()

    def deliver(self) -> Delivery:
        """Run the delivery once; its writes are seen if there is a tap."""
        issuer = self.issuer
        return Deliverer(issuer.ledger, issuer.private, issuer.public, self.log.clock).run()

    def round_and_deliver(self) -> Delivery:
        """A round, then the delivery."""
        self.round()
        return self.deliver()

    def explained(self, packet: Packet) -> Report:
        """The verification of the packet's delivered kit by the newest trust root."""
        issued = self.read(packet.packet_id).issued
        assert issued
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "kit.zip")
            assert self.ports.private.fetch(delivered_object(issued.kit_id), path)
            with open_kit(path) as kit:
                return explain(kit, read_trust_root(self.ports.public))

    def kit_path(self, kit_id: str) -> Path:
        """The file of a delivered kit."""
        return self.log.home / "private" / delivered_object(kit_id)

    def debits(self) -> list[str]:
        """What the ledger's debits are for: kit ids."""
        lines = self.ports.ledger.credit_entries(WORKSPACE, None, 10_000)
        return [line.reference for line in lines if line.kind == CreditKind.CONSUMED]

    def waiting(self) -> int:
        """Leaves that wait for their delivery."""
        return len(self.ports.ledger.waiting_leaves(int(self.log.clock.time) + 86_400, 10_000))


def nonce_of(text: str, checkpoint: Checkpoint | None = None) -> bytes:
    """A nonce file that follows from a text."""
    return Nonce(checkpoint.hash() if checkpoint else None, sha256(text.encode())).format()
