"""What a service that was disturbed must have kept: its log, ledger and kits are held against each other."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attestlayer.encoding import Hash, format_hash
from attestlayer.reading.files import open_kit
from attestlayer.verify.verifier import verify
from issuer.bootstrap.service import Service
from issuer.kits.names import delivered_object
from issuer.log.face import read_trust_root
from issuer.model import CreditKind, Issued, PacketState
from support.audit import audit

ALL = 1_000_000


@dataclass(frozen=True)
class Kept:
    """What was there in the end."""

    accepted: int
    leaves: int
    debits: int
    kits: int
    checkpoints: int


def bring_to_rest(service: Service, tries: int = 200) -> None:
    """Rounds and deliveries until nothing waits."""
    for _ in range(tries):
        service.sequencer.run()
        run = service.deliverer.run()
        assert run.failed == (), run.failed
        if not service.ledger.waiting_leaves(2**40, 10):
            return
        time.sleep(0.1)
    raise AssertionError("leaves still wait")


def check_kept(service: Service, registry: Path, workspace_id: str, accepted: Mapping[str, str]) -> Kept:
    """Check a service at rest, its public objects in the folder `registry`.

    `accepted`: leaf hashes that callers were answered, by packet.
    """
    found = audit(registry, service.origin)
    packets = service.ledger.packets(workspace_id, None, ALL)
    issued = {packet.packet_id: packet.issued for packet in packets if packet.issued}
    leaves = {packet_id: format_hash(Hash(each.leaf_hash)) for packet_id, each in issued.items()}
    assert accepted.items() <= leaves.items(), "an accepted leaf is lost"
    assert sorted(found.leaf_hashes) == sorted(leaves.values()), "log and ledger hold different leaves"
    assert {packet.state for packet in packets if packet.issued} <= {PacketState.ISSUED}
    lines = service.ledger.credit_entries(workspace_id, None, ALL)
    debits = [line.reference for line in lines if line.kind is CreditKind.CONSUMED]
    assert sorted(debits) == sorted(each.kit_id for each in issued.values()), "debits are not the kits"
    sums = {kind: sum(line.amount for line in lines if line.kind is kind) for kind in CreditKind}
    left = sums[CreditKind.GRANTED] - sums[CreditKind.CONSUMED] + sums[CreditKind.RETURNED]
    assert service.ledger.balance(workspace_id) == left, "the balance is not its lines'"
    _check_kits(service, list(issued.values()))
    return Kept(len(accepted), len(found.entries), len(debits), len(issued), len(found.checkpoints))


def _check_kits(service: Service, issued: list[Issued]) -> None:
    trust = read_trust_root(service.public)
    for each in issued:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "kit.zip")
            assert service.private.fetch(delivered_object(each.kit_id), path), f"{each.kit_id} is missing"
            with open_kit(path) as kit:
                assert verify(kit, trust).leaf_hash == each.leaf_hash
