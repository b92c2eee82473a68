"""The example blocks of REG-1.0, appendix D, by their ids: made from the core, written into the Markdown.

A block's kind says how its text stands for bytes: `json` and `value` without a newline at the end, `lines`
with one behind each line, `hex` as hexadecimal digits, `dump` as offset, digits and characters.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from attestlayer.canonical import format_json
from attestlayer.cli.json import format_report_json, trust_members
from attestlayer.cli.text import Subject
from attestlayer.encoding import format_base64url, format_hash, sha256
from attestlayer.keys import PrivateKey
from attestlayer.kit.disclosure import disclose
from attestlayer.kit.intake import parse_report, parse_trail
from attestlayer.kit.manifest import (
    BINDER,
    CLIENT_NONCE,
    DISCLOSURE,
    HASH_TRAIL,
    INTAKE_REPORT,
    MANIFEST,
    README,
    RECEIPT,
    REGISTRY_RECEIPT,
    parse_manifest,
)
from attestlayer.log.merkle import leaf_hash, prove_consistency, prove_inclusion
from attestlayer.log.note import ED25519, VerifierKey
from attestlayer.log.tiles import format_bundle, format_tile
from attestlayer.verify.verifier import explain
from support.build import ISSUER, ORIGIN, REGISTRY, hash_reader, make_zip
from support.worked import RECORDS, WITNESSES, Worked, worked

BLOCK = re.compile(r"^```text id=([a-z0-9-]+) kind=([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TINY = {"a.txt": b"A\n", "b/c.txt": b""}
"""Members of the container that is shown byte by byte; no kit's, but ZIPs of the same form."""

_STRINGS = format_json(
    {"a": '"\\/\b\f\n\r\t\x01\x1f', "b": "é€\U0001f600", "B": [0, 9007199254740991], "": {}}
)


def blocks() -> dict[str, str]:
    """The text of each block by its id, each line ended."""
    example = worked()
    made = {**_keys(), **_log(example), **_rounds(example), **_kit(example), **_documents(example)}
    return {name: text if text.endswith("\n") else f"{text}\n" for name, text in made.items()}


def with_blocks(markdown: str) -> str:
    """The Markdown with the content of each example block made anew."""
    made = blocks()
    return BLOCK.sub(lambda found: f"```text id={found[1]} kind={found[2]}\n{made[found[1]]}```", markdown)


def _rows(rows: Mapping[str, object] | Iterable[tuple[str, object]]) -> str:
    items = rows.items() if isinstance(rows, Mapping) else rows
    return "".join(f"{name} {value}\n" for name, value in items)


def _hex(data: bytes) -> str:
    text = data.hex()
    return "".join(f"{text[at : at + 64]}\n" for at in range(0, len(text), 64))


