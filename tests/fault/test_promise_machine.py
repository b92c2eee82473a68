"""Packets, credits and leaves as a state machine on real adapters: whatever is called, the books agree."""

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from attestlayer.canonical import format_json, parse_json, take_integer, take_members
from attestlayer.encoding import Hash, format_hash
from attestlayer.kit.receipt import Nonce
from attestlayer.log.promises import MERGE_DELAY_S
from issuer.errors import Code, ServiceError
from issuer.log.face import read_latest
from issuer.model import Answer, PacketState
from issuer.services.issue import LOG_BEHIND_S
from support.audit import audit
from support.backends import BACKENDS, LOCAL, Backend
from support.faults import check_books, late_leaves
from support.log import ORIGIN, HeldClock, TestLog
from support.service import WORKSPACE, TestService, nonce_of
from support.thorough import thorough

CHANGEABLE = {PacketState.OPEN, PacketState.BLOCKED, PacketState.READY}
STEPS = 30
OPEN_LIMIT = 25
"""Of the tier `growth`."""


@dataclass
class Model:
    """What one packet must look like."""

    state: PacketState = PacketState.OPEN
    records: dict[str, bool] = field(default_factory=dict)
    key: str | None = None
    answer: Answer | None = None
    issued_at: int = 0
    merged_at: int | None = None

    @property
    def passes(self) -> bool:
        """At least one record; all of them are uploaded, or nothing is judged at all."""
        return bool(self.records)

    @property
    def judged(self) -> bool:
        """Whether it can be checked: nothing that was announced is still to come."""
        return self.state in CHANGEABLE and all(self.records.values())


