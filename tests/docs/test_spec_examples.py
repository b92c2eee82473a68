"""The examples of REG-1.0, appendix D, recomputed: by the core, and from the text by other means.

The second half uses nothing of this project: the standard library, Ed25519, and the specification's words.
"""

import base64
import hashlib
import json
import re
import struct
import zlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from support.spec_blocks import BLOCK, blocks, with_blocks
from support.spec_tables import read
from support.vectors import all_vectors
from support.worked import worked

Pairs = list[tuple[str, str]]

TEXTS = {found[1]: found[3] for found in BLOCK.finditer(read())}
KINDS = {found[1]: found[2] for found in BLOCK.finditer(read())}


def test_the_blocks_are_those_that_the_core_makes() -> None:
    assert blocks() == TEXTS


def test_a_spoilt_block_would_be_mended() -> None:
    spoilt = read().replace(TEXTS["receipt"], TEXTS["receipt"].replace("PAY-01", "PAY-02"))
    assert spoilt != read()
    assert with_blocks(spoilt) == read()


def test_the_kit_of_the_examples_is_a_vector() -> None:
    vector = all_vectors()["kits/worked-example.json"]
    assert isinstance(vector, dict)
    assert (vector["expect"], vector["input"]["trust"]) == ("accepted", block("trust").decode())
    assert base64.b64decode(vector["input"]["zip"]) == worked().kit.zip  # noqa: TID251
    assert worked().kit.members == members()


# From here on: what the specification says, and nothing else.


def block(name: str) -> bytes:
    """The bytes that a block stands for."""
    text, kind = TEXTS[name], KINDS[name]
    if kind in {"json", "value"}:
        return text[:-1].encode()
    if kind == "hex":
        return bytes.fromhex(text)
    if kind == "dump":
        return bytes.fromhex("".join(line[6:53] for line in text.splitlines()))
    return text.encode()


def rows(name: str) -> Pairs:
    """The lines of a block as first word and the rest."""
    assert KINDS[name] == "rows"
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in TEXTS[name].splitlines()]


def row(name: str, first: str) -> str:
    (found,) = [rest for word, rest in rows(name) if word == first]
    return found


def listed(name: str, first: str) -> list[bytes]:
    return [bytes.fromhex(rest) for word, rest in rows(name) if word == first]


def document(name: str) -> dict:  # type: ignore[type-arg]
    return json.loads(block(name))  # type: ignore[no-any-return] # noqa: TID251


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unurl(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))  # noqa: TID251
    assert url(data) == text
    return data


def jcs(value: object) -> bytes:
    """Canonical JSON for what the examples hold: names are ASCII, so code points sort as UTF-16 does."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def mth(hashes: list[bytes]) -> bytes:
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return sha(b"\x01" + mth(hashes[:k]) + mth(hashes[k:]))


def unsigned(value: dict) -> bytes:  # type: ignore[type-arg]
    return jcs({name: each for name, each in value.items() if name != "signature"})


def key(name: str) -> bytes:
    return bytes.fromhex(row(f"key-{name}", "public"))


def check_signature(name: str, signature: bytes, message: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(key(name)).verify(signature, message)


ENTRIES = [block(f"entry-{n}") for n in range(5)]
LEAVES = [sha(b"\x00" + entry) for entry in ENTRIES]


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind == "json"])
def test_each_json_block_is_canonical(name: str) -> None:
    data = block(name)
    assert jcs(json.loads(data)) == data  # noqa: TID251


def test_the_canonical_strings_have_the_bytes_that_are_shown() -> None:
    assert block("strings") == block("strings-bytes")
    assert list(document("strings")) == ["", "B", "a", "b"]


@pytest.mark.parametrize("name", ["registry", "issuer", "witness-1", "witness-2"])
def test_each_key_follows_from_its_label(name: str) -> None:
    given = dict(rows(f"key-{name}"))
    seed = sha(given["label"].encode())
    assert seed.hex() == given["seed"]
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert public.hex() == given["public"]
    assert url(public) == given["x"]
    assert given["thumbprint-of"] == '{"crv":"Ed25519","kty":"OKP","x":"' + given["x"] + '"}'
    assert url(sha(given["thumbprint-of"].encode())) == given["kid"]


@pytest.mark.parametrize("name", ["registry", "witness-1", "witness-2"])
def test_each_key_id_is_computed_as_shown(name: str) -> None:
    given = dict(rows(f"vkey-{name}"))
    kind = bytes([int(given["type"], 16)])
    material = given["name"].encode() + b"\n" + kind + key(name)
    assert material.hex() == given["input"]
    assert sha(material).hex() == given["sha256"]
    assert sha(material)[:4].hex() == given["key-id"]
    vkey = f"{given['name']}+{given['key-id']}+{base64.b64encode(kind + key(name)).decode()}"
    assert vkey == given["vkey"]


def test_the_leaf_hashes_are_those_of_the_entries() -> None:
    assert rows("leaf-hashes") == [(str(n), f"{h.hex()} {url(h)}") for n, h in enumerate(LEAVES)]


def test_the_nodes_and_roots_are_those_of_the_leaves() -> None:
    for word, rest in rows("tree"):
        place, _, values = rest.partition(" ")
        if word == "node":
            start, end = map(int, place.split("-"))
            assert values == mth(LEAVES[start:end]).hex()
        else:
            root = mth(LEAVES[: int(place)])
            assert values == f"{root.hex()} {url(root)}"


def test_the_audit_path_leads_to_the_root_in_the_steps_that_the_text_describes() -> None:
    path, x = listed("inclusion", "path"), LEAVES[2]
    assert (row("inclusion", "index"), row("inclusion", "size")) == ("2", "5")
    assert path == [LEAVES[3], mth(LEAVES[:2]), LEAVES[4]]
    x = sha(b"\x01" + x + path[0])
    x = sha(b"\x01" + path[1] + x)
    x = sha(b"\x01" + x + path[2])
    assert x == mth(LEAVES) == inclusion_root(LEAVES[2], 2, 5, path)


def inclusion_root(x: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Section 2.9, Inclusion."""
    fn, sn = index, size - 1
    for p in path:
        assert sn != 0
        if fn % 2 == 1 or fn == sn:
            x = sha(b"\x01" + p + x)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            x = sha(b"\x01" + x + p)
        fn, sn = fn // 2, sn // 2
    assert sn == 0
    return x


