"""The keys of the ledger's items. Sort keys that give an order have numbers of one width."""

import hashlib

from issuer.model import Claim, Packet, QueuedNotice
from issuer.ports import Key, Span

LEAF_SHARDS = 8
"""Partitions of the waiting leaves: on DynamoDB one takes 1,000 writes of 1 KB a second, a leaf makes two."""

NEXT_NOTICE = Key("notices", "next")
ROUNDS = Key("rounds")
QUALIFICATIONS = Span("qualifications", "id#", "id#~")
WORKSPACES = Span("workspaces", "id#", "id#~")
NOTICES = Span("notices", "n#", "n#~")
LEAVES = tuple(Span(f"leaves#{shard}", "0", "~") for shard in range(LEAF_SHARDS))


def workspace_key(workspace_id: str) -> Key:
    """The key of a workspace's record."""
    return Key("workspaces", f"id#{workspace_id}")


def qualification_key(qualification_id: str) -> Key:
    """The key of a qualification's record."""
    return Key("qualifications", f"id#{qualification_id}")


def api_key_key(key_hash: bytes) -> Key:
    """An API key, by its hash."""
    return Key(f"key#{key_hash.hex()}")


def api_key_pointer(workspace_id: str, key_hash: bytes) -> Key:
    """The pointer from a workspace to one of its API keys."""
    return Key(_of(workspace_id), f"key#{key_hash.hex()}")


def api_keys_of(workspace_id: str) -> Span:
    """All those pointers of a workspace."""
    return Span(_of(workspace_id), "key#", "key#~")


def books_key(workspace_id: str) -> Key:
    """The key of a workspace's books, one item."""
    return Key(_of(workspace_id), "books")


def line_key(workspace_id: str, number: int) -> Key:
    """A workspace's credit line, by its place in the order of posting."""
    return Key(_of(workspace_id), f"credit#{number:012}")


def line_pointer(entry_id: str) -> Key:
    """The pointer from a credit line's id to the line, whatever its workspace."""
    return Key(f"credit#{entry_id}")


def lines_from(workspace_id: str, first: Key | None) -> Span:
    """A workspace's credit lines from `first` on, that one included."""
    return Span(_of(workspace_id), first.sk if first else "credit#", "credit#~")


def packet_key(packet_id: str) -> Key:
    """The key of a packet, whatever its workspace."""
    return Key(f"packet#{packet_id}")


def packet_pointer(packet: Packet) -> Key:
    """The pointer from the packet's workspace to the packet, in order of opening."""
    return Key(_of(packet.workspace_id), f"packet#{packet.opened_at:012}#{packet.packet_id}")


def packets_until(workspace_id: str, last: Key | None) -> Span:
    """Those pointers of a workspace, newest first, down from `last`, that one included."""
    return Span(_of(workspace_id), "packet#", last.sk if last else "packet#~", reverse=True)


def kit_pointer(workspace_id: str, kit_id: str) -> Key:
    """The pointer from a kit to the packet that was sealed as it."""
    return Key(_of(workspace_id), f"kit#{kit_id}")


def claim_key(claim: Claim) -> Key:
    """An idempotency key of a workspace."""
    return Key(f"claim#{claim.workspace_id}#{claim.key}")


def nonce_pointer(nonce_hash: bytes) -> Key:
    """The pointer from a client nonce to the packet that used it."""
    return Key(f"nonce#{nonce_hash.hex()}")


def leaf_key(leaf_hash: bytes) -> Key:
    """A waiting leaf, in the partition that its hash selects."""
    return Key(LEAVES[leaf_hash[0] % LEAF_SHARDS].pk, leaf_hash.hex())


def notice_key(number: int) -> Key:
    """A queued notice, by its place in the queue."""
    return Key("notices", f"n#{number:012}")


def notice_pointer(notice: QueuedNotice) -> Key:
    """The pointer from a notice's content to its place in the queue."""
    digest = hashlib.sha256(notice.type.encode() + b"\0" + notice.data).hexdigest()
    return Key("notices", f"is#{digest}")


def _of(workspace_id: str) -> str:
    return f"workspace#{workspace_id}"
