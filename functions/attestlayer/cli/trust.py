"""The trust root on this machine: where it lies and what it says.

Never from inside a kit: what a kit brings along can't vouch for it (REG-1.0 section 9).
"""

import os
from collections.abc import Callable
from pathlib import Path

from attestlayer.cli.text import Row, age_words, date_words, printable
from attestlayer.encoding import format_hash
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.log.keyring import KnownKey
from attestlayer.log.notices import NoticeType, Role
from attestlayer.log.quorum import NO_QUORUM, WitnessPolicy
from attestlayer.log.trust import TrustRoot
from attestlayer.reading.files import read_trust


def variable(name: str) -> str:
    """An environment variable, empty if it is not set. The command reads three: see its help."""
    reference = f"${name}"
    value = os.path.expandvars(reference)
    return "" if value == reference else value


def default_place() -> Path:
    """`$XDG_CONFIG_HOME/attestlayer/trust.json`, or below `~/.config`. A relative folder doesn't count.

    Raises `CouldNotCheckError` if there is no home folder: never look into the current one instead.
    """
    folder = Path(variable("XDG_CONFIG_HOME"))
    if not folder.is_absolute():
        try:
            folder = Path.home() / ".config"
        except RuntimeError:
            folder = Path()
    if not folder.is_absolute():
        message = "there is no home folder to find the installed trust root in: name one with --trust"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, message)
    return folder / "attestlayer" / "trust.json"


def load_trust(given: Path | None, default: Callable[[], Path], subject: Path) -> tuple[TrustRoot, Path]:
    """The trust root that was named, or the one at the default place, to check `subject` with; and where.

    Raises `CouldNotCheckError` (trust-root-unusable).
    """
    place = given or default()
    if given is None and not os.path.lexists(place):
        message = f"there is no trust root: none was named with --trust, and none is installed at {place}"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, message)
    folder, real = (Path(os.path.realpath(path)) for path in (subject, place))  # takes a loop of links
    if folder in (real, *real.parents):
        message = f"{place} lies inside what it is to check: a kit can't vouch for itself"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, message)
    return read_root(place), place


def read_root(place: Path) -> TrustRoot:
    """The trust root in a file. Raises `CouldNotCheckError` that names the file."""
    try:
        return read_trust(place)
    except CouldNotCheckError as error:
        named = str(error) if str(error).startswith(str(place)) else f"{place}: {error}"
        raise CouldNotCheckError(error.reason, named) from error


def trust_rows(trust: TrustRoot, place: Path, now: int, checked: int | None) -> tuple[Row, ...]:
    """What a verification report says of its trust root; `checked`: time of the checkpoint that verified."""
    checkpoint = trust.checkpoint
    rows = (
        ("file", str(place)),
        ("registry", trust.origin),
        ("fingerprint", format_hash(trust.fingerprint())),
        ("registry key", checkpoint.kid),
        ("as of", f"{date_words(checkpoint.timestamp)} ({age_words(now - checkpoint.timestamp)})"),
    )
    if checked is None:
        return rows
    return (*rows, ("witnesses", _quorum(trust.keyring.witness_policy_at(checked))))


def jwks_rows(path: Path, origin: str) -> tuple[Row, ...]:
    """What a report says of a JWKS that stands for a trust root."""
    return (
        ("JWKS", str(path)),
        ("registry", origin),
        ("not known", "witnesses, withdrawals, incidents and the log's other face: steps 13 and 15"),
    )


def describe_trust(trust: TrustRoot, place: Path, now: int) -> list[tuple[str, list[Row]]]:
    """A trust root in sections: heading and rows."""
    checkpoint, fingerprint = trust.checkpoint, trust.fingerprint()
    root: list[Row] = [
        ("file", str(place)),
        ("registry", trust.origin),
        ("fingerprint", format_hash(fingerprint)),
        ("as SHA-256", fingerprint.hex()),
    ]
    point: list[Row] = [
        ("time", f"{date_words(checkpoint.timestamp)} ({age_words(now - checkpoint.timestamp)})"),
        ("tree size", str(checkpoint.head.size)),
        ("sequence", str(checkpoint.sequence)),
        ("hash", format_hash(checkpoint.hash())),
        ("signed by", checkpoint.kid),
    ]
    policy = trust.keyring.witness_policy_at(checkpoint.timestamp)
    witnesses: list[Row] = [("demanded", _quorum(policy))]
    witnesses += [("witness", f"{name} ({key.name})") for name, key in policy.witnesses.items()]
    return [
        ("", root),
        ("Checkpoint", point),
        ("Registry keys", _key_rows(trust, Role.REGISTRY)),
        ("Issuer keys", _key_rows(trust, Role.ISSUER)),
        ("Witnesses", witnesses),
        ("Notices", _notice_rows(trust)),
    ]


def _quorum(policy: WitnessPolicy) -> str:
    if policy.quorum == NO_QUORUM:
        return "none demanded: the registry's key alone vouches for its checkpoints"
    count = len(policy.witnesses)
    return f"quorum {printable(policy.quorum)!r}, out of {count} witness{'es' if count > 1 else ''}"


def _key_rows(trust: TrustRoot, role: Role) -> list[Row]:
    keys = [key for key in trust.keyring.keys.values() if key.role == role]
    return [("key", f"{key.public.kid} {_validity(key)}") for key in keys] or [("key", "none")]


def _validity(key: KnownKey) -> str:
    parts = [f"from {date_words(key.valid_from)}"]
    if key.valid_until is not None:
        parts.append(f"until {date_words(key.valid_until)}")
    if key.revoked_at is not None:
        parts.append(f"REVOKED at {date_words(key.revoked_at)}")
    return ", ".join(parts)


def _notice_rows(trust: TrustRoot) -> list[Row]:
    incidents = sum(n.type == NoticeType.INCIDENT for n in trust.notices.notices)
    return [
        ("in all", str(len(trust.notices.notices))),
        ("withdrawn", f"{len(trust.keyring.withdrawn)} kits"),
        ("superseded", f"{len(trust.keyring.superseded)} kits"),
        ("incidents", str(incidents)),
    ]