def test_the_consistency_proof_leads_to_both_roots() -> None:
    """Section 2.9, Consistency."""
    m, n = int(row("consistency", "from")), int(row("consistency", "to"))
    proof = [mth(LEAVES[:m]), *listed("consistency", "proof")]
    fn, sn = m - 1, n - 1
    while fn % 2 == 1:
        fn, sn = fn // 2, sn // 2
    fr = sr = proof[0]
    for c in proof[1:]:
        assert sn != 0
        if fn % 2 == 1 or fn == sn:
            fr, sr = sha(b"\x01" + c + fr), sha(b"\x01" + c + sr)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            sr = sha(b"\x01" + sr + c)
        fn, sn = fn // 2, sn // 2
    assert (sn, fr, sr) == (0, mth(LEAVES[:m]), mth(LEAVES[:n]))


def test_tile_and_bundle_are_of_the_entries() -> None:
    assert block("tile") == b"".join(LEAVES)
    bundle = b"".join(struct.pack(">H", len(entry)) + entry for entry in ENTRIES)
    assert len(ENTRIES[0]) == int("01dd", 16)
    assert dict(rows("bundle")) == {
        "length": str(len(bundle)),
        "begins": bundle[:10].hex(),
        "sha256": sha(bundle).hex(),
    }


def test_the_policy_and_the_notices_are_those_that_checkpoints_commit_to() -> None:
    first, last = document("notices-0"), document("notices-3")
    assert first["notices"][-1]["data"]["policy"].encode() == block("policy-text")
    assert last["notices"][: len(first["notices"])] == first["notices"]
    assert rows("notices-hashes") == [(n, url(sha(block(f"notices-{n}")))) for n in ("0", "3")]
    for n in range(4):
        assert document(f"checkpoint-{n}")["notices_hash"] == row("notices-hashes", "0" if n < 3 else "3")


def test_the_checkpoints_are_a_chain_over_the_tree_signed_by_the_registry() -> None:
    previous = None
    for n, size in enumerate((0, 2, 5, 5)):
        given = document(f"checkpoint-{n}")
        assert (given["sequence"], given["tree_size"]) == (n, size)
        assert unurl(given["root_hash"]) == mth(LEAVES[:size])
        assert given["prev_checkpoint_hash"] == previous
        assert given["kid"] == row("key-registry", "kid")
        check_signature("registry", unurl(given["signature"]), unsigned(given))
        previous = url(sha(block(f"checkpoint-{n}")))
        assert row("checkpoint-hashes", str(n)) == previous
    assert unsigned(document("checkpoint-2")) == block("checkpoint-2-signed")
    assert unurl(document("checkpoint-2")["signature"]) == block("checkpoint-2-signature")


