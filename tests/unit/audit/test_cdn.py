"""Through caches that lag, forget, refuse and reset, an audit accuses nobody; one that lies it still does."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import ThreadingHTTPServer
from itertools import product
from pathlib import Path

import pytest

from attestlayer.audit.auditor import audit
from attestlayer.audit.findings import AuditFinding
from attestlayer.audit.reader import PATIENCE_S
from attestlayer.errors import CouldNotCheckError
from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.log.trust import parse_trust
from attestlayer.reading.copies import Copy, Sighting
from attestlayer.reading.read_ahead import ReadAhead
from attestlayer.reading.registry import FolderRegistry
from support.cdn import Cdn, Time, folder, one_in
from support.large import LargeLog
from support.serving import running
from support.shared import made_once
from support.thorough import sampled_rows, thorough
from unit.audit.logs import change
from unit.audit.test_corruption import DAMAGES, KINDS

VIEWS = (layout.CHECKPOINT, layout.LATEST, layout.STATS)
ROUNDS = 64


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log, and the views of each of its last rounds in folders beside it."""
    return made_once(tmp_path_factory, "cached", _make)


def _make(home: Path) -> None:
    log = LargeLog(home)
    log.grow([3, 0, 256, *[0] * 255])
    for number in range(ROUNDS):
        log.grow([number % 3])
        for name in VIEWS:
            kept = home / "rounds" / str(number) / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(log.root / name, kept)


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "registry", tmp_path / "registry", copy_function=os.link)
    return tmp_path / "registry"


@dataclass
class Edge:
    """A registry through a CDN, without a network between them."""

    cdn: Cdn
    requests: int = 0

    def read(self, name: str) -> bytes | None:
        return self.fetch(name).data

    def fetch(self, name: str) -> Copy:
        self.requests += 1
        data, age = self.cdn.copy(name)
        now = self.cdn.time.now()
        return Copy(data, Sighting(now, now + 6 - min(age, 5), age))

    def fetch_again(self, name: str, sighting: Sighting, longest_s: float) -> Copy:
        wait = max(0.0, min(sighting.stale_at - self.cdn.time.now(), longest_s))
        self.cdn.time.sleep(wait)
        data, seen = self.fetch(name)
        return Copy(data, seen and seen._replace(waited_s=wait))

    def names(self) -> Iterator[str] | None:
        return None