class Promises(RuleBasedStateMachine):
    """Partners, the operator, time and the log, in any order."""

    backend: ClassVar[Backend] = LOCAL
    packets = Bundle("packets")

    @initialize(credits_granted=st.integers(1, 6))
    def begin(self, credits_granted: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="promises-"))
        self.clock = HeldClock()
        self.service = self._opened().start(credits_granted)
        self.models: dict[str, Model] = {}
        self.balance = credits_granted
        self.made = 0
        self.answers: dict[str, tuple[str, bytes, Answer]] = {}
        self.used: list[bytes] = []

    def _opened(self) -> TestService:
        log = TestLog(self.folder / "home", self.clock, opened_by=self.backend.open)
        return TestService(log)

    def teardown(self) -> None:
        if not hasattr(self, "service"):
            return
        try:
            self._come_to_rest()
        finally:
            shutil.rmtree(self.folder)

    def _come_to_rest(self) -> None:
        for _ in range(3):
            self.round_of_the_log()
            self.deliver()
        found = audit(self.backend.registry(self.service.log.home), ORIGIN)
        settled = check_books(self.service, found)
        assert settled.balance == self.balance
        assert settled.returned == len(late_leaves(found))
        assert settled.kits == sum(model.answer is not None for model in self.models.values())

    @rule(target=packets)
    def open_packet(self) -> str:
        return self._open()

    def _open(self) -> str:
        number = sum(model.state in CHANGEABLE for model in self.models.values())
        try:
            packet = self.service.packet()
        except ServiceError as error:
            assert (error.code, number) == (Code.PACKET_LIMIT, OPEN_LIMIT)
            return next(iter(self.models))
        assert number < OPEN_LIMIT
        self.models[packet.packet_id] = Model()
        return packet.packet_id

    @rule(packet_id=packets, uploaded=st.sampled_from([True, True, True, False]))
    def add_record(self, packet_id: str, uploaded: bool) -> None:
        self.made += 1
        data = f"record {self.made}\n".encode()
        model = self.models[packet_id]
        try:
            if uploaded:
                self.service.submit(packet_id, "note.txt", data)
            else:
                self.service.announce(packet_id, "note.txt", data)
        except ServiceError as error:
            self._refused(model, error)
            return
        assert model.state in CHANGEABLE
        model.state = PacketState.OPEN
        model.records[self.service.read(packet_id).records[-1].record_id] = uploaded

    @rule(target=packets)
    def issue_a_new_packet(self) -> str:
        """Open, add, issue: what most partners do most of the time."""
        packet_id = self._open()
        self.add_record(packet_id, True)
        self.issue(packet_id, "own")
        return packet_id

    @rule(seconds=st.sampled_from([0, 290, 601, 700]))
    def log_stands_still_and_goes_on(self, seconds: int) -> None:
        """Kits that wait meanwhile are merged, late or not, and delivered once that is explained."""
        self.time_passes(seconds)
        for _ in range(2):
            self.round_of_the_log()
            self.deliver()

    @rule(packet_id=packets, which=st.integers(0, 9))
    def remove_record(self, packet_id: str, which: int) -> None:
        model = self.models[packet_id]
        names = sorted(model.records) or ["rec_none"]
        name = names[which % len(names)]
        try:
            self.service.packets.remove_record(WORKSPACE, packet_id, name)
        except ServiceError as error:
            if not model.records and model.state in CHANGEABLE:
                assert error.code is Code.NOT_FOUND
            else:
                self._refused(model, error)
            return
        assert model.state in CHANGEABLE
        del model.records[name]
        model.state = PacketState.OPEN

    @rule(packet_id=packets)
    def check(self, packet_id: str) -> None:
        model = self.models[packet_id]
        try:
            self.service.packets.check(WORKSPACE, packet_id)
        except ServiceError as error:
            assert (error.code, model.judged) == (Code.WRONG_STATE, False), error.detail
            return
        assert model.judged
        model.state = PacketState.READY if model.passes else PacketState.BLOCKED

    @rule(packet_id=packets)
    def withdraw_packet(self, packet_id: str) -> None:
        model = self.models[packet_id]
        try:
            self.service.packets.withdraw(WORKSPACE, packet_id)
        except ServiceError as error:
            self._refused(model, error)
            return
        assert model.state in CHANGEABLE
        model.state = PacketState.WITHDRAWN

    @rule(
        packet_id=packets, nonce=st.sampled_from(["own", "own", "own", "newest", "used", "unknown", "broken"])
    )
    def issue(self, packet_id: str, nonce: str) -> None:
        model = self.models[packet_id]
        self.made += 1
        key, data = f"key {self.made}", self._nonce(nonce)
        used = data in self.used
        try:
            answer = self.service.issue(self.service.read(packet_id), key, data)
        except ServiceError as error:
            self._issue_refused(model, error, nonce if nonce != "used" or used else "own")
            return
        assert model.judged
        assert nonce in {"own", "newest", "used"}
        self.answers[key] = (packet_id, data, answer)
        if not model.passes:
            assert answer.status == 200
            model.state = PacketState.BLOCKED
            return
        assert answer.status == 202
        assert not used
        assert self.balance > 0
        self.used.append(data)
        self.balance -= 1
        model.state, model.answer, model.issued_at = PacketState.SEALED, answer, int(self.clock.time)

    def _nonce(self, kind: str) -> bytes:
        text = f"nonce {self.made}"
        if kind == "newest":
            return nonce_of(text, read_latest(self.service.ports.public))
        if kind == "used" and self.used:
            return self.used[-1]
        if kind == "unknown":
            return Nonce(Hash(bytes(32)), Hash(bytes(31) + b"\1")).format()
        return b"{}" if kind == "broken" else nonce_of(text)

    def _issue_refused(self, model: Model, error: ServiceError, nonce: str) -> None:
        """Each refusal has its reason; a stored answer's nonce comes before the credit, the log last."""
        latest = read_latest(self.service.ports.public)
        assert latest
        reasons = {
            Code.WRONG_STATE: not model.judged,
            Code.NONCE_MALFORMED: nonce == "broken",
            Code.NONCE_USED: nonce == "used",
            Code.NONCE_CHECKPOINT_UNKNOWN: nonce == "unknown",
            Code.NO_CREDITS: self.balance == 0 and model.passes and model.judged,
            Code.LOG_STALLED: self.clock.time - latest.timestamp > LOG_BEHIND_S and model.passes,
        }
        assert reasons.get(error.code), (error.code, error.detail, model, nonce)
        if error.code is Code.LOG_STALLED:
            model.state = PacketState.READY

    @precondition(lambda self: self.answers)
    @rule(which=st.integers(0, 99))
    def issue_with_the_same_key(self, which: int) -> None:
        key = list(self.answers)[which % len(self.answers)]
        packet_id, data, answer = self.answers[key]
        packet = self.service.read(packet_id)
        again = self.service.issue(packet, key, data)
        if again != answer:  # a FAIL's report went with the records that it may name; nothing else did
            told = take_members(parse_json(answer.body))
            kept = {attempt.number for attempt in packet.attempts if attempt.report is not None}
            assert take_integer(told, "attempt") not in kept
            assert again == replace(answer, body=format_json({**told, "blocker_report": None}))
        with pytest.raises(ServiceError) as refused:
            self.service.issue(self.service.read(packet_id), key, nonce_of("another"))
        assert refused.value.code is Code.IDEMPOTENCY_MISMATCH

    @rule(amount=st.integers(1, 3))
    def grant(self, amount: int) -> None:
        self.service.grant(amount)
        self.balance += amount

    @rule(seconds=st.sampled_from([1, 20, 61, 250, 301, 601, 700]))
    def time_passes(self, seconds: int) -> None:
        self.clock.time += seconds

    @rule()
    def round_of_the_log(self) -> None:
        report = self.service.round()
        assert report.checkpoint
        for model in self.models.values():
            if model.answer and model.merged_at is None:
                model.merged_at = report.checkpoint.timestamp
                self.balance += model.merged_at > model.issued_at + MERGE_DELAY_S

    @rule()
    def deliver(self) -> None:
        run = self.service.deliver()
        assert run.failed == ()
        for packet_id, model in self.models.items():
            state = self.service.read(packet_id).state
            if model.state is PacketState.SEALED and state is PacketState.ISSUED:
                assert model.merged_at is not None, "a kit was delivered whose leaf is in no checkpoint"
                model.state = state
            elif model.state is PacketState.SEALED and model.merged_at is not None:
                late = model.merged_at > model.issued_at + MERGE_DELAY_S
                assert late, "a kit whose leaf is public in time was not delivered"

    @rule(packet_id=packets)
    def withdraw_kit(self, packet_id: str) -> None:
        issued = self.service.read(packet_id).issued
        if issued is None:
            return
        try:
            self.service.notifier.withdraw(WORKSPACE, issued.kit_id, "issued-in-error")
        except ServiceError as error:
            assert (error.code, self.models[packet_id].state) == (Code.WRONG_STATE, PacketState.SEALED)

    @rule()
    def reopen(self) -> None:
        self.service = self.service.again()

    def _refused(self, model: Model, error: ServiceError) -> None:
        assert error.code is Code.WRONG_STATE, error.detail
        assert model.state not in CHANGEABLE

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "service"):
            return
        ledger = self.service.ports.ledger
        assert ledger.balance(WORKSPACE) == self.balance
        stored = {packet_id: ledger.packet(packet_id) for packet_id in self.models}
        assert {name: packet and packet.state for name, packet in stored.items()} == {
            name: model.state for name, model in self.models.items()
        }
        sealed = {packet.issued.kit_id for packet in stored.values() if packet and packet.issued}
        assert sorted(self.service.debits()) == sorted(sealed)
        waiting = {format_hash(Hash(leaf.leaf_hash)) for leaf in ledger.waiting_leaves(2**40, 1000)}
        wanted = {
            format_hash(Hash(packet.issued.leaf_hash))
            for packet in stored.values()
            if packet and packet.issued and packet.state is PacketState.SEALED
        }
        assert waiting == wanted


@pytest.mark.parametrize("examples", [12, thorough(40)])
@pytest.mark.parametrize("backend", BACKENDS, ids=str)
def test_whatever_is_called_the_books_agree(backend: Backend, examples: int) -> None:
    class OverThese(Promises):
        pass

    OverThese.backend = backend
    examples = max(1, examples // backend.share)
    run_state_machine_as_test(
        OverThese, settings=settings(max_examples=examples, stateful_step_count=STEPS, deadline=None)
    )
