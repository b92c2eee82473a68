"""An audit with a state file: stopped anywhere, it ends with the report that it would have had."""

import http.server
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from attestlayer.audit.auditor import AuditReport, audit
from attestlayer.audit.findings import AuditFinding, AuditReason
from attestlayer.audit.journal import Journal
from attestlayer.audit.sample import Sample
from attestlayer.audit.state import AuditState, Position, Sampling, Stretch, parse_state
from attestlayer.canonical import format_json, parse_json, take_members
from attestlayer.cli.main import main
from attestlayer.encoding import Hash, format_hash, format_time, sha256
from attestlayer.errors import CouldNotCheckError
from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.log.lookup import Segment
from attestlayer.log.trust import make_trust_root, parse_trust
from attestlayer.reading.registry import FolderRegistry
from issuer.services.index import Indexer
from support.large import LargeLog
from support.log import TestLog
from support.serving import running
from support.shared import made_once
from support.thorough import sampled
from unit.audit.logs import change

COUNTS = (3, 0, 255, 40, *[0] * 280, 300, 2, 200)
PARTS = 3
"""The moments at which an audit is killed, dealt out."""

STEP = 256
"""Leaves that a killed audit may lose beside what was due to be written: one tile's."""


DRAWN = Sample(draw=bytes)
"""A sample whose order is the same in each cycle."""

NONE = Sample(groups=0)
"""No sample: only what is new is looked at."""


class Stop(BaseException):
    """The process is killed here."""


@dataclass
class Stopping(FolderRegistry):
    """A folder whose reader is killed at read number `stop`; None: never."""

    stop: int | None = None

    def read(self, name: str) -> bytes | None:
        if self.requests == self.stop:
            raise Stop
        return super().read(name)


@dataclass
class Served(Stopping):
    """The same, as if behind a web server: it lists nothing."""

    def names(self) -> None:  # type: ignore[override]
        return


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound log of 800 leaves and 286 checkpoints."""
    return made_once(tmp_path_factory, "resumed", lambda home: LargeLog(home).grow(COUNTS))


def copied(home: Path, target: Path) -> Path:
    shutil.copytree(home / "registry", target, copy_function=os.link)
    return target


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    return copied(made, tmp_path / "registry")


@pytest.fixture(scope="session")
def damaged(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log with damage of each phase, at its beginning and at its end."""
    root = copied(made, tmp_path_factory.mktemp("damaged") / "registry")
    proofs = sorted(str(path.relative_to(root)) for path in (root / "v1/proofs/inclusion").iterdir())
    for name in (*proofs[::97], "tile/0/002", "v1/checkpoints/bundle/000", layout.consistency_path(0, 3)):
        change(root, name, (root / name).read_bytes()[:-1])
    change(root, layout.consistency_path(600, 800), None)
    change(root, layout.checkpoint_path(_checkpoint_at(root, 40)), None)
    change(root, layout.STATS, b"{}")
    change(root, "v1/anything", b"")
    return root


def _checkpoint_at(root: Path, sequence: int) -> Hash:
    found = parse_checkpoint((root / layout.LATEST).read_bytes())
    while found.sequence > sequence:
        assert found.prev_checkpoint_hash
        name = found.prev_checkpoint_hash
        found = parse_checkpoint((root / layout.checkpoint_path(name)).read_bytes())
    return name


@dataclass
class Reached:
    """Remembers which leaves an audit came to."""

    seen: list[int]

    def __call__(self, what: str, done: int, total: int) -> None:
        if what == "entries":
            self.seen.append(done)


def journal(path: Path, every_s: float = 0.0, sample: Sample = DRAWN) -> Journal:
    """A journal that is written at every mark."""
    return Journal(path, "here", None, lambda: 0.0, every_s, sample)


def run(registry: FolderRegistry, path: Path, sample: Sample = DRAWN) -> AuditReport:
    """A whole run, or one that is killed: then what is in the file is what was written so far."""
    kept = journal(path, sample=sample)
    report = audit(registry, journal=kept)
    kept.save()
    return report


def same(one: AuditReport, other: AuditReport) -> bool:
    return (one.newest, one.findings, one.listed) == (other.newest, other.findings, other.listed)


