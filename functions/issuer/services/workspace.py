"""Workspaces: provisioning, credits, API keys and authentication by them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attestlayer.encoding import shown
from issuer.errors import Code, ServiceError
from issuer.kits.names import make_id
from issuer.kits.terms import TERM_DAYS, tier_of
from issuer.ledger.api_keys import LIVE, RANDOM_LENGTH, TEST, format_api_key, hash_api_key
from issuer.ledger.ledger import Ledger
from issuer.model import ApiKey, Contact, CreditEntry, CreditKind, Workspace
from issuer.ports import Clock, Entropy

READ = "read"
WRITE = "write"
SCOPES = (READ, WRITE)

MAX_GRANT = 1_000_000
"""Credits of one grant at most: a larger number is taken for a typing error."""

_DAY_S = 86_400


@dataclass(frozen=True)
class Workspaces:
    """Creates workspaces, grants credits, makes API keys and checks them."""

    ledger: Ledger
    clock: Clock
    entropy: Entropy

    def provision(
        self, name: str, tier: str, contacts: Sequence[Contact] = (), granted: int | None = None
    ) -> Workspace:
        """Create a workspace with `granted` credits, or its tier's number. Raises INVALID_REQUEST."""
        amount = tier_of(tier).credits if granted is None else granted
        _check_amount(amount, 0)
        now = self.clock.now()
        workspace = Workspace(
            workspace_id=make_id("ws", now, self.entropy),
            name=name,
            tier=tier_of(tier).name,
            term_ends_at=int(now) + TERM_DAYS * _DAY_S,
            created_at=int(now),
            contacts=tuple(contacts),
        )
        # Two transactions: a crash in between leaves a workspace without credits, which `grant` puts right.
        self.ledger.add_workspace(workspace)
        if amount:
            self.grant(workspace.workspace_id, amount, "provisioned")
        return workspace

    def grant(self, workspace_id: str, amount: int, reference: str) -> CreditEntry:
        """Grant 1 … `MAX_GRANT` credits. Each call grants again. Raises INVALID_REQUEST, NOT_FOUND."""
        self.get(workspace_id)
        _check_amount(amount, 1)
        now = self.clock.now()
        entry = CreditEntry(
            entry_id=make_id("grant", now, self.entropy),
            workspace_id=workspace_id,
            at=int(now),
            kind=CreditKind.GRANTED,
            amount=amount,
            source="granted",
            target="available",
            reference=reference,
        )
        self.ledger.post_credits(entry)
        return entry

    def get(self, workspace_id: str) -> Workspace:
        """The stored workspace. Raises NOT_FOUND."""
        workspace = self.ledger.workspace(workspace_id)
        if workspace is None:
            raise ServiceError(Code.NOT_FOUND, f"there is no workspace {shown(workspace_id)}")
        return workspace

    def replace_contacts(self, workspace_id: str, contacts: Sequence[Contact]) -> Workspace:
        """Replace the whole contact list. Raises NOT_FOUND, CHANGED_MEANWHILE."""
        workspace = self.get(workspace_id)
        changed = replace(workspace, contacts=tuple(contacts), version=workspace.version + 1)
        self.ledger.replace_workspace(changed)
        return changed

    def make_key(
        self, workspace_id: str, label: str, *, scopes: Sequence[str] = SCOPES, live: bool = True
    ) -> str:
        """Make an API key.

        Returns its text, of which only the hash is stored. Raises INVALID_REQUEST, NOT_FOUND.
        """
        self.get(workspace_id)
        if not scopes or not set(scopes) <= set(SCOPES):
            raise ServiceError(
                Code.INVALID_REQUEST, f"found scopes {', '.join(scopes)}, wanted {', '.join(SCOPES)}"
            )
        # Stored before it is returned: a key that nobody has seen does no harm.
        text = format_api_key(LIVE if live else TEST, self.entropy.token(RANDOM_LENGTH))
        self.ledger.put_api_key(
            ApiKey(
                key_hash=hash_api_key(text),
                workspace_id=workspace_id,
                label=label,
                scopes=tuple(scopes),
                created_at=int(self.clock.now()),
            )
        )
        return text

    def authenticate(self, authorization: str | None, scope: str) -> ApiKey:
        """The key in a Bearer header (RFC 6750 section 2.1). Raises UNAUTHENTICATED, FORBIDDEN."""
        # The scheme is case-insensitive (RFC 9110 section 11.1).
        method, _, text = (authorization or "").partition(" ")
        if method.lower() != "bearer":
            raise ServiceError(Code.UNAUTHENTICATED, "wanted a header `Authorization: Bearer al_live_…`")
        # Looked up by its hash: comparing takes no time that depends on a stored key.
        key = self.ledger.api_key(hash_api_key(text.strip()))
        now = self.clock.now()
        if (
            key is None
            or key.revoked_at is not None
            or (key.expires_at is not None and key.expires_at <= now)
        ):
            raise ServiceError(Code.UNAUTHENTICATED, "the API key is unknown, revoked or expired")
        if scope not in key.scopes:
            raise ServiceError(Code.FORBIDDEN, f"the key has scopes {', '.join(key.scopes)}, wanted {scope}")
        return key


def _check_amount(amount: int, least: int) -> None:
    if not least <= amount <= MAX_GRANT:
        raise ServiceError(Code.INVALID_REQUEST, f"found {amount} credits, wanted {least} to {MAX_GRANT}")
