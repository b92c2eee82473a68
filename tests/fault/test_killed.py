"""A process that issues, sequences and delivers is killed again and again: what it promised, it kept."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from attestlayer.canonical import parse_json
from attestlayer.encoding import format_hash
from attestlayer.files import open_kit
from attestlayer.verify import verify
from fault.service_process import settings_of, with_small_policy
from issuer.bootstrap import Service, open_home
from issuer.kits.objects import delivered_object
from issuer.log.face import read_trust_root
from issuer.model import CreditKind, Packet, PacketState
from support.audit import audit
from support.log import ORIGIN

HERE = Path(__file__).parent
KILLS = 12
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


def test_a_service_that_is_killed_keeps_its_promises(tmp_path: Path) -> None:
    home, chance = tmp_path / "home", random.Random(SEED)
    said: list[str] = []
    for number in range(KILLS):
        said += run_until_killed(home, number, chance.uniform(0.02, 0.9))
    service = with_small_policy(open_home(settings_of(home)))
    bring_to_rest(service)
    (workspace,) = service.ledger.workspaces()
    packets = everything(service, workspace.workspace_id)
    accepted = dict(line.split()[1:] for line in said if line.startswith("accepted "))
    assert len(accepted) > KILLS
    assert [line for line in said if line.startswith("failed ")] == []
    found = audit(home / "registry", ORIGIN)
    issued = {packet.packet_id: format_hash(packet.issued.leaf_hash) for packet in packets if packet.issued}  # type: ignore[arg-type]
    assert accepted.items() <= issued.items()
    assert sorted(found.leaf_hashes) == sorted(issued.values())
    assert {packet.state for packet in packets if packet.issued} == {PacketState.ISSUED}
    lines = service.ledger.credit_entries(workspace.workspace_id, None, 100_000)
    debits = [line.reference for line in lines if line.kind == CreditKind.CONSUMED]
    assert sorted(debits) == sorted(packet.issued.kit_id for packet in packets if packet.issued)
    check_kits(service, packets)
    check_replays(service, workspace.workspace_id, accepted)


def bring_to_rest(service: Service) -> None:
    """Rounds and deliveries until nothing waits."""
    for _ in range(200):
        service.sequencer.run()
        run = service.deliverer.run()
        assert run.failed == ()
        if not service.ledger.waiting_leaves(2**40, 10):
            return
        time.sleep(0.1)
    raise AssertionError("leaves still wait")


def everything(service: Service, workspace_id: str) -> list[Packet]:
    return list(service.ledger.packets(workspace_id, None, 100_000))


def check_kits(service: Service, packets: list[Packet]) -> None:
    trust = read_trust_root(service.public)
    for packet in packets:
        if packet.issued:
            path = service.settings.home / "private" / delivered_object(packet.issued.kit_id)
            with open_kit(path) as kit:
                assert verify(kit, trust).leaf_hash == packet.issued.leaf_hash


def check_replays(service: Service, workspace_id: str, accepted: dict[str, str]) -> None:
    """Whoever asks again with his key gets the answer that he was given."""
    from attestlayer.encoding import sha256
    from attestlayer.nonce import Nonce
    from issuer.model import Answer

    for packet_id, leaf in accepted.items():
        nonce = Nonce(None, sha256(packet_id.encode())).format()
        answer = service.packets.claim(workspace_id, f"issue-{packet_id}", nonce)
        assert isinstance(answer, Answer)
        body = parse_json(answer.body)
        assert isinstance(body, dict)
        assert isinstance(body["leaf"], dict)
        assert body["leaf"]["leaf_hash"] == leaf
