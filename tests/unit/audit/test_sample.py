"""A run with a state file looks again at a sample: what changes after it was checked is found in time."""

import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from attestlayer.audit.auditor import AuditReport, audit
from attestlayer.audit.journal import Journal
from attestlayer.audit.sample import Sample
from attestlayer.audit.state import Sampling, parse_state
from attestlayer.encoding import Hash
from attestlayer.log import layout
from attestlayer.log.merkle import leaf_hash
from attestlayer.log.tiles import parse_bundle
from attestlayer.reading.registry import FolderRegistry
from support.large import LargeLog
from support.shared import made_once
from unit.audit.logs import change


class Served(FolderRegistry):
    """A folder as if behind a web server: it lists nothing, so that old checkpoints are not followed."""

    def names(self) -> None:  # type: ignore[override]
        return


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log whose leaves are over a day old, so that a run ends before it comes to their rounds."""
    return made_once(
        tmp_path_factory, "sampled", lambda home: LargeLog(home).grow([300, 400, 400, 300, *[0] * 1500, 1])
    )


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "registry", tmp_path / "registry", copy_function=os.link)
    return tmp_path / "registry"


def run(root: Path, state: Path, sample: Sample) -> AuditReport:
    kept = Journal(state, "here", None, lambda: 0.0, 0.0, sample)
    report = audit(Served(root), journal=kept)
    kept.save()
    return report


def _leaf(root: Path, index: int) -> Hash:
    data = (root / f"tile/entries/{index // 256:03}").read_bytes()
    return leaf_hash(parse_bundle(data, 256)[index % 256])


def test_by_default_a_run_looks_at_a_thousand_objects_and_more_and_a_cycle_of_100000_takes_49() -> None:
    sample, sampling, runs, seen = Sample(), None, 0, []
    while sampling is None or sampling.done < sampling.groups:
        sampling, groups = sample.next(sampling, 100_000)
        assert len(groups) * 256 >= 1_000 or sampling.done == sampling.groups
        runs, seen = runs + 1, seen + groups
    assert sorted(seen) == list(range(391))
    # A leaf that changes just after its turn waits for the end of the next cycle, at most.
    assert 2 * runs <= 100


def test_the_order_is_drawn_anew_for_each_cycle() -> None:
    drawn = random.Random(1)
    sample = Sample(3, drawn.randbytes)
    cycles = []
    for _ in range(2):
        sampling, groups = sample.next(None, 256 * 60)
        cycles.append([groups, sample.next(sampling, 256 * 60)[1]])
    assert cycles[0] != cycles[1]
    ended = Sampling(Hash(bytes(32)), 60, 60)
    assert sample.next(ended, 256 * 70)[0].groups == 70


@pytest.mark.parametrize("kind", ["bundle", "tile", "record", "receipt", "edge", "upper tile"])
def test_a_changed_object_is_found_in_its_cycle(root: Path, tmp_path: Path, kind: str) -> None:
    sample, state = Sample(2, random.Random(2).randbytes), tmp_path / "state"
    assert run(root, state, sample).findings == ()
    leaf = _leaf(root, 300)
    name = {
        "bundle": "tile/entries/003",
        "tile": "tile/0/002",
        "record": layout.entry_path(leaf),
        "receipt": layout.inclusion_path(leaf),
        "edge": "tile/entries/005.p/121",
        "upper tile": "tile/1/000.p/5",
    }[kind]
    data = (root / name).read_bytes()
    change(root, name, data[:50] + bytes([data[50] ^ 1]) + data[51:])
    found = [{finding.object for finding in run(root, state, sample).findings} for _ in range(3)]
    assert [names - {name} for names in found] == [set()] * 3
    # The edge is recomputed in every run, and each run compares the tile above it.
    assert found[-1] == {name}


def test_both_a_bundle_and_its_tile_rewritten_alike_are_found(root: Path, tmp_path: Path) -> None:
    sample, state = Sample(6), tmp_path / "state"
    run(root, state, sample)
    entries = parse_bundle((root / "tile/entries/001").read_bytes(), 256)
    entries[7] = entries[7].replace(b"PASS", b"FAIL")
    change(root, "tile/entries/001", b"".join(len(e).to_bytes(2, "big") + e for e in entries))
    change(root, "tile/0/001", b"".join(leaf_hash(entry) for entry in entries))
    found = {(finding.object, finding.reason.value) for finding in run(root, state, sample).findings}
    assert found == {("tile/entries/001", "entry-mismatch"), ("tile/0/001", "hash-mismatch")}


def test_a_sound_log_stays_clean_through_cycles_and_growth(tmp_path: Path) -> None:
    log = LargeLog(tmp_path / "log")
    log.grow([300, 400, 700])
    sample, state = Sample(2, random.Random(3).randbytes), tmp_path / "state"
    looked = []
    for count in (0, 200, 0, 1, 300, 0):
        log.grow([count])
        report = run(log.root, state, sample)
        assert report.findings == ()
        looked.append(report.looked_again)
    assert looked[0] == 0
    assert all(0 < leaves <= 512 for leaves in looked[1:])
    kept = parse_state(state.read_bytes()).sampling
    assert kept and 0 < kept.done <= kept.groups


def test_a_state_with_a_sampling_of_more_than_was_checked_is_refused(root: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    run(root, state, Sample(2))
    run(root, state, Sample(2))
    kept = parse_state(state.read_bytes())
    assert kept.sampling
    with pytest.raises(ValueError, match="sampling"):
        parse_state(replace(kept, sampling=replace(kept.sampling, groups=7)).format())
