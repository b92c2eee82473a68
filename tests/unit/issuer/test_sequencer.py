"""Rounds of the log: what they publish, and when there is none."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attestlayer.log import layout
from attestlayer.log.leaf import parse_registry_receipt
from attestlayer.verify.evidence import anchors_of
from attestlayer.verify.report import Verdict
from attestlayer.verify.verifier import explain_receipt
from issuer.errors import LogHaltedError
from issuer.log.face import read_latest, read_trust_root
from issuer.services.initialise import Initialiser
from issuer.services.sequence import RoundOutcome, Sequencer
from support.audit import audit
from support.log import ISSUER, ORIGIN, START, HeldClock, Tap, TestLog, put_waiting, tapped, wait
from support.thorough import thorough


def test_the_genesis_is_an_empty_tree_with_the_keys(log: TestLog) -> None:
    log.init()
    found = audit(log.home / "registry", ORIGIN)
    assert len(found.checkpoints) == 1
    assert [notice["data"]["role"] for notice in found.notices] == ["registry", "issuer"]
    assert found.entries == []


def test_init_again_changes_nothing(log: TestLog) -> None:
    log.init()
    before = {p: p.read_bytes() for p in (log.home / "registry").rglob("*") if p.is_file()}
    log.clock.time += 3600
    log.init()
    assert {p: p.read_bytes() for p in (log.home / "registry").rglob("*") if p.is_file()} == before


def test_inits_that_race_make_one_genesis(log: TestLog) -> None:
    barrier = threading.Barrier(6)

    def run(number: int) -> bytes:
        other = TestLog(log.home, HeldClock(START + 60 * number))
        ports = other.ports()
        barrier.wait()
        return Initialiser(ports).run([ISSUER.public]).format()

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(run, range(6)))
    assert len(set(made)) == 1
    assert len(audit(log.home / "registry", ORIGIN).checkpoints) == 1


def test_an_init_that_is_overtaken_between_its_looks_at_head_and_face_goes_on(log: TestLog) -> None:
    ports = log.ports()
    looked = []

    class Overtaken(Initialiser):
        def _store_genesis(self, issuers):  # type: ignore[no-untyped-def]
            looked.append(True)
            log.init()
            super()._store_genesis(issuers)

    Overtaken(ports).run([ISSUER.public])
    assert looked
    assert len(audit(log.home / "registry", ORIGIN).checkpoints) == 1


class ReadTwice:
    """A store in which something happens right after the first look at one object."""

    def __init__(self, store, name, then):  # type: ignore[no-untyped-def]
        self._store, self._name, self._then = store, name, then

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._store, name)

    def read(self, name: str) -> bytes | None:
        found = self._store.read(name)
        self._happen(name)
        return found  # type: ignore[no-any-return]

    def read_tagged(self, name: str):  # type: ignore[no-untyped-def]
        found = self._store.read_tagged(name)
        self._happen(name)
        return found

    def _happen(self, name: str) -> None:
        if name == self._name and self._then:
            then, self._then = self._then, None
            then()


def test_an_init_that_saw_no_head_before_another_init_made_it_goes_on(log: TestLog) -> None:
    from dataclasses import replace

    ports = log.ports()
    slow = replace(ports, private=ReadTwice(ports.private, "head", log.init))  # type: ignore[arg-type]
    assert Initialiser(slow).run([ISSUER.public]).sequence == 0


def test_a_sequencer_that_is_overtaken_after_reading_head_has_lost_and_is_not_halted(log: TestLog) -> None:
    from dataclasses import replace

    ports = log.init()
    log.clock.time += 60
    other = Sequencer(log.ports())
    slow = replace(ports, private=ReadTwice(ports.private, "head", other.run))  # type: ignore[arg-type]
    report = Sequencer(slow).run()
    assert report.outcome == RoundOutcome.LOST
    assert report.checkpoint and report.checkpoint.sequence == 1


def test_init_beside_a_public_checkpoint_without_head_stops(log: TestLog) -> None:
    log.init()
    (log.home / "private" / "head").unlink()
    with pytest.raises(LogHaltedError, match="no head"):
        log.init()
    with pytest.raises(LogHaltedError, match="no head beside"):
        Sequencer(log.ports()).run()


def test_there_is_no_round_before_init(log: TestLog) -> None:
    with pytest.raises(LogHaltedError, match="issuer init"):
        Sequencer(log.ports()).run()


@pytest.mark.parametrize(
    "sizes", [[1], [255, 1, 1], [256], [257, 255], thorough([1, 255, 256, 0, 3]), thorough([600, 0, 424])]
)
def test_rounds_publish_what_an_auditor_derives_from_the_entries(log: TestLog, sizes: list[int]) -> None:
    ports = log.init()
    wanted = []
    for size in sizes:
        leaves = log.leaves(size)
        wanted += sorted(leaf.hash() for leaf in leaves)
        wait(ports, leaves)
        log.clock.time += 60
        report = Sequencer(ports).run()
        assert (report.outcome, report.leaves) == (RoundOutcome.PUBLISHED, size)
    found = audit(log.home / "registry", ORIGIN)
    assert [leaf.hash() for leaf in map(_leaf, found.entries)] == wanted
    assert [c["tree_size"] for c in found.checkpoints] == [sum(sizes[:n]) for n in range(len(sizes) + 1)]


def _leaf(entry: bytes):  # type: ignore[no-untyped-def]
    from attestlayer.log.leaf import parse_entry

    return parse_entry(entry)


@pytest.mark.thorough
@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.one_of(st.integers(0, 4), st.integers(250, 260)), min_size=1, max_size=5))
def test_batches_of_any_sizes_are_published_whole(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    log = TestLog(tmp_path_factory.mktemp("log"))
    ports = log.init()
    for size in sizes:
        log.round(ports, size)
    assert len(audit(log.home / "registry", ORIGIN).entries) == sum(sizes)


def test_every_stored_receipt_verifies(log: TestLog) -> None:
    ports = log.init()
    for count in (1, 2, 254, 3):
        log.round(ports, count)
    trust = read_trust_root(ports.public)
    receipts = list(ports.public.list("v1/proofs/inclusion/"))
    assert len(receipts) == 260
    for name in receipts:
        receipt = parse_registry_receipt(ports.public.read(name) or b"")
        assert explain_receipt(receipt, anchors_of(trust)).verdict == Verdict.VERIFIED


def test_the_checkpoints_are_bundled_when_there_are_256(log: TestLog) -> None:
    ports = log.init()
    tap = Tap()
    for number in range(1, 258):
        if number == 255:
            ports = tapped(ports, tap)
        log.round(ports, 1 if number % 100 == 0 else 0)
    found = audit(log.home / "registry", ORIGIN)
    assert (len(found.checkpoints), len(found.entries)) == (258, 2)
    fills = tap.names.index("public " + layout.checkpoint_bundle_path(0))
    assert tap.names[fills - 1].startswith("public v1/checkpoints/")
    assert "bundle" not in tap.names[fills - 1]


def test_there_is_no_round_before_the_next_instant_of_the_grid(log: TestLog) -> None:
    ports = log.init()
    for _ in range(3):
        log.clock.time += 10
        assert Sequencer(ports).run().outcome == RoundOutcome.NOT_DUE
    assert log.clock.time == START + 30
    log.clock.time = START + 60
    assert Sequencer(ports).run().outcome == RoundOutcome.PUBLISHED
    assert Sequencer(ports).run().outcome == RoundOutcome.NOT_DUE


def test_a_missed_minute_is_never_made_up(log: TestLog) -> None:
    ports = log.init()
    log.clock.time += 60 * 7 + 20
    report = Sequencer(ports).run()
    assert report.checkpoint and report.checkpoint.timestamp == START + 60 * 7
    assert Sequencer(ports).run().outcome == RoundOutcome.NOT_DUE
    assert len(audit(log.home / "registry", ORIGIN).checkpoints) == 2


def test_a_clock_that_goes_back_makes_no_round(log: TestLog) -> None:
    ports = log.init()
    log.round(ports, 1)
    wait(ports, log.leaves(1))
    log.clock.time -= 60
    assert Sequencer(ports).run().outcome == RoundOutcome.NOT_DUE
    log.clock.time -= 3540
    with pytest.raises(LogHaltedError, match="3600 s ahead of the clock"):
        Sequencer(ports).run()
    latest = read_latest(ports.public)
    assert latest and latest.timestamp == START + 60
    log.clock.time += 3660
    assert Sequencer(ports).run().leaves == 1


def test_a_clock_that_goes_back_within_a_round_makes_no_earlier_timestamp(log: TestLog) -> None:
    ports = log.init()
    log.clock.time += 120

    def set_back(number: int, name: str) -> None:
        if name == "private head":
            log.clock.time -= 3600

    report = Sequencer(tapped(ports, Tap(after=set_back))).run()
    assert report.checkpoint and report.checkpoint.timestamp == START + 120


@pytest.mark.parametrize(("before", "waits"), [(5.0, True), (0.25, True), (5.25, False), (30.0, False)])
def test_a_run_shortly_before_the_next_instant_waits_for_it(log: TestLog, before: float, waits: bool) -> None:
    ports = log.init()
    log.clock.time = START + 120 - before
    report = Sequencer(ports).run()
    assert log.clock.time == (START + 120 if waits else START + 120 - before)
    assert report.checkpoint and report.checkpoint.timestamp == (START + 120 if waits else START + 60)


def test_a_leaf_from_behind_the_round_waits_for_the_next(log: TestLog) -> None:
    ports = log.init()
    log.clock.time += 65
    wait(ports, log.leaves(1))
    assert Sequencer(ports).run().leaves == 0
    log.clock.time += 60
    assert Sequencer(ports).run().leaves == 1


def test_the_genesis_of_a_short_cadence_goes_on_each_second(tmp_path: Path) -> None:
    log = TestLog(tmp_path, cadence_s=1)
    ports = log.init()
    for _ in range(5):
        log.round(ports, 1)
    found = audit(tmp_path / "registry", ORIGIN)
    assert [c["timestamp"][-3:] for c in found.checkpoints] == [f"{n:02}Z" for n in range(6)]


def test_leaves_stay_in_the_ledger_until_delivery_and_are_taken_once(log: TestLog) -> None:
    ports = log.init()
    leaf = log.leaves(1)[0]
    put_waiting(ports.ledger, leaf)
    for leaves in (1, 0, 0):
        log.clock.time += 60
        assert Sequencer(ports).run().leaves == leaves
    assert ports.ledger.waiting_leaf(leaf.hash()) is not None


def test_a_batch_is_kept_until_a_later_round_is_public(log: TestLog) -> None:
    ports = log.init()
    for sequence in range(1, 4):
        log.round(ports, 1)
        assert [name.split("-")[0] for name in ports.private.list("batch/")] == [f"batch/{sequence}"]


def test_leaves_beyond_a_rounds_limit_wait_for_the_next_in_order(
    log: TestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issuer.services.sequence.MAX_LEAVES", 3)
    ports = log.init()
    leaves = [leaf for second in range(4) for leaf in log.leaves(2, START + second)]
    wait(ports, leaves)
    assert [log.round(ports).leaves for _ in range(4)] == [3, 3, 2, 0]
    found = audit(log.home / "registry", ORIGIN)
    issued = [_leaf(entry).issued_at for entry in found.entries]
    assert issued == sorted(issued)
