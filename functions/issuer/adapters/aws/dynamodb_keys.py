"""Where each thing is in the ledger's table. Sort keys that are to be in order have numbers of one width."""

import hashlib

from issuer.adapters.aws.dynamodb_items import Key
from issuer.adapters.aws.dynamodb_table import Span
from issuer.model import Claim, QueuedNotice

LEAF_SHARDS = 8
"""Partitions of the waiting leaves: one takes 1,000 writes of 1 KB a second, a leaf's transaction two."""

NEXT_NOTICE = Key("notices", "next")
ROUNDS = Key("rounds")
QUALIFICATIONS = Span("qualifications", "id#", "id#~")
WORKSPACES = Span("workspaces", "id#", "id#~")
NOTICES = Span("notices", "n#", "n#~")


def workspace_key(workspace_id: str) -> Key:
    """A workspace."""
    return Key("workspaces", f"id#{workspace_id}")


def qualification_key(qualification_id: str) -> Key:
    """A qualification."""
    return Key("qualifications", f"id#{qualification_id}")


def api_key_key(key_hash: bytes) -> Key:
    """An API key, by its hash."""
    return Key(f"key#{key_hash.hex()}")


def api_key_of(workspace_id: str, key_hash: bytes) -> Key:
    """A workspace's note that it has the key."""
    return Key(f"workspace#{workspace_id}", f"key#{key_hash.hex()}")


def api_keys_of(workspace_id: str) -> Span:
    """All those notes."""
    return Span(f"workspace#{workspace_id}", "key#", "key#~")


def books_key(workspace_id: str) -> Key:
    """A workspace's balances, number of credit lines and number of open packets."""
    return Key(f"workspace#{workspace_id}", "books")


def line_key(workspace_id: str, number: int) -> Key:
    """A workspace's credit line by its place in the order of posting."""
    return Key(f"workspace#{workspace_id}", f"credit#{number:012}")


def lines_after(workspace_id: str, number: int) -> Span:
    """The credit lines after that place."""
    return Span(f"workspace#{workspace_id}", f"credit#{number + 1:012}", "credit#~")


def line_of(entry_id: str) -> Key:
    """Where the line with this id is, whatever its workspace."""
    return Key(f"credit#{entry_id}")


def packet_key(packet_id: str) -> Key:
    """A packet."""
    return Key(f"packet#{packet_id}")


def packet_of(workspace_id: str, opened_at: int, packet_id: str) -> Key:
    """A workspace's note that it has the packet, in order of opening."""
    return Key(f"workspace#{workspace_id}", f"packet#{opened_at:012}#{packet_id}")


def packets_before(workspace_id: str, last: Key | None) -> Span:
    """Those notes, newest first; down from `last`, that one included."""
    return Span(f"workspace#{workspace_id}", "packet#", last.sk if last else "packet#~", reverse=True)


def kit_of(workspace_id: str, kit_id: str) -> Key:
    """Which packet was sealed as this kit."""
    return Key(f"workspace#{workspace_id}", f"kit#{kit_id}")


def claim_key(claim: Claim) -> Key:
    """An idempotency key of a workspace."""
    return Key(f"claim#{claim.workspace_id}#{claim.key}")


def nonce_key(nonce_hash: bytes) -> Key:
    """A client nonce that was used."""
    return Key(f"nonce#{nonce_hash.hex()}")


def leaf_key(leaf_hash: bytes) -> Key:
    """A waiting leaf, in the partition that its hash says."""
    return Key(_leaf_shard(leaf_hash[0] % LEAF_SHARDS), leaf_hash.hex())


def leaf_spans() -> list[Span]:
    """All waiting leaves."""
    return [Span(_leaf_shard(shard), "0", "~") for shard in range(LEAF_SHARDS)]


def _leaf_shard(shard: int) -> str:
    return f"leaves#{shard}"


def notice_key(number: int) -> Key:
    """A queued notice by its place in the queue."""
    return Key("notices", f"n#{number:012}")


def notice_of(notice: QueuedNotice) -> Key:
    """Where in the queue this notice is, by what it says."""
    digest = hashlib.sha256(notice.type.encode() + b"\0" + notice.data).hexdigest()
    return Key("notices", f"is#{digest}")