@pytest.mark.parametrize("part", sampled(range(PARTS), PARTS))
@pytest.mark.parametrize("kind", [Stopping, Served])
def test_killed_once_anywhere_the_report_is_the_same(
    made: Path, damaged: Path, tmp_path: Path, kind: type[Stopping], part: int
) -> None:
    for root in (made / "registry", damaged):
        whole = kind(root)
        wanted = audit(whole)
        assert bool(wanted.findings) == (root == damaged)
        for stop in range(211 * part, whole.requests, 211 * PARTS):
            state = tmp_path / f"{root.parent.name}-{stop}"
            with pytest.raises(Stop):
                run(kind(root, stop=stop), state)
            found = run(kind(root), state)
            assert same(found, wanted), stop
            assert parse_state(state.read_bytes()).finished == (root != damaged)


def test_the_index_is_computed_from_sound_shards_only_wherever_an_audit_was_killed(tmp_path: Path) -> None:
    log = LargeLog(tmp_path / "log")
    log.grow([900, 700])
    ports = TestLog(log.home).ports()
    Indexer(ports.public, ports.private).run()
    name = Segment(1, 0).path(1)  # of groups 0 and 1; segments of four and of six groups follow from it
    data = (log.root / name).read_bytes()
    change(log.root, name, data[:-1] + bytes([data[-1] ^ 1]))
    whole = Stopping(log.root)
    wanted = audit(whole)
    assert {finding.object for finding in wanted.findings} == {name}
    for stop in range(600, whole.requests, 550):
        state = tmp_path / str(stop)
        with pytest.raises(Stop):
            run(Stopping(log.root, stop=stop), state)
        assert same(run(Stopping(log.root), state), wanted), stop


def test_killed_again_and_again_it_comes_to_its_end(damaged: Path, tmp_path: Path) -> None:
    wanted, kills, report = audit(FolderRegistry(damaged)), 0, None
    while report is None:
        try:
            report = run(Stopping(damaged, stop=900), tmp_path / "state")
        except Stop:
            kills += 1
    assert same(report, wanted)
    assert kills > 1


def test_a_killed_audit_loses_at_most_a_tile(made: Path, tmp_path: Path) -> None:
    for number, stop in enumerate(range(0, 1800, 150)):
        registry, state = Stopping(made / "registry", stop=stop), tmp_path / str(number)
        reached = Reached([])
        with pytest.raises(Stop):
            audit(registry, None, None, reached, journal(state))
        written = parse_state(state.read_bytes()).position.leaves if state.exists() else 0
        entries = max(reached.seen, default=0)
        assert written >= entries - STEP


def test_it_writes_only_when_it_is_time(made: Path, tmp_path: Path) -> None:
    seconds = iter(range(10_000))
    kept = Journal(tmp_path / "state", "here", None, lambda: float(next(seconds)), 1000.0)
    audit(FolderRegistry(made / "registry"), journal=kept)
    assert not (tmp_path / "state").exists()
    kept.save()
    assert parse_state((tmp_path / "state").read_bytes()).finished


def test_a_finished_audit_goes_on_with_what_is_new(tmp_path: Path) -> None:
    log = LargeLog(tmp_path / "log")
    log.grow([300, *[0] * 1500, 5])
    for kind in (FolderRegistry, Served):
        run(kind(log.root), tmp_path / kind.__name__)
    log.grow([0, 700, 1])
    for kind in (FolderRegistry, Served):
        whole, part = kind(log.root), kind(log.root)
        wanted, found = audit(whole), run(part, tmp_path / kind.__name__, NONE)
        assert same(found, wanted)
        assert found.findings == ()
        assert found.resumed == 305
        assert part.requests < whole.requests / 2
        assert parse_state((tmp_path / kind.__name__).read_bytes()).finished


def test_damage_in_what_is_new_is_found_and_in_what_was_audited_only_by_a_sample(tmp_path: Path) -> None:
    log = LargeLog(tmp_path / "log")
    log.grow([300])
    run(FolderRegistry(log.root), tmp_path / "state")
    log.grow([300])
    change(log.root, "tile/entries/000", None)
    change(log.root, "tile/entries/001", None)
    state = tmp_path / "state"
    found = {finding.object for finding in run(FolderRegistry(log.root), state, NONE).findings}
    assert "tile/entries/001" in found
    assert "tile/entries/000" not in found


def test_a_finding_stays_though_the_object_was_repaired(root: Path, tmp_path: Path) -> None:
    data = (root / "tile/0/000").read_bytes()
    change(root, "tile/0/000", None)
    first = run(FolderRegistry(root), tmp_path / "state")
    change(root, "tile/0/000", data)
    assert audit(FolderRegistry(root)).findings == ()
    assert run(FolderRegistry(root), tmp_path / "state").findings == first.findings != ()