def test_the_note_says_the_checkpoint_and_carries_the_signatures_that_are_shown() -> None:
    given = document("checkpoint-2")
    root = base64.b64encode(unurl(given["root_hash"])).decode()
    text = f"{given['origin']}\n{given['tree_size']}\n{root}\n".encode()
    assert block("note-text") == text
    check_signature("registry", block("note-signature"), text)
    time, signature = block("cosignature")[:8], block("cosignature")[8:]
    message = b"cosignature/v1\ntime %d\n" % int.from_bytes(time, "big") + text
    assert block("cosigned") == message
    assert int.from_bytes(time, "big") == 1769860800 + 120 + 2
    check_signature("witness-1", signature, message)
    whole, _, lines = block("note").partition(b"\n\n")
    assert whole + b"\n" == text
    for line, name in zip(lines.decode().splitlines(), ("registry", "witness-1", "witness-2"), strict=True):
        dash, named, data = line.split(" ")
        raw = base64.b64decode(data)  # noqa: TID251
        assert (dash, named, raw[:4].hex()) == (
            "—",
            row(f"vkey-{name}", "name"),
            row(f"vkey-{name}", "key-id"),
        )
        if name == "registry":
            assert raw[4:] == block("note-signature")
        else:
            cosigned = b"cosignature/v1\ntime %d\n" % int.from_bytes(raw[4:12], "big") + text
            check_signature(name, raw[12:], cosigned)
            assert (raw[4:] == block("cosignature")) == (name == "witness-1")


def members() -> dict[str, bytes]:
    """The delivered kit's members, out of the text."""
    return {
        "README.txt": block("readme"),
        "binder.pdf": block("binder"),
        "hash_trail.json": block("hash-trail"),
        "intake_report.json": block("intake-report"),
        "manifest.json": block("manifest"),
        "receipt.json": block("receipt"),
        "records/001-order.txt": block("record-1"),
        "records/002-approval.txt": block("record-2"),
        "registry/client_nonce.txt": block("client-nonce"),
        "registry/nonce_checkpoint.json": block("checkpoint-1"),
        "registry/registry_receipt.json": block("registry-receipt"),
    }


def test_the_manifest_lists_the_files_and_its_tree_is_the_one_shown() -> None:
    files = document("manifest")["files"]
    assert [file["path"] for file in files] == sorted(name for name in members() if name not in _UNLISTED)
    for file in files:
        data = members()[file["path"]]
        assert (file["size"], unurl(file["sha256"]), len(unurl(file["salt"]))) == (len(data), sha(data), 16)
    entries = block("manifest-entries").splitlines()
    assert entries == [jcs(file) for file in files]
    leaves = [sha(b"\x00" + entry) for entry in entries]
    assert rows("manifest-tree")[:-1] == [("leaf", f"{n} {h.hex()}") for n, h in enumerate(leaves)]
    root = mth(leaves)
    assert row("manifest-tree", "root") == f"{root.hex()} {url(root)}"
    assert document("receipt")["manifest_root"] == url(root)
    index, path = int(row("manifest-path", "index")), listed("manifest-path", "path")
    assert files[index]["path"] == "records/001-order.txt"
    assert inclusion_root(leaves[index], index, len(leaves), path) == root


_UNLISTED = {"hash_trail.json", "manifest.json", "receipt.json", "registry/registry_receipt.json"}


def test_the_trail_is_a_chain_over_what_happened() -> None:
    events, previous = document("hash-trail")["events"], None
    for n, event in enumerate(events):
        assert (event["n"], event["prev"]) == (n, previous)
        previous = url(sha(jcs(event)))
        assert row("event-hashes", str(n)) == previous
    assert document("receipt")["hash_trail_head"] == previous
    assert events[-1]["data"]["manifest_sha256"] == url(sha(block("manifest")))
    assert events[3]["data"]["report_sha256"] == url(sha(block("intake-report")))


def test_the_receipt_binds_the_kit_and_is_signed_by_the_issuer() -> None:
    given = document("receipt")
    assert unsigned(given) == block("receipt-signed")
    assert unurl(given["signature"]) == block("receipt-signature")
    check_signature("issuer", block("receipt-signature"), block("receipt-signed"))
    assert given["issuer_kid"] == row("key-issuer", "kid")
    assert given["manifest_sha256"] == url(sha(block("manifest")))
    assert given["client_nonce_hash"] == url(sha(block("client-nonce")))
    assert given["intake_policy_hash"] == url(sha(block("intake-policy")))
    assert jcs(document("intake-report")["policy"]) == block("intake-policy")
    assert block("client-nonce").decode().splitlines()[1] == row("checkpoint-hashes", "1")


