"""The keyring that notices yield, and the trust root `trust.json`, a checkpoint with its notices.

The keyring holds keys and their validity, witness policies and the status of kits (REG-1.0 section 9).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_array,
    take_document,
    take_hash,
    take_integer,
    take_object,
    take_optional,
    take_string,
    take_time,
    take_value,
)
from attestlayer.encoding import Hash, format_hash, format_time, parse_origin, parse_time, sha256
from attestlayer.errors import CouldNotCheckError, FormatError, Reason
from attestlayer.keys import PublicKey
from attestlayer.log.checkpoint import Checkpoint, take_checkpoint
from attestlayer.log.note import ED25519, NO_WITNESSES, VerifierKey, WitnessPolicy, parse_policy
from attestlayer.log.notices import (
    MAX_NOTICES_LENGTH,
    IncidentKind,
    Notice,
    Notices,
    NoticeType,
    Role,
    format_jwk,
    take_jwk,
    take_notices,
)

MAX_TRUST_LENGTH = 5 * 1024 * 1024
"""Bytes of `trust.json`."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key with its validity: it counts at time t if valid_from ≤ t < valid_until. POSIX seconds."""

    role: Role
    public: PublicKey
    valid_from: int
    valid_until: int | None = None
    revoked_at: int | None = None

    def is_valid_at(self, time: int) -> bool:
        """Whether the key counts at `time`, revocation aside."""
        return self.valid_from <= time and (self.valid_until is None or time < self.valid_until)

    def is_revoked_at(self, time: int) -> bool:
        """Whether the key was revoked at `time` or before."""
        return self.revoked_at is not None and time >= self.revoked_at

    def jwk(self) -> Members:
        """The key as the JWKS views show it."""
        return {
            **format_jwk(self.public),
            "valid_from": format_time(self.valid_from),
            "valid_until": None if self.valid_until is None else format_time(self.valid_until),
            "revoked_at": None if self.revoked_at is None else format_time(self.revoked_at),
        }


@dataclass
class Keyring:
    """The standing that follows from notices. Build it with `read_notices`."""

    origin: str
    keys: dict[str, KnownKey] = field(default_factory=dict)
    withdrawn: dict[Hash, str] = field(default_factory=dict)
    superseded: dict[Hash, Hash] = field(default_factory=dict)
    _policies: list[tuple[int, WitnessPolicy]] = field(default_factory=list)
    _witness_kids: set[str] = field(default_factory=set)
    _late: list[tuple[int, int]] = field(default_factory=list)

    def key(self, role: Role, kid: str) -> KnownKey | None:
        """The key of that role and kid, or None."""
        key = self.keys.get(kid)
        return key if key and key.role == role else None

    def keys_at(self, role: Role, time: int) -> list[KnownKey]:
        """Keys of a role that count at `time` and are not revoked, the one that signs first.

        The signing key is the one with the earliest `valid_from`, then the smallest `kid`.
        """
        # Of several valid keys any signature counts, but one must sign: REG-1.0 section 9.4 orders them.
        keys = [k for k in self._of(role) if k.is_valid_at(time) and not k.is_revoked_at(time)]
        return sorted(keys, key=lambda k: (k.valid_from, k.public.kid))

    def witness_policy_at(self, time: int) -> WitnessPolicy:
        """The witness policy in force at `time`: the last one valid from then or before."""
        valid = [policy for valid_from, policy in self._policies if valid_from <= time]
        return valid[-1] if valid else NO_WITNESSES

    def is_late_merge(self, index: int) -> bool:
        """Whether a `late-merge` incident covers leaf `index`."""
        return any(first <= index <= last for first, last in self._late)

    def covers_late_merge(self, first: int, last: int) -> bool:
        """Whether one `late-merge` incident covers leaves `first` … `last`."""
        return any(start <= first and last <= end for start, end in self._late)

    def jwks(self, role: Role) -> dict[str, Json]:
        """The JWKS view of a role's keys, oldest first (RFC 7517)."""
        return {"keys": [key.jwk() for key in self._of(role)]}

    def read(self, notice: Notice) -> None:
        """Take one more notice into account. Raises `ValueError`, and changes nothing, if it contradicts."""
        _EFFECTS[notice.type](self, notice.data)

    def _of(self, role: Role) -> Iterator[KnownKey]:
        return (key for key in self.keys.values() if key.role == role)

    def _add_key(self, data: Members) -> None:
        key = KnownKey(Role(take_string(data, "role")), take_jwk(data["jwk"]), take_time(data, "valid_from"))
        self._check_unused(key.public)
        self.keys[key.public.kid] = key

    def _end_key(self, kid: str, *, valid_until: int | None = None, revoked_at: int | None = None) -> None:
        key = self.keys.get(kid)
        if key is None:
            raise ValueError(f"key {kid} is retired or revoked, but was never added")
        # A second notice can only shorten a validity, never lengthen it.
        ended = replace(
            key,
            valid_until=_earliest(key.valid_until, valid_until),
            revoked_at=_earliest(key.revoked_at, revoked_at),
        )
        self.keys[kid] = ended

    def _add_policy(self, data: Members) -> None:
        valid_from, policy = take_time(data, "valid_from"), parse_policy(take_string(data, "policy"))
        if self._policies and valid_from < self._policies[-1][0]:
            raise ValueError("a witness policy is valid from before the one it follows")
        # A key with two roles could sign a checkpoint and cosign it: the quorum would mean nothing.
        for witness in policy.witnesses.values():
            if witness.public.kid in self.keys:
                raise ValueError(f"key {witness.public.kid} is a witness's and the operator's")
        self._witness_kids.update(witness.public.kid for witness in policy.witnesses.values())
        self._policies.append((valid_from, policy))

    def _check_unused(self, key: PublicKey) -> None:
        if key.kid in self.keys or key.kid in self._witness_kids:
            raise ValueError(f"key {key.kid} has a role already: no key has two")

    def _retire(self, data: Members) -> None:
        self._end_key(take_string(data, "kid"), valid_until=take_time(data, "valid_until"))

    def _revoke(self, data: Members) -> None:
        self._end_key(take_string(data, "kid"), revoked_at=take_time(data, "revoked_at"))

    def _withdraw(self, data: Members) -> None:
        # The first notice counts: a later one can't give another reason.
        self.withdrawn.setdefault(take_hash(data, "leaf_hash"), take_string(data, "reason"))

    def _supersede(self, data: Members) -> None:
        self.superseded.setdefault(take_hash(data, "leaf_hash"), take_hash(data, "by"))

    def _note_incident(self, data: Members) -> None:
        if data["kind"] == IncidentKind.LATE_MERGE:
            self._late.append((take_integer(data, "from_index"), take_integer(data, "to_index")))


