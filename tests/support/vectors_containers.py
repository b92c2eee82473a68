"""Vectors of containers: how people pack a kit again, what is ambiguous, what is too large."""

import base64

from attestlayer.canonical import Json, Members
from attestlayer.encoding import format_hash, parse_base64, sha256
from attestlayer.errors import Reason
from attestlayer.kit.manifest import (
    BINDER,
    CLIENT_NONCE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    README,
    RECEIPT,
)
from support.build import make_zip, open_zip
from support.packed import AMBIGUOUS, HONEST, stating

SOME = {README: b"Read me.\n", RECEIPT: b'{"schema":"attestlayer/receipt/1"}', CLIENT_NONCE: b"nonce"}
"""Members of a kit, in name: a container is read whatever its documents say."""

RECORD = "records/001-a"
LIMITS = {
    # REG-1.0 section 6.2
    README: 65_536,
    BINDER: 16_777_216,
    MANIFEST: 2_097_152,
    HASH_TRAIL: 2_097_152,
    INTAKE_REPORT: 16_777_216,
    RECORD: 104_857_600,
}


def container_vectors() -> list[dict[str, object]]:
    """Each as `{comment, expect, input}`."""
    made = [_vector("The canonical ZIP.", "accepted", make_zip(SOME))]
    made += [_vector(comment, "accepted", maker(SOME)) for comment, maker in HONEST.values()]
    made += [
        _vector(comment, Reason.CONTAINER_AMBIGUOUS, maker(SOME)) for comment, maker in AMBIGUOUS.values()
    ]
    for name, limit in LIMITS.items():
        comment = f"{name} states a byte more than it may have."
        data = stating(name, limit + 1)({**SOME, name: b""})
        made.append(_vector(comment, Reason.CONTAINER_LIMIT_EXCEEDED, data))
    return made


def _vector(comment: str, expect: str, data: bytes) -> dict[str, object]:
    given: dict[str, object] = {"kind": "container", "data": base64.b64encode(data).decode()}
    if expect == "accepted":
        given["members"] = {name: format_hash(sha256(content)) for name, content in SOME.items()}
    return {"comment": comment, "expect": str(expect), "input": given}


def run_container(given: Members) -> str:
    """What the core makes of one: `accepted` if it holds just these members. Raises `VerificationError`."""
    kit = open_zip(parse_base64(str(given["data"])))
    found: dict[str, Json] = {name: format_hash(member.sha256) for name, member in kit.members.items()}
    same = found == given.get("members") and not kit.unexpected
    return "accepted" if same else Reason.FILE_HASH_MISMATCH.value
