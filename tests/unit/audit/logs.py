"""Logs for the audit's tests: real rounds over a published policy, in a folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from attestlayer.audit.auditor import AuditReport, audit
from attestlayer.encoding import Hash
from attestlayer.log import layout
from attestlayer.log.leaf import Leaf
from attestlayer.reading.registry import FolderRegistry
from issuer.log.store import LogPorts
from issuer.services.sequence import Sequencer
from support.log import TestLog, wait
from support.service import CATALOGUE

POLICY = CATALOGUE.policies[0]


def start(home: Path) -> tuple[TestLog, LogPorts]:
    """A log that has its policy and its first checkpoint."""
    log = TestLog(home)
    ports = log.init()
    policy(ports)
    return log, ports


def policy(ports: LogPorts) -> None:
    """Publish the leaves' policy."""
    ports.public.create(layout.policy_path(POLICY.intake_policy_hash), POLICY.document)


def leaves(log: TestLog, count: int) -> list[Leaf]:
    """New leaves of the published policy."""
    return [
        replace(
            leaf,
            intake_policy_hash=Hash(POLICY.intake_policy_hash),
            lane_id=POLICY.lane_id,
            profile_id=POLICY.profile_id,
        )
        for leaf in log.leaves(count)
    ]


def grow(log: TestLog, ports: LogPorts, *counts: int) -> None:
    """A round for each count of new leaves."""
    for count in counts:
        wait(ports, leaves(log, count))
        log.clock.time += log.cadence_s
        Sequencer(ports).run()


def found_in(root: Path) -> list[tuple[str, str]]:
    """Names and words that the audit of a folder finds."""
    return [(finding.object, finding.reason.value) for finding in audit(FolderRegistry(root)).findings]


def report_of(root: Path) -> AuditReport:
    """The audit of a folder."""
    return audit(FolderRegistry(root))


Change = Callable[[bytes], bytes | None]


def change(root: Path, name: str, to: bytes | None) -> None:
    """Put other bytes into a registry's file, or take it away; linked copies keep theirs."""
    path = root / name
    path.unlink(missing_ok=True)
    if to is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to)