_EFFECTS: dict[NoticeType, Callable[[Keyring, Members], None]] = {
    NoticeType.KEY_ADDED: Keyring._add_key,
    NoticeType.KEY_RETIRED: Keyring._retire,
    NoticeType.KEY_REVOKED: Keyring._revoke,
    NoticeType.WITNESS_POLICY: Keyring._add_policy,
    NoticeType.KIT_WITHDRAWN: Keyring._withdraw,
    NoticeType.KIT_SUPERSEDED: Keyring._supersede,
    NoticeType.INCIDENT: Keyring._note_incident,
}


def read_notices(notices: Notices) -> Keyring:
    """The keyring that follows from `notices`. Raises `ValueError` if they contradict each other."""
    keyring = Keyring(notices.origin)
    for notice in notices.notices:
        keyring.read(notice)
    return keyring


def parse_jwks(data: bytes, role: Role, origin: str) -> Keyring:
    """The keys of a JWKS view alone, without witnesses or the status of kits. Raises `ValueError`."""
    keyring = Keyring(origin)
    for value in take_array(take_object(parse_json(data), ("keys",)), "keys"):
        members = take_object(value, (*_JWK, "revoked_at", "valid_from", "valid_until"))
        public = take_jwk({name: members[name] for name in _JWK})
        if public.kid in keyring.keys:
            raise ValueError(f"key {public.kid} occurs twice")
        keyring.keys[public.kid] = KnownKey(
            role,
            public,
            take_time(members, "valid_from"),
            take_optional(members, "valid_until", parse_time),
            take_optional(members, "revoked_at", parse_time),
        )
    return keyring


_JWK = ("crv", "kid", "kty", "use", "x")


def _earliest(one: int | None, other: int | None) -> int | None:
    times = [time for time in (one, other) if time is not None]
    return min(times, default=None)


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """A checkpoint and the notices that it commits to, with the keyring that follows from them."""

    checkpoint: Checkpoint
    notices: Notices
    keyring: Keyring

    @property
    def origin(self) -> str:
        """The registry's origin, which checkpoint and notices share."""
        return self.checkpoint.origin

    def format(self) -> bytes:
        """The canonical bytes of `trust.json`."""
        return format_json(
            {
                "schema": "attestlayer/trust/1",
                "origin": self.origin,
                "checkpoint": self.checkpoint.members(),
                "notices": self.notices.members(),
            }
        )

    def hash(self) -> Hash:
        """SHA-256 of the file. It changes every day; what people compare is the identity."""
        return sha256(self.format())

    def identity(self) -> VerifierKey:
        """The log's identity: its origin and the registry key that signed the checkpoint, as a verifier key.

        People compare it over another channel. It changes only when another key takes over signing.
        """
        return VerifierKey(self.origin, ED25519, self.keyring.keys[self.checkpoint.kid].public)

    def registry_keys(self) -> list[KnownKey]:
        """Registry keys that count at the checkpoint's time, the signing one first."""
        return self.keyring.keys_at(Role.REGISTRY, self.checkpoint.timestamp)


def make_trust_root(checkpoint: Checkpoint, notices: Notices, keyring: Keyring | None = None) -> TrustRoot:
    """A trust root of a signed checkpoint and its notices. `keyring`: what they yield, if it was read before.

    Raises `ValueError` unless both name one origin, the notices hash to the checkpoint's `notices_hash`
    and a registry key of the notices that counts at its timestamp signed it.
    """
    # REG-1.0 section 9.6. A trust root vouches for itself; whether it is the right one can't be seen from
    # it.
    keyring = keyring or read_notices(notices)
    if (length := len(notices.format())) > MAX_NOTICES_LENGTH:
        raise ValueError(f"notices of {length} bytes, at most {MAX_NOTICES_LENGTH} are allowed")
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
        parsed = parse_json(data, MAX_TRUST_LENGTH)
        members = take_document(parsed, "trust", ("origin", "checkpoint", "notices"))
        trust = make_trust_root(take_checkpoint(members["checkpoint"]), take_notices(members["notices"]))
        if take_value(members, "origin", parse_origin) != trust.origin:
            raise ValueError(f"origin {members['origin']} beside a checkpoint of {trust.origin}")
        return trust
    except (ValueError, FormatError) as error:
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, f"trust root: {error}") from error