def test_views_and_strays_are_looked_at_in_each_run(root: Path, tmp_path: Path) -> None:
    stats = (root / layout.STATS).read_bytes()
    change(root, layout.STATS, b"{}")
    change(root, "v1/anything", b"")
    assert len(run(FolderRegistry(root), tmp_path / "state").findings) == 2
    change(root, layout.STATS, stats)
    change(root, "v1/anything", None)
    assert run(FolderRegistry(root), tmp_path / "state").findings == ()


def test_a_log_that_does_not_extend_the_audited_one_is_a_conflict(tmp_path: Path) -> None:
    one, other = LargeLog(tmp_path / "one"), LargeLog(tmp_path / "other")
    one.grow([5, 300])
    other.grow([5, 299, 400])
    run(FolderRegistry(one.root), tmp_path / "state")
    before = (tmp_path / "state").read_bytes()
    found = run(FolderRegistry(other.root), tmp_path / "state").findings
    assert {finding.reason for finding in found} == {AuditReason.TRUST_CONFLICT}
    assert (tmp_path / "state").read_bytes() == before


def test_a_registry_that_went_back_is_a_conflict(tmp_path: Path) -> None:
    log = LargeLog(tmp_path / "log")
    log.grow([5])
    shutil.copytree(log.root, tmp_path / "earlier")
    log.grow([300])
    run(FolderRegistry(log.root), tmp_path / "state")
    before = (tmp_path / "state").read_bytes()
    found = run(FolderRegistry(tmp_path / "earlier"), tmp_path / "state").findings
    assert [finding.reason for finding in found] == [AuditReason.TRUST_CONFLICT]
    assert (tmp_path / "state").read_bytes() == before


@pytest.fixture
def state(made: Path, tmp_path: Path) -> Path:
    """The state of an audit that was killed on its way."""
    with pytest.raises(Stop):
        run(Stopping(made / "registry", stop=1500), tmp_path / "state")
    return tmp_path / "state"


def rewritten(state: Path, **changes: object) -> None:
    """Change members of the state's tree, and make its digest right again: what an attacker does."""
    members = take_members(parse_json(state.read_bytes()))
    del members["digest"]
    tree = take_members(members["tree"])
    members = {**members, "tree": {**tree, **changes}}  # type: ignore[dict-item]
    digest = format_hash(sha256(format_json(members)))
    state.write_bytes(format_json({**members, "digest": digest}))


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_state_that_is_cut_is_refused(state: Path, cut: int) -> None:
    state.write_bytes(state.read_bytes()[:cut])
    with pytest.raises(CouldNotCheckError, match="is no audit state"):
        journal(state)


def test_a_state_with_any_bit_flipped_is_refused(state: Path) -> None:
    data = state.read_bytes()
    for at in range(0, len(data), 41):
        state.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(CouldNotCheckError):
            journal(state)


def test_an_audit_goes_on_with_a_renewed_trust_root(made: Path, tmp_path: Path) -> None:
    root = made / "registry"
    trust = parse_trust((root / layout.TRUST).read_bytes())
    renewed = make_trust_root(parse_checkpoint((root / layout.LATEST).read_bytes()), trust.notices)
    assert renewed.hash() != trust.hash()
    kept = Journal(tmp_path / "state", "here", trust.identity().format())
    audit(FolderRegistry(root), trust, journal=kept)
    kept.save()
    again = Journal(tmp_path / "state", "here", renewed.identity().format())
    assert again.before is not None
    report = audit(FolderRegistry(root), renewed, journal=again)
    assert report.resumed == report.newest.head.size > 0


def test_a_state_of_another_place_trust_root_or_format_is_refused(made: Path, state: Path) -> None:
    trust = parse_trust((made / "registry" / layout.TRUST).read_bytes())
    with pytest.raises(CouldNotCheckError, match="audit of 'here', wanted 'there'"):
        Journal(state, "there", None)
    with pytest.raises(CouldNotCheckError, match="with no trust root, wanted a trust root"):
        Journal(state, "here", trust.identity().format())
    state.write_bytes(state.read_bytes().replace(b"audit-state/1", b"audit-state/2"))
    with pytest.raises(CouldNotCheckError, match="newer"):
        journal(state)


def test_a_state_of_another_origin_is_refused(made: Path, state: Path) -> None:
    found = parse_state(state.read_bytes())
    other = replace(found, checkpoint=replace(found.checkpoint, origin="other.test"))
    state.write_bytes(other.format())
    with pytest.raises(CouldNotCheckError, match=r"of the log other\.test"):
        run(FolderRegistry(made / "registry"), state)


