"""Notices: the public list of key events, withdrawals and incidents that checkpoints commit to.

Keys, witness policies and the status of kits are what the notices yield (REG-1.0 section 9).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from attestlayer.canonical import (
    Json,
    Members,
    format_json,
    parse_json,
    take_array,
    take_constant,
    take_document,
    take_hash,
    take_integer,
    take_object,
    take_string,
    take_time,
    take_value,
    take_word,
)
from attestlayer.encoding import (
    Hash,
    format_base64url,
    format_time,
    parse_base64url,
    parse_hash,
    parse_origin,
    sha256,
)
from attestlayer.errors import Reason, malformed
from attestlayer.keys import KEY_LENGTH, PublicKey
from attestlayer.log.note import parse_policy

MAX_NOTICES = 10_000
MAX_NOTICES_LENGTH = 4 * 1024 * 1024
"""Bytes of a notices document."""


class NoticeType(StrEnum):
    """The closed list of notice types."""

    KEY_ADDED = "key.added"
    KEY_RETIRED = "key.retired"
    KEY_REVOKED = "key.revoked"
    WITNESS_POLICY = "witness.policy"
    KIT_WITHDRAWN = "kit.withdrawn"
    KIT_SUPERSEDED = "kit.superseded"
    INCIDENT = "incident"


class Role(StrEnum):
    """The role of a key: which kind of statement it signs."""

    REGISTRY = "registry"
    ISSUER = "issuer"


class RevocationReason(StrEnum):
    """Why a key was revoked."""

    KEY_COMPROMISED = "key-compromised"
    KEY_LOST = "key-lost"
    KEY_MISUSED = "key-misused"


class WithdrawalReason(StrEnum):
    """Why a kit was withdrawn."""

    ISSUED_IN_ERROR = "issued-in-error"
    RECORDS_IN_ERROR = "records-in-error"
    REQUESTED_BY_PARTNER = "requested-by-partner"
    KEY_REVOKED = "key-revoked"


class IncidentKind(StrEnum):
    """The kind of an incident, which affects leaves `from_index` … `to_index`."""

    LATE_MERGE = "late-merge"
    VOIDED_BY_REVOCATION = "voided-by-revocation"
    WRONG_ENTRY = "wrong-entry"


class IncidentReason(StrEnum):
    """The cause of an incident: a closed list."""

    OUTAGE = "outage"
    OVERLOAD = "overload"
    WITNESSES_UNAVAILABLE = "witnesses-unavailable"
    KEY_REVOKED = "key-revoked"
    SOFTWARE_FAULT = "software-fault"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. `at`: POSIX seconds, the time of the batch that added it; `data`: members by type."""

    n: int
    at: int
    type: NoticeType
    data: Members

    def members(self) -> Members:
        """The notice as a JSON object."""
        return {"n": self.n, "at": format_time(self.at), "type": self.type.value, "data": self.data}

    def content(self) -> bytes:
        """Type and data, which no two notices share."""
        return format_json({"type": self.type.value, "data": self.data})


@dataclass(frozen=True)
class Notices:
    """A notices document: all notices so far."""

    origin: str
    notices: tuple[Notice, ...]

    def members(self) -> Members:
        """The document as a JSON object."""
        notices: list[Json] = [notice.members() for notice in self.notices]
        return {"schema": "attestlayer/notices/1", "origin": self.origin, "notices": notices}

    def format(self) -> bytes:
        """The object's bytes; their SHA-256 is its name and the checkpoints' `notices_hash`."""
        return self._data

    @cached_property
    def _data(self) -> bytes:
        return format_json(self.members())

    def hash(self) -> Hash:
        """SHA-256 of the document's bytes: its name, to which checkpoints commit."""
        return sha256(self.format())

    def extended(self, at: int, added: Iterable[tuple[NoticeType, Members]]) -> "Notices":
        """This document with new notices of time `at`; those that stand in it already are left out.

        Only the new ones are checked. Raises `ValueError` if one is not a valid next notice.
        """
        notices = list(self.notices)
        present = {notice.content() for notice in notices}
        for kind, data in added:
            notice = take_notice(Notice(len(notices), at, kind, data).members())
            _check_follows(notice, notices)
            if notice.content() not in present:
                present.add(notice.content())
                notices.append(notice)
        _check_number(len(notices))
        return Notices(self.origin, tuple(notices))

    def starts_with(self, earlier: "Notices") -> bool:
        """Whether this document is `earlier` with or without new notices."""
        return self.origin == earlier.origin and self.notices[: len(earlier.notices)] == earlier.notices


def format_jwk(key: PublicKey) -> Members:
    """A key as notices and JWKS carry it (RFC 8037), without `alg`."""
    return {
        "crv": "Ed25519",
        "kid": key.kid,
        "kty": "OKP",
        "use": "sig",
        "x": format_base64url(key.data),
    }


