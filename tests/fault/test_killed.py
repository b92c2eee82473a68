"""A process that issues, sequences and delivers is killed again and again: what it promised, it kept."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from attestlayer.canonical import parse_json
from attestlayer.encoding import sha256
from attestlayer.kit.receipt import Nonce
from fault.promises import bring_to_rest, check_kept
from fault.service_process import settings_of, with_small_policy
from issuer.bootstrap.home import open_home
from issuer.bootstrap.service import Service
from issuer.model import Answer
from support.thorough import thorough

HERE = Path(__file__).parent
SEED = 20260131


def run_until_killed(home: Path, number: int, after_s: float) -> list[str]:
    """What the process said until it was killed, so long after it was ready."""
    paths = os.pathsep.join(str(HERE.parent.parent / part) for part in ("functions", "tests"))
    process = subprocess.Popen(
        [sys.executable, str(HERE / "service_process.py"), str(home), str(number)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},  # noqa: TID251
    )
    assert process.stdout and process.stderr
    errors: list[str] = []
    reading = threading.Thread(target=lambda: errors.append(process.stderr.read()))  # type: ignore[union-attr]
    reading.start()
    said = [process.stdout.readline()]
    killer = threading.Timer(after_s, lambda: process.send_signal(signal.SIGKILL))
    killer.start()
    said += process.stdout.readlines()
    process.wait()
    reading.join()
    killer.cancel()
    process.stdout.close()
    process.stderr.close()
    assert (said[0], process.returncode) == ("ready\n", -signal.SIGKILL), errors
    return [line for line in said[1:] if line.endswith("\n")]


@pytest.mark.parametrize("kills", [4, thorough(12)])
def test_a_service_that_is_killed_keeps_its_promises(tmp_path: Path, kills: int) -> None:
    home, chance = tmp_path / "home", random.Random(SEED)
    said: list[str] = []
    for number in range(kills):
        said += run_until_killed(home, number, chance.uniform(0.02, 0.9))
    service = with_small_policy(open_home(settings_of(home)))
    bring_to_rest(service)
    (workspace,) = service.ledger.workspaces()
    accepted = dict(line.split()[1:] for line in said if line.startswith("accepted "))
    assert accepted  # how many is the machine's affair
    assert [line for line in said if line.startswith("failed ")] == []
    check_kept(service, home / "registry", workspace.workspace_id, accepted)
    check_replays(service, workspace.workspace_id, accepted)


def check_replays(service: Service, workspace_id: str, accepted: dict[str, str]) -> None:
    """Whoever asks again with his key gets the answer that he was given."""
    for packet_id, leaf in accepted.items():
        nonce = Nonce(None, sha256(packet_id.encode())).format()
        answer = service.packets.claim(workspace_id, f"issue-{packet_id}", nonce)
        assert isinstance(answer, Answer)
        body = parse_json(answer.body)
        assert isinstance(body, dict)
        assert isinstance(body["leaf"], dict)
        assert body["leaf"]["leaf_hash"] == leaf
