"""A real home with a kit issued from the sample records, by the services that partners call."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from attestlayer.encoding import sha256
from attestlayer.kit.receipt import Nonce
from attestlayer.log import layout
from issuer.bootstrap.home import initialise_home
from issuer.bootstrap.service import Service
from issuer.intake.sidecar import SIDECAR, read_sidecar
from issuer.kits.names import delivered_object, record_object
from issuer.log import face
from issuer.model import Answer, Claim, Packet
from issuer.settings import Settings

SAMPLES = Path(__file__).parents[2] / "site/content/samples"


@dataclass(frozen=True)
class IssuedKit:
    """A service, and files of the kit that it delivered and of its trust root."""

    service: Service
    kit: Path
    trust: Path


def issue_sample(folder: Path, lane: str = "PAY-01", profile: str = "wire-transfer") -> IssuedKit:
    """A new home in `folder`, one packet of samples, its delivered kit. Takes two or three seconds."""
    service = initialise_home(Settings(folder / "home", cadence_s=1), "registry.test")
    workspace = service.workspaces.provision("Example Advisory", "starter")
    packet = submit_sample(service, workspace.workspace_id, lane, profile)
    latest = face.read_latest(service.public)
    assert latest is not None
    nonce = Nonce(latest.hash(), service.entropy.token(32)).format()
    service.issuer.issue(packet, nonce, claim_of(service, packet, "issue"))
    while not service.deliverer.run().delivered:
        service.sequencer.run()
        time.sleep(0.05)
    delivered = service.packets.get(workspace.workspace_id, packet.packet_id)
    assert delivered.issued is not None
    kit, trust = folder / "kit.zip", folder / "trust.json"
    service.private.fetch(delivered_object(delivered.issued.kit_id), kit)
    trust.write_bytes(service.public.read(layout.TRUST) or b"")
    return IssuedKit(service, kit, trust)


def submit_sample(service: Service, workspace_id: str, lane: str, profile: str) -> Packet:
    """A stored packet with all sample records of a profile."""
    packets = service.packets
    packet = packets.open(workspace_id, lane, profile, "test")
    packets.store(packet, claim_of(service, packet, "open"), Answer(201, b"{}"))
    folder = SAMPLES / lane / profile
    today = datetime.fromtimestamp(service.clock.now(), UTC).date()
    for item in read_sidecar((folder / SIDECAR).read_bytes(), today).records:
        data = (folder / item.file).read_bytes()
        record = packets.add_record(
            packets.get(workspace_id, packet.packet_id),
            name=item.file,
            record_type=item.record_type,
            size=len(data),
            sha256=sha256(data),
            metadata=item.metadata,
        )
        service.private.create(record_object(packet.packet_id, record), data)
    return packets.get(workspace_id, packet.packet_id)


def claim_of(service: Service, packet: Packet, what: str) -> Claim:
    """A claim for one request about a packet."""
    key = f"{what} {packet.packet_id}"
    claim = service.packets.claim(packet.workspace_id, key, key.encode())
    assert isinstance(claim, Claim)
    return claim