@pytest.mark.parametrize(
    "changes",
    [
        {"leaves": 900},
        {"leaves": 1},
        {"before": 255},
        {"before": 0},
        {"windows": []},
        {"windows": [[]]},
        {"windows": [["A" * 43]] * 2},
        {"all_read": 2},
        {"note": 1},
        {"delays": [{"hour": "2027-01-15T08:00:00Z", "seconds": -1}]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_state_that_contradicts_itself_is_refused(state: Path, changes: dict[str, object]) -> None:
    if -1 in [each for value in changes.values() if value == changes.get("delays") for each in [-1]]:
        with pytest.raises(ValueError, match="a number is not an integer from 0"):
            rewritten(state, **changes)
        return
    rewritten(state, **changes)
    with pytest.raises(CouldNotCheckError):
        journal(state)


def test_a_tampered_window_never_ends_clean(made: Path, state: Path) -> None:
    found = parse_state(state.read_bytes())
    assert found.position.before
    ((first, *more),) = found.position.windows
    for window in (((sha256(first), *more),), ((*more, first),) if more else ((sha256(b""),),)):
        state.write_bytes(replace(found, position=replace(found.position, windows=window)).format())
        words = {each.reason for each in run(FolderRegistry(made / "registry"), state).findings}
        assert AuditReason.ROOT_MISMATCH in words


def test_a_stretch_of_another_chain_is_a_conflict(made: Path, state: Path) -> None:
    found = parse_state(state.read_bytes())
    (stretch,) = found.chain
    state.write_bytes(replace(found, chain=(replace(stretch, hash=sha256(b"another")),)).format())
    words = {each.reason for each in run(FolderRegistry(made / "registry"), state).findings}
    assert words == {AuditReason.TRUST_CONFLICT}


def test_a_state_is_read_as_it_was_written(made: Path) -> None:
    newest = parse_checkpoint((made / "registry" / layout.LATEST).read_bytes())
    window = (sha256(b"1"), sha256(b"2"))
    full = AuditState(
        "https://registry.test",
        "registry.test+00000000+AQ",
        newest,
        (Stretch(newest.sequence, newest.hash(), 256), Stretch(200, sha256(b"x"), 0)),
        Position(512, 700, (window,), 1, 2, ((1_800_000_000, 7),), False, (sha256(b"n"), "note\n")),
        40,
        (AuditFinding("tile/0/000", AuditReason.MISSING, "found “no” object\n"),),
        12,
        13,
        Sampling(sha256(b"key"), 3, 2),
    )
    for state in (full, AuditState("", None, newest)):
        assert parse_state(state.format()) == state


@pytest.fixture
def interrupting(root: Path) -> Iterator[str]:
    """The log behind a server in this process that sends it SIGTERM at one request, once."""
    seen: list[str] = []

    class Files(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_GET(self) -> None:
            seen.append(self.path)
            if len(seen) == 1200:
                os.kill(os.getpid(), signal.SIGTERM)
            super().do_GET()

        def log_message(self, *args: object) -> None:
            del args

    def files(*args: object) -> http.server.BaseHTTPRequestHandler:
        return Files(*args, directory=str(root))  # type: ignore[arg-type]

    with running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), files)) as url:
        yield url


def test_the_command_goes_on_after_a_signal(
    interrupting: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # By this machine's clock the log would be from the future.
    at = format_time(parse_checkpoint((root / layout.LATEST).read_bytes()).timestamp)
    command = ["audit", interrupting, "--state", str(tmp_path / "state"), "--at", at]
    assert main(command) == 130
    assert not parse_state((tmp_path / "state").read_bytes()).finished
    assert main([*command, "--json"]) == 0
    document = take_members(_loaded(capsys.readouterr().out))
    assert document["clean"] is True
    assert document["tree_size"] == 800
    assert parse_state((tmp_path / "state").read_bytes()).finished
    assert main([*command, "--json", "--jobs", "1"]) == 0
    again = take_members(_loaded(capsys.readouterr().out))
    assert (again["resumed"], again["looked_again"]) == (800, 800)


def _loaded(text: str) -> object:
    import json

    return json.loads(text)  # noqa: TID251


def test_a_state_and_since_are_two_ways_to_start(root: Path, tmp_path: Path) -> None:
    command = ["audit", str(root), "--state", str(tmp_path / "state"), "--since", "A" * 43]
    assert main(command) == 64
    assert main(["audit", str(root), "--jobs", "0"]) == 64
    assert main(["audit", str(root), "--jobs", "65"]) == 64


def test_a_state_that_cannot_be_written_is_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(root), "--state", str(root / "no/folder/state")]) == 2
    assert "No such file" in capsys.readouterr().err