def moving(made: Path, cadence_s: float, start: float) -> Callable[[str, float], bytes | None]:
    """The registry at a time: its views are those of the round that is newest then."""
    fixed = folder(made / "registry")

    def read(name: str, at: float) -> bytes | None:
        if name not in VIEWS:
            return fixed(name, at)
        number = min(ROUNDS - 1, int((at - start) // cadence_s))
        return (made / "rounds" / str(number) / name).read_bytes()

    return read


@pytest.mark.parametrize("jobs", [1, thorough(4)])
def test_a_healthy_log_behind_a_bad_cdn_is_clean(made: Path, jobs: int) -> None:
    time = Time()
    cdn = Cdn(folder(made / "registry"), time, one_in(9), busy_every=10, reset_every=97)
    with running(ThreadingHTTPServer(("127.0.0.1", 0), cdn.handler())) as url:
        opened = partial(time.registry, url)
        registry = opened() if jobs == 1 else ReadAhead(opened, jobs)
        report = audit(registry)
        if isinstance(registry, ReadAhead):
            registry.close()
    assert report.findings == ()
    assert time.waited  # all of it in no time
    assert cdn.requests > report.objects


@pytest.mark.parametrize("lagging", list(product([False, True], repeat=3)), ids=str)
def test_views_that_are_cached_apart_accuse_nobody(made: Path, lagging: tuple[bool, ...]) -> None:
    time = Time()
    cdn = Cdn(moving(made, 60, time.now() - 60), time)
    # Somebody has asked for some of the views a second before the round.
    time.at -= 1
    for name, asked in zip(VIEWS, lagging, strict=True):
        if asked:
            cdn.copy(name)
    time.at += 1
    report = audit(Edge(cdn))
    assert report.findings == ()
    assert report.newest == parse_checkpoint((made / "rounds/1" / layout.LATEST).read_bytes()) or all(lagging)


@pytest.mark.parametrize("ages", [(0, 1, 4), (4, 0, 2), (3, 4, 0)], ids=str)
def test_views_of_rounds_as_short_as_the_caches_memory_accuse_nobody(
    made: Path, ages: tuple[int, ...]
) -> None:
    time = Time()
    cdn = Cdn(moving(made, 5, time.now() - 8), time)
    time.at -= 5
    for age, name in sorted(zip(ages, VIEWS, strict=True), reverse=True):
        time.at = 1_900_000_000.0 - age
        cdn.copy(name)
    time.at = 1_900_000_000.0
    assert audit(Edge(cdn)).findings == ()


def test_an_edge_that_lags_behind_the_trust_root_is_asked_again(made: Path) -> None:
    time = Time()
    cdn = Cdn(moving(made, 60, time.now() - 120), time)
    time.at -= 61
    for name in VIEWS:
        cdn.copy(name)
    time.at += 61
    cdn.cache = {name: (time.now() - 1, data) for name, (_, data) in cdn.cache.items()}
    seen = parse_checkpoint((made / "rounds/2" / layout.LATEST).read_bytes())
    trust = parse_trust((made / "registry" / layout.TRUST).read_bytes())
    assert audit(Edge(cdn), replace(trust, checkpoint=seen)).findings == ()


def test_a_view_that_stays_behind_is_a_finding_and_says_when_it_was_seen(made: Path) -> None:
    time = Time()
    now, stuck = moving(made, 60, time.now() - 200), (made / "rounds/1" / layout.STATS).read_bytes()
    cdn = Cdn(lambda name, at: stuck if name == layout.STATS else now(name, at), time)
    findings = audit(Edge(cdn)).findings
    assert {(finding.object, finding.reason.value) for finding in findings} == {
        (layout.STATS, "view-outdated")
    }
    assert len(findings[0].seen) >= 3
    assert findings[0].seen[0].startswith("2030-03-17T17:46:40Z")
    assert findings[0].seen[1].startswith("2030-03-17T17:46:46Z")


def test_views_that_never_agree_are_no_finding_and_no_clean_audit(made: Path) -> None:
    time = Time()
    now = moving(made, 60, time.now() - 600)

    def apart(name: str, at: float) -> bytes | None:
        # A log that makes a round before each request for a view.
        time.at += 60 if name in VIEWS else 0
        return now(name, time.at)

    with pytest.raises(CouldNotCheckError, match="closer to it"):
        audit(Edge(Cdn(apart, time)))


def _found(findings: tuple[AuditFinding, ...]) -> list[tuple[str, str, str]]:
    return [(finding.object, finding.reason.value, finding.detail) for finding in findings]


@pytest.mark.parametrize(
    ("kind", "damage"),
    sampled_rows(
        [row for row in product(KINDS, DAMAGES) if row[0] != "index" and row != ("policy", "deleted")], 17
    ),
)
def test_a_damaged_object_has_the_same_findings_through_a_cdn(root: Path, kind: str, damage: str) -> None:
    names = sorted(str(path.relative_to(root)) for path in root.glob(KINDS[kind]) if path.is_file())
    name = names[len(names) // 2]
    change(root, name, DAMAGES[damage]((root / name).read_bytes()))

    class Served(FolderRegistry):
        def names(self) -> None:  # type: ignore[override]
            return

    wanted = audit(Served(root)).findings
    found = audit(Edge(Cdn(folder(root), Time(), one_in(5)))).findings
    assert _found(found) == _found(wanted)
    assert name in [finding.object for finding in found]
    assert all(finding.seen for finding in found if finding.object == name)


def test_one_wait_serves_all_that_was_fetched_before_it(root: Path) -> None:
    for path in sorted((root / "v1/proofs/inclusion").iterdir())[::2]:
        change(root, str(path.relative_to(root)), None)
    time = Time()
    registry = ReadAhead(lambda: Edge(Cdn(folder(root), time)), 2)
    found = audit(registry).findings
    registry.close()
    assert len(found) > 100
    # One of 6 s until the copies are stale; then a second for each.
    assert len([wait for wait in time.waited if wait > 1]) < 10


def test_damage_without_end_is_waited_for_a_bounded_time_and_named_all_the_same(root: Path) -> None:
    for path in (root / "v1/proofs/inclusion").iterdir():
        change(root, str(path.relative_to(root)), None)
    time = Time()
    found = audit(Edge(Cdn(folder(root), time))).findings
    assert len(found) > 250
    # Two waits may have begun before the last second was used up.
    assert PATIENCE_S / 2 < sum(time.waited) < PATIENCE_S + 20


def test_caches_that_forgot_much_cost_time_and_no_finding(made: Path) -> None:
    time = Time()
    assert audit(Edge(Cdn(folder(made / "registry"), time, one_in(3)))).findings == ()
    assert sum(time.waited) > PATIENCE_S


def test_what_is_no_registry_is_said_at_once() -> None:
    time = Time()
    with pytest.raises(CouldNotCheckError, match="not a registry"):
        audit(Edge(Cdn(lambda name, at: None, time)))
    assert time.waited == []
