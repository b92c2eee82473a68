"""A process of the race: sequences, issues, initialises or watches one home until told to stop.

    python racer.py <backend> <home> <sequence | issue | init | watch> <number> <kits>

It waits for the file `go` in the home's folder, ends when `stop` is there, and prints one line of JSON.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attestlayer.canonical import format_json
from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from fault.service_process import issue, with_small_policy
from issuer.bootstrap.service import Service
from issuer.services.sequence import RoundOutcome
from support.backends import backend_named


@dataclass(frozen=True)
class Racer:
    """A process of the race: `open` gives its service, which starts the log unless it runs."""

    open: Callable[[], Service]
    home: Path
    number: int
    kits: int

    def stopped(self) -> bool:
        return (self.home.parent / "stop").exists()


def sequence(racer: Racer) -> dict[str, object]:
    """Rounds, as fast as they go, with deliveries by every fourth process."""
    service = racer.open()
    outcomes = dict.fromkeys((outcome.value for outcome in RoundOutcome), 0)
    while not racer.stopped():
        outcomes[service.sequencer.run().outcome.value] += 1
        if racer.number % 4 == 0:
            assert service.deliverer.run().failed == ()
    return {**outcomes}


def issue_kits(racer: Racer) -> dict[str, object]:
    """So many kits, each by a partner's three calls; says what was accepted by stdout's other lines."""
    service = with_small_policy(racer.open())
    (workspace,) = service.ledger.workspaces()
    for each in range(racer.kits):
        issue(service, workspace.workspace_id, f"race-{racer.number}-{each}")
    return {"issued": racer.kits}


def initialise(racer: Racer) -> dict[str, object]:
    """Make the home, beside others who do."""
    service = racer.open()
    return {"keys": sorted([*service.log.signers, *service.issuer.signers])}


def watch(racer: Racer) -> dict[str, object]:
    """Neither `latest.json` nor `/checkpoint` ever goes back, and what they speak of is there."""
    public = racer.open().public
    polls = changes = sequence = size = 0
    while not racer.stopped():
        note = (public.read(layout.CHECKPOINT) or b"").decode().split("\n")
        assert int(note[1]) >= size, f"/checkpoint went back from {size} to {note[1]}"
        size = int(note[1])
        latest = parse_checkpoint(public.read(layout.LATEST) or b"")
        assert latest.sequence >= sequence, f"latest.json went back from {sequence}"
        assert public.exists(layout.notices_path(latest.notices_hash))
        changes += latest.sequence > sequence
        polls, sequence = polls + 1, latest.sequence
        time.sleep(0.002)
    return {"polls": polls, "changes": changes, "sequence": sequence, "size": size}


WORKS: dict[str, Callable[[Racer], dict[str, object]]] = {
    "sequence": sequence,
    "issue": issue_kits,
    "init": initialise,
    "watch": watch,
}


def main(backend: str, home: Path, work: str, number: int, kits: int) -> None:
    service = backend_named(backend).service
    assert service
    racer = Racer(partial(service, home), home, number, kits)
    print("ready", flush=True)
    while not (home.parent / "go").exists():
        time.sleep(0.005)
    print(format_json(WORKS[work](racer)).decode(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
