"""Delivery: a leaf that is in a public checkpoint gets its kit finished, verified and handed over."""

import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

from attestlayer.canonical import format_json
from attestlayer.encoding import format_hash
from attestlayer.errors import VerificationError
from attestlayer.kit.container import KitWriter
from attestlayer.kit.manifest import REGISTRY_RECEIPT
from attestlayer.log import layout
from attestlayer.log.leaf import RegistryReceipt, parse_registry_receipt
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import open_kit
from attestlayer.verify.verifier import verify
from issuer.errors import ServiceError, StoreError
from issuer.kits.names import delivered_object, sealed_object
from issuer.ledger.ledger import Ledger
from issuer.log import face
from issuer.model import Packet, PacketState, QueuedNotice, WaitingLeaf
from issuer.ports import Clock, ObjectStore

_LOOKED_AT = 100_000
"""Waiting leaves looked at in one run."""

_FEW = 256
"""Waiting leaves that a run is sure to get through in its time, whatever is wrong with them."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a run did: kits delivered, and for each leaf that failed its hash and why."""

    delivered: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Deliverer:
    """Finishes kits. Running it again, or twice at once, is always right. `scratch`: for unfinished files."""

    ledger: Ledger
    private: ObjectStore
    public: ObjectStore
    clock: Clock
    scratch: Path | None = None

    def run(self) -> Delivery:
        """Deliver every kit whose leaf the newest public checkpoint has reached."""
        found = self.ledger.waiting_leaves(int(self.clock.now()), _LOOKED_AT)
        if not found:
            return Delivery((), ())
        trust = face.read_trust_root(self.public)
        leaves = tuple(each for each in found if each.issued_at <= trust.checkpoint.timestamp)
        delivered: list[str] = []
        failed: list[tuple[str, str]] = []
        for waiting in self._in_turn(leaves):
            try:
                if kit_id := self._deliver(waiting, trust):
                    delivered.append(kit_id)
            except (ServiceError, VerificationError) as error:
                failed.append((format_hash(waiting.leaf_hash), str(error)))
        return Delivery(tuple(delivered), tuple(failed))

    def _in_turn(self, leaves: tuple[WaitingLeaf, ...]) -> tuple[WaitingLeaf, ...]:
        """The oldest first; of many, beginning elsewhere in each run.

        A run may be cut off by its time. Were the first ones kits that can't be finished, those behind them
        would never have their turn.
        """
        if len(leaves) <= _FEW:
            return leaves
        first = zlib.crc32(str(int(self.clock.now())).encode()) % len(leaves)
        return leaves[first:] + leaves[:first]

    def _deliver(self, waiting: WaitingLeaf, trust: TrustRoot) -> str | None:
        """The kit's id, or None if its time has not come."""
        data = self.public.read(layout.inclusion_path(waiting.leaf_hash))
        if data is None:
            return None
        receipt = parse_registry_receipt(data)
        if receipt.checkpoint.sequence > trust.checkpoint.sequence:
            return None
        if receipt.checkpoint.timestamp > waiting.merge_by and not trust.keyring.is_late_merge(
            receipt.leaf_index
        ):
            return None  # the notice that explains it comes with the next round
        packet = self.ledger.packet(waiting.packet_id)
        if packet is None or packet.issued is None:
            raise StoreError(f"leaf {format_hash(waiting.leaf_hash)} has no sealed packet")
        self._finish_kit(waiting, receipt, trust, packet.issued.kit_id)
        self._note_supersession(packet, waiting)
        issued = replace(
            packet,
            state=PacketState.ISSUED,
            delivered_at=int(self.clock.now()),
            version=packet.version + 1,
        )
        self.ledger.finish(waiting.leaf_hash, issued)
        return packet.issued.kit_id

    def _finish_kit(
        self, waiting: WaitingLeaf, receipt: RegistryReceipt, trust: TrustRoot, kit_id: str
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=self.scratch) as folder:
            sealed, finished = Path(folder, "sealed.zip"), Path(folder, "kit.zip")
            if not self.private.fetch(sealed_object(waiting.kit_digest), sealed):
                raise StoreError(f"the sealed kit {kit_id} is missing")
            with open_kit(sealed) as kit, finished.open("wb") as out:
                writer = KitWriter(out)
                for member in kit.members.values():
                    writer.copy(member)
                writer.add(REGISTRY_RECEIPT, receipt.format())
                writer.finish()
            with open_kit(finished) as kit:
                verify(kit, trust)
            self.private.create_file(delivered_object(kit_id), finished)

    def _note_supersession(self, packet: Packet, waiting: WaitingLeaf) -> None:
        if packet.supersedes is None:
            return
        old = self.ledger.packet_of_kit(packet.workspace_id, packet.supersedes)
        if old and old.issued:
            data = {"leaf_hash": format_hash(old.issued.leaf_hash), "by": format_hash(waiting.leaf_hash)}
            self.ledger.queue_notice(QueuedNotice("kit.superseded", format_json(data)))
