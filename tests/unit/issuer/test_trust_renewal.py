"""`/v1/trust.json` is made again with new notices and on each new UTC date, and an audit knows when."""

from collections.abc import Callable
from pathlib import Path

import pytest

from attestlayer.audit.auditor import audit
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint
from attestlayer.log.trust import make_trust_root, parse_trust
from attestlayer.reading.registry import FolderRegistry
from issuer.log.face import read_latest, read_trust_root
from issuer.log.store import LogPorts
from issuer.services.sequence import Sequencer
from support.audit import audit as independent_audit
from support.log import ORIGIN, START, Crash, Tap, TestLog, queue, tapped

DAY = 86_400
MIDNIGHT = START - START % DAY + DAY


def trust_of(ports: LogPorts) -> Checkpoint:
    return parse_trust(ports.public.read(layout.TRUST) or b"").checkpoint


def round_at(log: TestLog, ports: LogPorts, time: int) -> Checkpoint:
    log.clock.time = time
    checkpoint = Sequencer(ports).run().checkpoint
    assert checkpoint is not None
    return checkpoint


def findings(log: TestLog, since: Checkpoint | None = None) -> list[tuple[str, str]]:
    report = audit(FolderRegistry(log.home / "registry"), None, since)
    return [(each.object, each.reason.value) for each in report.findings]


def test_the_first_round_of_a_utc_date_renews_the_trust_root_and_no_other(log: TestLog) -> None:
    ports = log.init()
    genesis = trust_of(ports)
    round_at(log, ports, MIDNIGHT - 60)
    assert trust_of(ports) == genesis
    first = round_at(log, ports, MIDNIGHT)
    assert trust_of(ports) == first
    round_at(log, ports, MIDNIGHT + 60)
    assert trust_of(ports) == first
    assert findings(log) == []
    independent_audit(log.home / "registry", ORIGIN)


def test_new_notices_renew_it_on_the_same_date(log: TestLog) -> None:
    ports = log.init()
    round_at(log, ports, START + 60)
    queue(ports, "kit.withdrawn", {"leaf_hash": "A" * 43, "reason": "issued-in-error"})
    noticed = round_at(log, ports, START + 120)
    round_at(log, ports, START + 180)
    assert trust_of(ports) == noticed
    assert findings(log) == []


def test_a_publisher_after_a_crash_writes_the_same_trust_root(log: TestLog) -> None:
    ports = log.init()
    round_at(log, ports, MIDNIGHT - 60)

    def die(number: int, name: str) -> None:
        if name == f"public {layout.TRUST}":
            raise Crash

    log.clock.time = MIDNIGHT + 3
    with pytest.raises(Crash):
        Sequencer(tapped(ports, Tap(before=die))).run()
    report = Sequencer(log.ports()).run()  # the same instant: it only finishes the round
    assert report.checkpoint == trust_of(ports) == read_latest(ports.public)
    assert findings(log) == []


@pytest.mark.parametrize("whole", [True, False], ids=["the whole log", "since a checkpoint of today"])
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda ports, old: old, id="yesterday's"),
        pytest.param(lambda ports, old: read_trust_root(ports.public).format(), id="the newest checkpoint's"),
    ],
)
def test_an_audit_accepts_no_other_trust_root(
    log: TestLog, tmp_path: Path, wrong: Callable[[LogPorts, bytes], bytes], whole: bool
) -> None:
    ports = log.init()
    old = ports.public.read(layout.TRUST) or b""
    first = round_at(log, ports, MIDNIGHT)
    since = round_at(log, ports, MIDNIGHT + 60)
    round_at(log, ports, MIDNIGHT + 120)
    anchor = None if whole else since
    assert findings(log, anchor) == []
    assert make_trust_root(first, read_trust_root(ports.public).notices).format() == ports.public.read(
        layout.TRUST
    )
    (tmp_path / "registry" / layout.TRUST).unlink()
    (tmp_path / "registry" / layout.TRUST).write_bytes(wrong(ports, old))
    assert findings(log, anchor) == [(layout.TRUST, "view-outdated")]
