"""GET /v1/packets/{id}/kit: the finished kit, at a short-lived address."""

import hashlib
import math
import tempfile
from pathlib import Path

from aws_lambda_powertools.event_handler import Request

from attestlayer.encoding import format_base64, format_time
from issuer.api.call import Call, Reply, call_of, reply_text
from issuer.errors import Code, ServiceError, StoreError
from issuer.kits.names import delivered_object
from issuer.kits.terms import KITS_KEPT
from issuer.model import Packet, PacketState

DOWNLOAD_S = 900
"""Seconds for which a download address can be used."""


def get_kit(request: Request, packet_id: str) -> Reply:
    """Redirect to the finished kit. `Repr-Digest` (RFC 9530) is the SHA-256 of its bytes."""
    call = call_of(request)
    packet = call.service.packets.get(call.workspace_id, packet_id)
    if packet.state != PacketState.ISSUED or packet.issued is None:
        raise _not_ready(call, packet)
    kit_id = packet.issued.kit_id
    digest = _digest(call, packet, kit_id)
    expires_at = int(call.service.clock.now()) + DOWNLOAD_S
    url = call.service.transfers.download_url(delivered_object(kit_id), f"{kit_id}.zip", expires_at)
    headers = {"Location": url, "Repr-Digest": f"sha-256=:{format_base64(digest)}:"}
    return reply_text("", "text/plain", 303, headers)


def _not_ready(call: Call, packet: Packet) -> ServiceError:
    if packet.state == PacketState.WITHDRAWN:
        return ServiceError(Code.WRONG_STATE, "the packet is withdrawn: there will be no kit")
    if packet.issued is None:
        found = f"the packet is {packet.state}: it is to be issued first"
    else:
        found = (
            f"the packet is {packet.state}: its kit is finished with the checkpoint that holds its leaf, "
            f"by {format_time(packet.issued.merge_by)} at the latest"
        )
    return ServiceError(Code.NOT_READY, found, retry_after_s=call.service.settings.cadence_s)


def _digest(call: Call, packet: Packet, kit_id: str) -> bytes:
    """The SHA-256 of the delivered kit, read from the store. O(size)."""
    with tempfile.TemporaryDirectory(prefix="attestlayer-", dir=call.service.scratch.path) as folder:
        path = Path(folder, "kit.zip")
        if not call.service.private.fetch(delivered_object(kit_id), path):
            if (packet.delivered_at or math.inf) < KITS_KEPT.sure(call.service.clock.now()):
                raise ServiceError(Code.KIT_DELETED, f"{kit_id} was kept for {KITS_KEPT.words}")
            raise StoreError(f"the delivered kit {kit_id} is missing")
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
