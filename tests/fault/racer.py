"""A process of the race: sequences, issues, initialises or watches one home until told to stop.

    python racer.py <home> <sequence | issue | init | watch> <number> <kits>

It waits for the file `go` in the home's folder, ends when `stop` is there, and prints one line of JSON.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from attestlayer.canonical import format_json
from attestlayer.checkpoint import parse_checkpoint
from attestlayer.encoding import Hash, format_hash
from fault.service_process import issue, settings_of, with_small_policy
from issuer.bootstrap import Service, initialise_home, open_home
from issuer.services.sequence import Outcome
from support.log import ORIGIN

Work = Callable[[Path, int, int], dict[str, object]]
LATEST = "registry/v1/checkpoints/latest.json"


def stopped(home: Path) -> bool:
    return (home.parent / "stop").exists()


def sequence(home: Path, number: int, kits: int) -> dict[str, object]:
    """Rounds, as fast as they go, with deliveries by every fourth process."""
    service = open_home(settings_of(home))
    outcomes = dict.fromkeys((outcome.value for outcome in Outcome), 0)
    while not stopped(home):
        outcomes[service.sequencer.run().outcome.value] += 1
        if number % 4 == 0:
            assert service.deliverer.run().failed == ()
    return {**outcomes}


def issue_kits(home: Path, number: int, kits: int) -> dict[str, object]:
    """So many kits, each by a partner's three calls; says what was accepted by stdout's other lines."""
    service: Service = with_small_policy(open_home(settings_of(home)))
    (workspace,) = service.ledger.workspaces()
    for each in range(kits):
        issue(service, workspace.workspace_id, f"race-{number}-{each}")
    return {"issued": kits}


def initialise(home: Path, number: int, kits: int) -> dict[str, object]:
    """Make the home, beside others who do."""
    service = initialise_home(settings_of(home), ORIGIN)
    keys = sorted([*service.log.signers, *service.issuer.ports.signers])
    return {"keys": keys}


def watch(home: Path, number: int, kits: int) -> dict[str, object]:
    """Neither `latest.json` nor `/checkpoint` ever goes back, and what they speak of is there."""
    polls = changes = sequence = size = 0
    while not stopped(home):
        note = (home / "registry/checkpoint").read_text().split("\n")
        assert int(note[1]) >= size, f"/checkpoint went back from {size} to {note[1]}"
        size = int(note[1])
        latest = parse_checkpoint((home / LATEST).read_bytes())
        assert latest.sequence >= sequence, f"latest.json went back from {sequence}"
        assert (home / f"registry/v1/notices/{hash_text(latest.notices_hash)}.json").exists()
        changes += latest.sequence > sequence
        polls, sequence = polls + 1, latest.sequence
        time.sleep(0.002)
    return {"polls": polls, "changes": changes, "sequence": sequence, "size": size}


def hash_text(value: bytes) -> str:
    return format_hash(Hash(value))


WORKS: dict[str, Work] = {"sequence": sequence, "issue": issue_kits, "init": initialise, "watch": watch}


def main(home: Path, work: str, number: int, kits: int) -> None:
    print("ready", flush=True)
    while not (home.parent / "go").exists():
        time.sleep(0.005)
    print(format_json(WORKS[work](home, number, kits)).decode(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
