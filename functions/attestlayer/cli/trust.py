"""The command `trust`: shows a trust root, or installs it in place of an earlier one (REG-1.0 section 9)."""

import argparse
import os
from pathlib import Path

from attestlayer.cli.command import Output, Surroundings
from attestlayer.cli.text import Row, age_words, date_words, quorum_words
from attestlayer.encoding import format_hash
from attestlayer.errors import CouldNotCheckError, Reason
from attestlayer.exit_codes import EXIT_DONE
from attestlayer.log.notices import NoticeType, Role
from attestlayer.log.trust import KnownKey, TrustRoot
from attestlayer.reading.files import read_trust, replace_file


def show_trust(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """`trust`: shows a trust root, for people to compare."""
    return trust_answer(read_trust(arguments.file), arguments.file, around)


def trust_answer(trust: TrustRoot, place: Path, around: Surroundings, said: str = "") -> Output:
    """A trust root in words; `said`: a sentence about its installation, if it was installed."""
    style = around.style
    lines = [style.bold(f"Trust root of {trust.origin}")]
    for heading, rows in describe_trust(trust, place, around.now):
        lines += [*([style.heading(heading)] if heading else []), *style.rows(rows)]
    lines += ["", *style.wrap(said)]
    lines += style.wrap(
        "A trust root vouches for itself only. Compare the fingerprint with one that reached you another way."
    )
    return Output(EXIT_DONE, style.finish(lines))


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
    witnesses: list[Row] = [("demanded", quorum_words(policy))]
    witnesses += [("witness", f"{name} ({key.name})") for name, key in policy.witnesses.items()]
    return [
        ("", root),
        ("Checkpoint", point),
        ("Registry keys", _key_rows(trust, Role.REGISTRY)),
        ("Issuer keys", _key_rows(trust, Role.ISSUER)),
        ("Witnesses", witnesses),
        ("Notices", _notice_rows(trust)),
    ]


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


_NOT_SHOWN = (
    "Registry, notices, signing key and witness policy were held against the one before. That its tree "
    "extends the old one was not shown: that takes a consistency proof, which a trust root does not hold."
)


def install(trust: TrustRoot, place: Path, *, accept_witnesses: bool) -> str:
    """Put a trust root in the default place, if it may take the place of the one there; says what it did.

    Raises `CouldNotCheckError` if it may not, `OSError`.
    """
    old = read_trust(place) if os.path.lexists(place) else None
    if old:
        if old.fingerprint() == trust.fingerprint():
            return f"This trust root is installed already: {place}"
        check_update(old, trust, accept_witnesses=accept_witnesses)
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_file(place, trust.format())
    held = f"Installed: {place}."
    return f"{held} {_NOT_SHOWN}" if old else held


def check_update(old: TrustRoot, new: TrustRoot, *, accept_witnesses: bool) -> None:
    """Check that `new` may take the place of `old`: all of section 9 but the consistency of the trees.

    For that a proof is needed, which is no part of a trust root. Raises `CouldNotCheckError`.
    """
    before, after = old.checkpoint, new.checkpoint
    same_size_other_root = before.head.size == after.head.size and before.head.root != after.head.root
    refusals = {
        f"it is of {new.origin}, the installed one of {old.origin}": new.origin != old.origin,
        "it is older than the installed one": after.sequence < before.sequence,
        "its notices are not the installed one's and more": not new.notices.starts_with(old.notices),
        "its checkpoint contradicts the installed one: the log shows two faces": same_size_other_root
        or (before.sequence == after.sequence and before.hash() != after.hash())
        or after.head.size < before.head.size,
        "it is signed by a key that the installed one does not have; install the ones between first": (
            old.keyring.key(Role.REGISTRY, after.kid) is None
        ),
        "it changes the witness policy; compare with the operator's announcement, then add "
        "--accept-witnesses": not accept_witnesses and _policy_notices(new) != _policy_notices(old),
    }
    for refusal, applies in refusals.items():
        if applies:
            raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, f"not installed: {refusal}")


def _policy_notices(trust: TrustRoot) -> list[bytes]:
    return [n.content() for n in trust.notices.notices if n.type == NoticeType.WITNESS_POLICY]
