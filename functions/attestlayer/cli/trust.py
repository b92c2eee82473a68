"""The command `trust`: shows a trust root, for people to compare (REG-1.0 section 9.6)."""

import argparse
from pathlib import Path

from attestlayer.cli.command import Output, Surroundings
from attestlayer.cli.text import Row, age_words, date_words, quorum_words
from attestlayer.encoding import format_hash
from attestlayer.exit_codes import EXIT_DONE
from attestlayer.log.notices import NoticeType, Role
from attestlayer.log.trust import KnownKey, TrustRoot
from attestlayer.reading.files import read_trust


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
        "A trust root vouches for itself only. Compare the registry key with one that reached you another "
        "way: it stays the same when the trust root is renewed."
    )
    return Output(EXIT_DONE, style.finish(lines))


def describe_trust(trust: TrustRoot, place: Path, now: int) -> list[tuple[str, list[Row]]]:
    """A trust root in sections: heading and rows."""
    checkpoint = trust.checkpoint
    root: list[Row] = [
        ("file", str(place)),
        ("registry", trust.origin),
        ("registry key", trust.identity().format()),
        ("key ID", checkpoint.kid),
    ]
    point: list[Row] = [
        ("time", f"{date_words(checkpoint.timestamp)} ({age_words(now - checkpoint.timestamp)})"),
        ("tree size", str(checkpoint.head.size)),
        ("sequence", str(checkpoint.sequence)),
        ("hash", format_hash(checkpoint.hash())),
    ]
    policy = trust.keyring.witness_policy_at(checkpoint.timestamp)
    witnesses: list[Row] = [("demanded", quorum_words(policy))]
    witnesses += [("witness", f"{name} ({key.name})") for name, key in policy.witnesses.items()]
    return [
        ("", root),
        ("Checkpoint", point),
        ("All registry keys", _key_rows(trust, Role.REGISTRY)),
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