def take_jwk(value: Json) -> PublicKey:
    """A public key from a JWK with exactly `crv, kid, kty, use, x`. Raises `ValueError`."""
    members = take_object(value, ("crv", "kid", "kty", "use", "x"))
    take_constant(members, "crv", "Ed25519")
    take_constant(members, "kty", "OKP")
    take_constant(members, "use", "sig")
    key = PublicKey(take_value(members, "x", lambda text: parse_base64url(text, KEY_LENGTH)))
    take_constant(members, "kid", key.kid)
    return key


def parse_notices(data: bytes) -> Notices:
    """A notices document. Raises `FormatError` (trust-root-unusable), `CouldNotCheckError`."""
    with malformed(Reason.TRUST_ROOT_UNUSABLE, "notices"):
        return take_notices(parse_json(data, MAX_NOTICES_LENGTH))


def take_notices(value: Json) -> Notices:
    """A notices document from parsed JSON: number, shapes, numbering, order of times, no repetition.

    Its length is not looked at: that is for those who hold its bytes.
    """
    members = take_document(value, "notices", ("origin", "notices"))
    items = take_array(members, "notices")
    _check_number(len(items))
    notices: list[Notice] = []
    for item in items:
        notice = take_notice(item)
        _check_follows(notice, notices)
        notices.append(notice)
    # Content leaves out number and time: the same notice a second time could only confuse what follows from
    # it.
    if len({notice.content() for notice in notices}) != len(notices):
        raise ValueError("a notice occurs twice")
    return Notices(take_value(members, "origin", parse_origin), tuple(notices))


def _check_number(count: int) -> None:
    if count > MAX_NOTICES:
        raise ValueError(f"{count} notices, at most {MAX_NOTICES} are allowed")


def _check_follows(notice: Notice, before: Sequence[Notice]) -> None:
    if notice.n != len(before):
        raise ValueError(f"notice {notice.n} stands at place {len(before)}")
    if before and notice.at < before[-1].at:
        raise ValueError(f"notice {notice.n} is earlier than the one before")


def take_notice(value: Json) -> Notice:
    """A notice from parsed JSON, alone: its shape and words. Raises `ValueError`."""
    members = take_object(value, ("n", "at", "type", "data"))
    kind = take_word(members, "type", NoticeType)
    shape = _SHAPES[kind]
    data = take_object(members["data"], shape)
    # Taken for their checks; the data stays JSON, so that formatting it again gives the same bytes.
    for name, take in shape.items():
        take(data, name)
    if kind == NoticeType.INCIDENT and take_integer(data, "from_index") > take_integer(data, "to_index"):
        raise ValueError("incident: from_index is greater than to_index")
    return Notice(take_integer(members, "n"), take_time(members, "at"), kind, data)


Taker = Callable[[Members, str], object]


def _one_of(words: type[StrEnum]) -> Taker:
    return lambda members, name: take_word(members, name, words)


def _take_kid(members: Members, name: str) -> object:
    return take_value(members, name, parse_hash)


def _take_witness_policy(members: Members, name: str) -> object:
    return parse_policy(take_string(members, name))


_SHAPES: dict[NoticeType, dict[str, Taker]] = {
    NoticeType.KEY_ADDED: {
        "role": _one_of(Role),
        "jwk": lambda members, name: take_jwk(members[name]),
        "valid_from": take_time,
    },
    NoticeType.KEY_RETIRED: {"kid": _take_kid, "valid_until": take_time},
    NoticeType.KEY_REVOKED: {"kid": _take_kid, "revoked_at": take_time, "reason": _one_of(RevocationReason)},
    NoticeType.WITNESS_POLICY: {"valid_from": take_time, "policy": _take_witness_policy},
    NoticeType.KIT_WITHDRAWN: {"leaf_hash": take_hash, "reason": _one_of(WithdrawalReason)},
    NoticeType.KIT_SUPERSEDED: {"leaf_hash": take_hash, "by": take_hash},
    NoticeType.INCIDENT: {
        "kind": _one_of(IncidentKind),
        "from_index": take_integer,
        "to_index": take_integer,
        "reason": _one_of(IncidentReason),
    },
}


def key_added(role: Role, key: PublicKey, valid_from: int) -> tuple[NoticeType, Members]:
    """Type and data of a `key.added` notice."""
    data: Members = {"role": role.value, "jwk": format_jwk(key), "valid_from": format_time(valid_from)}
    return NoticeType.KEY_ADDED, data


def late_merge(first: int, last: int, reason: IncidentReason) -> tuple[NoticeType, Members]:
    """An `incident` notice for leaves `first` … `last` that came into a checkpoint after their `merge_by`."""
    data: Members = {
        "kind": IncidentKind.LATE_MERGE.value,
        "from_index": first,
        "to_index": last,
        "reason": reason.value,
    }
    return NoticeType.INCIDENT, data