def make_zip(content: dict[str, bytes]) -> bytes:
    """Section 6.5."""
    out, directory = b"", b""
    for name in sorted(content):
        data = content[name]
        common = struct.pack(
            "<HHHHHLLLHH", 20, 0, 0, 0, 0x2821, zlib.crc32(data), len(data), len(data), len(name), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common
        directory += struct.pack("<HHHLL", 0, 0, 0, 0, len(out)) + name.encode()
        out += b"PK\x03\x04" + common + name.encode() + data
    end = struct.pack("<HHHHLLH", 0, 0, len(content), len(content), len(directory), len(out), 0)
    return out + directory + b"PK\x05\x06" + end


def test_the_container_that_is_shown_byte_by_byte_is_canonical() -> None:
    data = block("zip")
    assert data == make_zip({"a.txt": b"A\n", "b/c.txt": b""})
    marks = {"local": b"PK\x03\x04", "central": b"PK\x01\x02", "end": b"PK\x05\x06"}
    at = 0
    for offset, text in rows("zip-parts"):
        assert int(offset, 16) == at
        assert data.startswith(marks[text.split()[0]], at)
        at += int(re.findall(r"[0-9]+", text)[0])
    assert at == len(data)


def test_the_kits_digests_are_those_of_its_members_and_the_log_holds_it() -> None:
    delivered, sealed = (
        make_zip(members()),
        make_zip(
            {name: data for name, data in members().items() if name != "registry/registry_receipt.json"}
        ),
    )
    for name, data in (("sealed", sealed), ("delivered", delivered)):
        assert row("digests", name) == f"{len(data)} {sha(data).hex()} {url(sha(data))}"
    leaf, receipt = document("entry-2"), document("receipt")
    assert leaf["kit_digest"] == url(sha(sealed))
    assert leaf["statement_hash"] == url(sha(block("receipt")))
    for name in leaf.keys() - {"kit_digest", "statement_hash"}:
        assert leaf[name] == receipt[name]


def test_the_registry_receipt_is_made_of_the_parts_that_were_shown() -> None:
    given = document("registry-receipt")
    assert given == {
        "schema": "attestlayer/registry-receipt/1",
        "leaf": {**document("entry-2"), "leaf_hash": url(LEAVES[2])},
        "leaf_index": 2,
        "audit_path": [url(h) for h in listed("inclusion", "path")],
        "checkpoint": document("checkpoint-2"),
        "note": block("note").decode(),
    }


def test_the_trust_root_is_made_of_the_parts_that_were_shown() -> None:
    assert document("trust") == {
        "schema": "attestlayer/trust/1",
        "origin": "registry.example.org",
        "checkpoint": document("checkpoint-3"),
        "notices": document("notices-3"),
    }
    assert block("trust-identity").decode().startswith(f"{document('trust')['origin']}+")


def test_the_disclosure_leads_to_the_manifest_root() -> None:
    """Section 13.1."""
    given = document("disclosure")
    (file,) = [each for each in document("manifest")["files"] if each["path"] == "records/001-order.txt"]
    assert given["file"] == file
    x = sha(b"\x00" + jcs(file))
    for sibling in given["audit_path"]:
        h = unurl(sibling["hash"])
        x = sha(b"\x01" + h + x) if sibling["side"] == "left" else sha(b"\x01" + x + h)
    assert url(x) == document("receipt")["manifest_root"]
    assert [unurl(sibling["hash"]) for sibling in given["audit_path"]] == listed("manifest-path", "path")


def test_the_report_names_what_was_shown() -> None:
    report = json.loads(TEXTS["report"])  # noqa: TID251
    assert (report["verdict"], report["exit_code"]) == ("VERIFIED", 0)
    assert {step["status"] for step in report["steps"]} == {"passed"}
    issued = report["issued"]
    assert (issued["leaf_hash"], issued["leaf_index"]) == (url(LEAVES[2]), 2)
    assert issued["not_before"] == document("checkpoint-1")["timestamp"]
    assert issued["not_after"] == document("checkpoint-2")["timestamp"]
    assert issued["files"] == len(document("manifest")["files"])
    assert report["trust"]["verifier_key"] == block("trust-identity").decode()


def test_the_small_examples_in_the_prose_are_right() -> None:
    import calendar
    import time

    prose = read()
    assert "`2026-01-31T12:00:00Z` is 1769860800 in POSIX seconds" in prose
    assert calendar.timegm(time.strptime("2026-01-31T12:00:00Z", "%Y-%m-%dT%H:%M:%SZ")) == 1769860800
    assert f"SHA-256 of nothing, `{url(sha(b''))}`" in prose


def test_no_block_is_left_unchecked() -> None:
    """Each id is named in this file, so that a block that nothing recomputes is noticed."""
    source = Path(__file__).read_text(encoding="utf-8")
    dynamic = r"(entry|checkpoint|notices)-[0-9]|(key|vkey)-(registry|issuer|witness-[12])"
    assert [name for name in TEXTS if f'"{name}"' not in source and not re.fullmatch(dynamic, name)] == []