def dump(data: bytes) -> str:
    """Offset, sixteen bytes, their characters."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{at:04x}  {row.hex(' '):<47}  {text}\n")
    return "".join(lines)


def _keys() -> dict[str, str]:
    keys = {"registry": REGISTRY, "issuer": ISSUER}
    keys |= {f"witness-{n}": each.private for n, each in enumerate(WITNESSES, 1)}
    named = {"registry": VerifierKey(ORIGIN, ED25519, REGISTRY.public)}
    named |= {f"witness-{n}": each.key for n, each in enumerate(WITNESSES, 1)}
    made = {f"key-{name}": _key(name.replace("-", " "), key) for name, key in keys.items()}
    return made | {f"vkey-{name}": _verifier_key(key) for name, key in named.items()}


def _key(name: str, key: PrivateKey) -> str:
    public = key.public.data
    thumbprint = format_json({"crv": "Ed25519", "kty": "OKP", "x": format_base64url(public)}).decode()
    return _rows(
        {
            "label": f"attestlayer test key {name}",
            "seed": key.seed.hex(),
            "public": public.hex(),
            "x": format_base64url(public),
            "thumbprint-of": thumbprint,
            "kid": key.public.kid,
        }
    )


def _verifier_key(key: VerifierKey) -> str:
    material = key.name.encode() + b"\n" + bytes([key.type]) + key.public.data
    return _rows(
        {
            "name": key.name,
            "type": f"0x{key.type:02x}",
            "input": material.hex(),
            "sha256": sha256(material).hex(),
            "key-id": key.key_id.hex(),
            "vkey": key.format(),
        }
    )


def _log(example: Worked) -> dict[str, str]:
    hashes = [record.leaf_hash for record in example.leaves]
    read, size, index = hash_reader(hashes), len(hashes), example.index
    nodes = {"0-2": (1, 0), "2-4": (1, 1), "0-4": (2, 0)}
    roots = {each.head.size: each.head.root for each in (r.checkpoint for r in example.log.rounds)}
    made = {f"entry-{n}": record.leaf.entry().decode() for n, record in enumerate(example.leaves)}
    return made | {
        "leaf-hashes": _rows((str(n), f"{h.hex()} {format_hash(h)}") for n, h in enumerate(hashes)),
        "tree": _rows(
            [
                *((f"node {name}", read(*place).hex()) for name, place in nodes.items()),
                *((f"root {size}", f"{root.hex()} {format_hash(root)}") for size, root in roots.items()),
            ]
        ),
        "inclusion": _rows(
            [
                ("index", index),
                ("size", size),
                *(("path", h.hex()) for h in prove_inclusion(index, size, read)),
            ]
        ),
        "consistency": _rows(
            [("from", 2), ("to", size), *(("proof", h.hex()) for h in prove_consistency(2, size, read))]
        ),
        "tile": _hex(format_tile(hashes)),
        "bundle": _bundle(example),
    }


def _bundle(example: Worked) -> str:
    data = format_bundle([record.leaf.entry() for record in example.leaves])
    return _rows({"length": len(data), "begins": data[:10].hex(), "sha256": sha256(data).hex()})


def _rounds(example: Worked) -> dict[str, str]:
    rounds = example.log.rounds
    checkpoint, note = rounds[2].checkpoint, rounds[2].note
    first, last = rounds[0].notices, rounds[3].notices
    policy = str(first.notices[-1].data["policy"])
    witness = WITNESSES[0]
    cosignature = next(line for line in note.signatures if line.name == witness.name)
    time = int.from_bytes(cosignature.data[:8], "big")
    made = {f"checkpoint-{n}": each.checkpoint.format().decode() for n, each in enumerate(rounds)}
    return made | {
        "policy-text": policy,
        "notices-0": first.format().decode(),
        "notices-3": last.format().decode(),
        "notices-hashes": _rows((str(n), format_hash(d.hash())) for n, d in ((0, first), (3, last))),
        "checkpoint-2-signed": checkpoint.signed_bytes().decode(),
        "checkpoint-2-signature": _hex(checkpoint.signature),
        "checkpoint-hashes": _rows(
            (str(n), format_hash(each.checkpoint.hash())) for n, each in enumerate(rounds)
        ),
        "note-text": note.text,
        "note-signature": _hex(note.signatures[0].data),
        "cosigned": f"cosignature/v1\ntime {time}\n{note.text}",
        "cosignature": _hex(cosignature.data),
        "note": note.format(),
        "trust": example.kit.trust.format().decode(),
        "trust-identity": example.kit.trust.identity().format(),
    }


def _kit(example: Worked) -> dict[str, str]:
    members = example.kit.members
    manifest, trail = parse_manifest(members[MANIFEST]), parse_trail(members[HASH_TRAIL])
    report = parse_report(members[INTAKE_REPORT])
    entries = [format_json(file.members()) for file in manifest.files]
    hashes = [leaf_hash(entry) for entry in entries]
    place = next(n for n, file in enumerate(manifest.files) if file.path == RECORDS[0][0])
    path = prove_inclusion(place, len(hashes), hash_reader(hashes))
    return {
        "readme": members[README].decode(),
        "binder": members[BINDER].decode(),
        **{f"record-{n}": data.decode() for n, (_, data) in enumerate(RECORDS, 1)},
        "client-nonce": members[CLIENT_NONCE].decode(),
        "intake-policy": format_json(report.policy).decode(),
        "intake-report": members[INTAKE_REPORT].decode(),
        "manifest": members[MANIFEST].decode(),
        "manifest-entries": "".join(f"{entry.decode()}\n" for entry in entries),
        "manifest-tree": _rows(
            [
                *((f"leaf {n}", h.hex()) for n, h in enumerate(hashes)),
                ("root", f"{manifest.root().hex()} {format_hash(manifest.root())}"),
            ]
        ),
        "manifest-path": _rows([("index", place), ("size", len(hashes)), *(("path", h.hex()) for h in path)]),
        "hash-trail": members[HASH_TRAIL].decode(),
        "event-hashes": _rows((str(event.n), format_hash(event.hash())) for event in trail.events),
    }


def _documents(example: Worked) -> dict[str, str]:
    kit, sealed = example.kit, example.kit.sealed
    report = explain(kit.kit(), kit.trust)
    subject = Subject("kit.zip", ORIGIN)
    tiny = make_zip(TINY)
    return {
        "receipt-signed": sealed.receipt.signed_bytes().decode(),
        "receipt-signature": _hex(sealed.receipt.signature),
        "receipt": kit.members[RECEIPT].decode(),
        "digests": _rows(
            (
                ("sealed", f"{len(sealed.zip)} {sha256(sealed.zip).hex()} {format_hash(sha256(sealed.zip))}"),
                ("delivered", f"{len(kit.zip)} {sha256(kit.zip).hex()} {format_hash(sha256(kit.zip))}"),
            )
        ),
        "registry-receipt": kit.members[REGISTRY_RECEIPT].decode(),
        "zip": dump(tiny),
        "zip-parts": _rows(_parts(tiny)),
        "strings": _STRINGS.decode(),
        "strings-bytes": _hex(_STRINGS),
        "disclosure": disclose(kit.kit().documents, RECORDS[0][0])[DISCLOSURE].decode(),
        "report": format_report_json(report, subject, trust_members(kit.trust)),
    }


def _parts(data: bytes) -> list[tuple[str, object]]:
    """Where each part of a ZIP begins and what it is."""
    marks = {b"PK\x03\x04": "local header", b"PK\x01\x02": "central header", b"PK\x05\x06": "end record"}
    found = sorted(
        (at.start(), what) for mark, what in marks.items() for at in re.finditer(re.escape(mark), data)
    )
    starts = [at for at, _ in found] + [len(data)]
    return [
        (f"{at:04x}", f"{what}, {end - at} bytes with name and content")
        for (at, what), (_, end) in zip(found, pairwise(starts), strict=True)
    ]
