"""The trust root, `trust.json`: what a verifier was given beforehand (REG-1.0 section 9)."""

from dataclasses import dataclass

from attestlayer.canonical import format_json, parse_json, take_document, take_value
from attestlayer.encoding import Hash, format_hash, parse_origin, sha256
from attestlayer.errors import CouldNotCheckError, FormatError, Reason
from attestlayer.log.checkpoint import Checkpoint, take_checkpoint
from attestlayer.log.keyring import Keyring, KnownKey, read_notices
from attestlayer.log.notices import Notices, Role, take_notices


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """A checkpoint and the notices that it commits to. `keyring` is what the notices yield."""

    checkpoint: Checkpoint
    notices: Notices
    keyring: Keyring

    @property
    def origin(self) -> str:
        """The registry it speaks of."""
        return self.checkpoint.origin

    def format(self) -> bytes:
        """The file's bytes."""
        return format_json(
            {
                "schema": "attestlayer/trust/1",
                "origin": self.origin,
                "checkpoint": self.checkpoint.members(),
                "notices": self.notices.members(),
            }
        )

    def fingerprint(self) -> Hash:
        """SHA-256 of the file: its name to people."""
        return sha256(self.format())

    def registry_keys(self) -> list[KnownKey]:
        """Registry keys that count at the checkpoint's time, the signing one first."""
        return self.keyring.keys_at(Role.REGISTRY, self.checkpoint.timestamp)


def make_trust_root(checkpoint: Checkpoint, notices: Notices) -> TrustRoot:
    """A trust root of a signed checkpoint and its notices.

    Raises `ValueError` unless both name one origin, the notices hash to the checkpoint's `notices_hash`
    and a registry key of the notices that counts at its timestamp signed it.
    """
    keyring = read_notices(notices)
    if notices.origin != checkpoint.origin:
        raise ValueError(f"notices of {notices.origin} beside a checkpoint of {checkpoint.origin}")
    if notices.hash() != checkpoint.notices_hash:
        raise ValueError(f"the checkpoint commits to other notices than these, {format_hash(notices.hash())}")
    key = keyring.key(Role.REGISTRY, checkpoint.kid)
    if key is None or not key.is_valid_at(checkpoint.timestamp) or key.is_revoked_at(checkpoint.timestamp):
        raise ValueError(f"checkpoint key {checkpoint.kid} is not a registry key valid at its timestamp")
    if not key.public.verifies(checkpoint.signature, checkpoint.signed_bytes()):
        raise ValueError("the checkpoint's signature is not valid")
    return TrustRoot(checkpoint, notices, keyring)


def parse_trust(data: bytes) -> TrustRoot:
    """A trust root. Raises `CouldNotCheckError` (trust-root-unusable, schema-newer)."""
    try:
        members = take_document(parse_json(data), "trust", ("origin", "checkpoint", "notices"))
        trust = make_trust_root(take_checkpoint(members["checkpoint"]), take_notices(members["notices"]))
        if take_value(members, "origin", parse_origin) != trust.origin:
            raise ValueError(f"origin {members['origin']} beside a checkpoint of {trust.origin}")
        return trust
    except (ValueError, FormatError) as error:
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, f"trust root: {error}") from error
