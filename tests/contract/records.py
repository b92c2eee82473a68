"""Sample records. `n` makes them different."""

from dataclasses import replace

from attestlayer.encoding import sha256
from issuer.ledger.ledger import Ledger
from issuer.model import (
    Acceptance,
    Answer,
    Claim,
    Contact,
    CreditEntry,
    CreditKind,
    Issued,
    Packet,
    PacketState,
    Qualification,
    WaitingLeaf,
    Workspace,
)

NOW = 1_800_000_000
ANSWER = Answer(202, b'{"state":"sealed"}', {"content-type": "application/json"})


def hash_of(n: object) -> bytes:
    return sha256(str(n).encode())


def workspace(workspace_id: str = "wks_1") -> Workspace:
    contacts = (Contact("Ada Ωmega\u2028", "ada@example.org", "billing"),)
    return Workspace(workspace_id, "Example", "pilot", NOW + 9, NOW, contacts)


def packet(n: int, state: PacketState = PacketState.OPEN, workspace_id: str = "wks_1") -> Packet:
    return Packet(
        packet_id=f"pkt_{n:06}",
        workspace_id=workspace_id,
        lane_id="PAY-01",
        profile_id="wire-transfer",
        intake_policy_hash=hash_of("policy"),
        reference=f"ref {n}",
        cohort=None,
        supersedes=None,
        state=state,
        version=1,
        opened_at=NOW + n,
        seed=hash_of(n),
    )


def claim(n: int, token: str = "first", until: int = NOW + 60) -> Claim:
    return Claim("wks_1", f"key-{n}", hash_of(f"request {n}"), f"{token}-{n}", until)


def grant(n: int, amount: int, workspace_id: str = "wks_1") -> CreditEntry:
    entry_id = f"grant-{workspace_id}-{n}"
    return CreditEntry(
        entry_id, workspace_id, NOW, CreditKind.GRANTED, amount, "granted", "available", "order 1"
    )


def move(n: int, amount: int, source: str = "available", target: str = "consumed") -> CreditEntry:
    return CreditEntry(f"move-{n}", "wks_1", NOW, CreditKind.CONSUMED, amount, source, target, f"packet {n}")


def sealed(ready: Packet, n: int) -> Packet:
    issued = Issued(f"kit_{n}", hash_of(f"kit {n}"), hash_of(f"leaf {n}"), NOW, NOW + 3600, b"{}")
    return replace(ready, state=PacketState.SEALED, version=ready.version + 1, issued=issued)


def issued(before: Packet) -> Packet:
    return replace(before, state=PacketState.ISSUED, version=before.version + 1, delivered_at=NOW + 60)


def leaf(n: int, issued_at: int = NOW) -> WaitingLeaf:
    entry = f"entry {n}".encode()
    packet_id = f"pkt_{n:06}"
    return WaitingLeaf(
        hash_of(f"leaf {n}"), issued_at, issued_at + 3600, entry, "wks_1", packet_id, hash_of(f"kit {n}")
    )


def acceptance(n: int, now: int = NOW) -> Acceptance:
    """For `packet(n, READY)` and `claim(n)`."""
    return Acceptance(
        claim=claim(n),
        packet=sealed(packet(n, PacketState.READY), n),
        nonce_hash=hash_of(f"nonce {n}"),
        leaf=leaf(n),
        debit=move(n, 1),
        answer=ANSWER,
        now=now,
    )


def qualification(n: int, received_at: int = NOW) -> Qualification:
    contact = Contact("Bo", "bo@example.org", "lead")
    return Qualification(f"qlf_{n}", "pilot", contact, "wire transfers", received_at)


def prepare(ledger: Ledger, n: int, state: PacketState = PacketState.READY) -> None:
    """A ready packet and a claim for `acceptance(n)`."""
    making = replace(claim(n), key=f"make-{n}")
    ledger.claim(making, NOW)
    ledger.create_packet(packet(n, state), making, ANSWER, 1000)
    ledger.claim(claim(n), NOW)


def trace(ledger: Ledger, n: int) -> dict[str, object]:
    """All that `accept` of `acceptance(n)` touches, as it can be read."""
    stored = ledger.packet(packet(n).packet_id)
    return {
        "packet": stored,
        "nonce": ledger.nonce_used(hash_of(f"nonce {n}")),
        "leaf": ledger.waiting_leaf(hash_of(f"leaf {n}")),
        "debited": f"move-{n}" in [line.entry_id for line in ledger.credit_entries("wks_1", None, 9999)],
        "balance": ledger.balance("wks_1"),
    }
