"""A process that runs the whole service in a loop until it is killed: issue, sequence, deliver.

It prints a line for each answer that a caller would have seen: `accepted <key> <leaf hash>`.

    python service_process.py <home> <number of this process>
"""

import sys
from dataclasses import replace
from pathlib import Path

from attestlayer.canonical import parse_json
from attestlayer.encoding import sha256
from attestlayer.kit.receipt import Nonce
from issuer.bootstrap.home import initialise_home
from issuer.bootstrap.service import Service
from issuer.errors import Code, ServiceError
from issuer.kits.names import record_object
from issuer.model import Answer, Claim
from issuer.settings import Settings
from support.log import ORIGIN
from support.service import CATALOGUE, LANE, PROFILE, PlainBinder

PACKETS_A_TURN = 2


def main(home: Path, number: int) -> None:
    service = with_small_policy(initialise_home(settings_of(home), ORIGIN))
    workspace_id = workspace_of(service)
    say("ready")
    for turn in range(1_000_000):
        for each in range(PACKETS_A_TURN):
            issue(service, workspace_id, f"{number}-{turn}-{each}")
        retry(service, workspace_id)
        service.sequencer.run()
        run = service.deliverer.run()
        if run.failed:
            say(f"failed {run.failed}")
        for kit_id in run.delivered:
            say(f"delivered {kit_id}")


def settings_of(home: Path) -> Settings:
    """A log with a checkpoint each second."""
    return Settings(home, cadence_s=1)


def with_small_policy(service: Service) -> Service:
    """The service with the tests' policy and a binder that costs nothing."""
    return replace(service, catalogue=CATALOGUE, renderer=PlainBinder())


def say(line: str) -> None:
    print(line, flush=True)


def workspace_of(service: Service) -> str:
    found = service.ledger.workspaces()
    workspace = found[0] if found else service.workspaces.provision("Test", "portfolio", granted=0)
    if service.ledger.balance(workspace.workspace_id) < 1000:
        service.workspaces.grant(workspace.workspace_id, 5000, "test")
    return workspace.workspace_id


def issue(service: Service, workspace_id: str, name: str) -> None:
    """Open a packet, submit a record, issue: what a partner's three calls do."""
    packets = service.packets
    packet = packets.open(workspace_id, LANE, PROFILE, name)
    claim = packets.claim(workspace_id, f"open-{name}", name.encode())
    assert isinstance(claim, Claim)
    packets.store(packet, claim, Answer(201, b"{}"))
    data = f"record of {name}\n".encode()
    record = packets.add_record(
        packet, name="note.txt", record_type="note", size=len(data), sha256=sha256(data), metadata={}
    )
    service.private.create(record_object(packet.packet_id, record), data)
    call(service, workspace_id, packet.packet_id)


def retry(service: Service, workspace_id: str) -> None:
    """Calls that a killed process left open are made again with their keys, as a partner does."""
    for packet in service.ledger.packets(workspace_id, None, 40):
        if packet.records and packet.state in {"open", "ready"}:
            record = packet.records[0]
            if service.private.exists(record_object(packet.packet_id, record)):
                call(service, workspace_id, packet.packet_id)


def call(service: Service, workspace_id: str, packet_id: str) -> None:
    nonce = Nonce(None, sha256(packet_id.encode())).format()
    try:
        claim = service.packets.claim(workspace_id, f"issue-{packet_id}", nonce)
        if isinstance(claim, Claim):
            packet = service.packets.get(workspace_id, packet_id)
            claim = service.issuer.issue(packet, nonce, claim)
    except ServiceError as error:
        if error.code not in {Code.IN_PROGRESS, Code.LOG_STALLED}:
            raise
        return
    body = parse_json(claim.body)
    assert isinstance(body, dict)
    assert isinstance(body["leaf"], dict)
    say(f"accepted {packet_id} {body['leaf']['leaf_hash']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
