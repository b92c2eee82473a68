"""Delivery: once a leaf is in a public checkpoint, its kit is finished, verified and made available."""

import tempfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

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
from issuer.model import PacketState, WaitingLeaf
from issuer.ports import Clock, ObjectStore

_LOOKED_AT = 100_000
"""Waiting leaves that one run considers at most."""

_FEW = 256
"""Waiting leaves that one run can surely try before its time is up, even if all of them fail."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Result of a run: ids of delivered kits; leaf hash and error message of each failure."""

    delivered: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Deliverer:
    """Finishes kits. Safe to run again or several times at once. `scratch`: folder for unfinished files."""

    ledger: Ledger
    private: ObjectStore
    public: ObjectStore
    clock: Clock
    scratch: Path | None = None

    def run(self) -> Delivery:
        """Deliver every kit whose leaf is in the newest public checkpoint or an earlier one.

        A kit that fails does not stop the others. Raises `LogHaltedError` if the public face can't be read.
        """
        # The ledger before the public face: a leaf accepted in between is simply left for the next run.
        waiting_leaves = self.ledger.waiting_leaves(int(self.clock.now()), _LOOKED_AT)
        if not waiting_leaves:
            return Delivery((), ())
        trust = face.read_trust_root(self.public)
        leaves = tuple(each for each in waiting_leaves if each.issued_at <= trust.checkpoint.timestamp)
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
        """Oldest first. A long queue is entered at a different offset in each run.

        A run may be cut short by its time limit. Kits that can't be finished stay at the front of the queue
        and would otherwise starve the rest.
        """
        if len(leaves) <= _FEW:
            return leaves
        # The offset needs to vary, not to be unpredictable: a hash of the time is enough, and tests can set
        # it.
        first = zlib.crc32(str(int(self.clock.now())).encode()) % len(leaves)
        return leaves[first:] + leaves[:first]

    def _deliver(self, waiting: WaitingLeaf, trust: TrustRoot) -> str | None:
        """Deliver one kit. Returns its id, or None if its leaf or a notice about it is not public yet."""
        data = self.public.read(layout.inclusion_path(waiting.leaf_hash))
        if data is None:
            return None
        receipt = parse_registry_receipt(data)
        # A receipt is public a moment before `latest.json` names its checkpoint: the kit could not be
        # verified against the trust root read above.
        if receipt.checkpoint.sequence > trust.checkpoint.sequence:
            return None
        if receipt.checkpoint.timestamp > waiting.merge_by and not trust.keyring.is_late_merge(
            receipt.leaf_index
        ):
            return None  # without the late-merge notice, due in the next round, the kit would not verify
        packet = self.ledger.packet(waiting.packet_id)
        if packet is None or packet.issued is None:
            raise StoreError(f"leaf {format_hash(waiting.leaf_hash)} has no sealed packet")
        # The kit before the ledger: once the packet is `issued`, its kit can be downloaded. A crash in
        # between repeats both, with the same bytes.
        self._finish_kit(waiting, receipt, trust, packet.issued.kit_id)
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
            # Members of the sealed kit are copied byte for byte, the receipt comes last (REG-1.0 section
            # 6.7).
            with open_kit(sealed) as kit, finished.open("wb") as out:
                writer = KitWriter(out)
                for member in kit.members.values():
                    writer.copy(member)
                writer.add(REGISTRY_RECEIPT, receipt.format())
                writer.finish()
            # As a client will: a kit that does not verify is never handed over.
            with open_kit(finished) as kit:
                verify(kit, trust)
            # Create-only: a second run makes the same bytes, so a client that has the kit keeps the right
            # one.
            self.private.create_file(delivered_object(kit_id), finished)
