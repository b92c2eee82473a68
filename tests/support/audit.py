"""An auditor of a registry folder that shares no code with the project.

It reads what is public, takes nothing but the entries and the signatures for granted, and derives all
else anew: hashes, tiles, proofs, chains, views. RFC 6962 is written down here a second time, naively.
"""

import base64
import hashlib
import itertools
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]
Range = tuple[int, int]


_RELEASED = ("v1/problems/", "v1/policies/", "v1/spec/", "v1/verify-kit.zip")
"""What releases publish, not rounds."""


@dataclass
class Audit:
    """What was found: entries, checkpoints in order, the newest notices."""

    entries: list[bytes] = field(default_factory=list)
    checkpoints: list[Json] = field(default_factory=list)
    notices: list[Json] = field(default_factory=list)

    @property
    def leaf_hashes(self) -> list[str]:
        """The leaves' names, in the log's order."""
        return [_text(_leaf(entry)) for entry in self.entries]


class AuditError(AssertionError):
    """The registry is not what it says."""


def audit(root: Path, origin: str, *, open_round: bool = False) -> Audit:
    """Audit the registry in `root`. Raises `AuditError`.

    With `open_round` there may be objects of which no checkpoint speaks yet; else that is an error.
    """
    auditor = _Auditor(root, origin)
    found = auditor.run()
    auditor.check_index()
    if not open_round:
        auditor.check_strays()
    return found


class _Auditor:
    def __init__(self, root: Path, origin: str) -> None:
        self.root, self.origin = root, origin
        self.seen: set[str] = set()
        self.found = Audit()
        self.memo: dict[Range, bytes] = {}

    def run(self) -> Audit:
        latest = self._read("v1/checkpoints/latest.json")
        self._walk_chain(latest)
        self._read_notices()
        self._check_signatures()
        self._read_entries()
        self._check_trees()
        self._check_leaves()
        self._check_consistency()
        self._check_bundles()
        self._check_views(latest)
        return self.found

    def _read(self, name: str) -> bytes:
        self.seen.add(name)
        path = self.root / name
        _check(path.is_file(), f"{name} is missing")
        return path.read_bytes()

    def _json(self, name: str) -> Any:
        data = self._read(name)
        value = json.loads(data)  # noqa: TID251
        _check(_jcs(value) == data, f"{name} is not canonical")
        return value

    def _walk_chain(self, latest: bytes) -> None:
        data, chain = latest, []
        while True:
            checkpoint = json.loads(data)  # noqa: TID251
            name = _text(_sha(data))
            _check(self._read(f"v1/checkpoints/{name}.json") == data, f"checkpoint {name} differs")
            chain.append({**checkpoint, "_hash": name, "_bytes": data})
            previous = checkpoint["prev_checkpoint_hash"]
            if previous is None:
                break
            data = self._read(f"v1/checkpoints/{previous}.json")
            _check(_text(_sha(data)) == previous, f"checkpoint {previous} is not its name's")
        self.found.checkpoints = chain[::-1]
        for number, one in enumerate(self.found.checkpoints):
            _check(one["sequence"] == number, f"sequence {one['sequence']} stands at {number}")
            _check(one["origin"] == self.origin, "another origin")
        for one, other in zip(self.found.checkpoints, self.found.checkpoints[1:], strict=False):
            _check(one["timestamp"] < other["timestamp"], "a timestamp does not grow")
            _check(one["tree_size"] <= other["tree_size"], "a size goes back")
        _check(self.found.checkpoints[0]["tree_size"] == 0, "sequence 0 is not empty")

    def _read_notices(self) -> None:
        before: list[Json] = []
        for one in self.found.checkpoints:
            name = f"v1/notices/{one['notices_hash']}.json"
            _check(_text(_sha(self._read(name))) == one["notices_hash"], "notices of another hash")
            document = self._json(name)
            notices = document["notices"]
            _check(document["origin"] == self.origin, "notices of another origin")
            _check(notices[: len(before)] == before, "notices were changed or taken out")
            _check([each["n"] for each in notices] == list(range(len(notices))), "notices are misnumbered")
            contents = [_jcs({"type": each["type"], "data": each["data"]}) for each in notices]
            _check(len(set(contents)) == len(contents), "a notice stands twice")
            before = notices
        self.found.notices = before

    def _check_signatures(self) -> None:
        for one in self.found.checkpoints:
            statement = {k: v for k, v in one.items() if not k.startswith("_") and k != "signature"}
            keys = self._keys_at(one["timestamp"])
            _check(one["kid"] == keys[0]["kid"], "another key than the oldest signed")
            _verify(keys[0]["x"], _unpad(one["signature"]), _jcs(statement))

    def _keys_at(self, time: str) -> list[Json]:
        """Registry keys valid at `time` (RFC 3339 in UTC sorts as text), the signing one first."""
        ended = {
            each["data"]["kid"]: each["data"].get("valid_until") or each["data"]["revoked_at"]
            for each in self.found.notices
            if each["type"] in {"key.retired", "key.revoked"}
        }
        keys = [
            (each["data"]["valid_from"], each["data"]["jwk"]["kid"], each["data"]["jwk"])
            for each in self.found.notices
            if each["type"] == "key.added" and each["data"]["role"] == "registry"
        ]
        return [
            jwk
            for since, kid, jwk in sorted(keys, key=lambda k: k[:2])
            if since <= time < ended.get(kid, "~")
        ]

    def _read_entries(self) -> None:
        size = self.found.checkpoints[-1]["tree_size"]
        for number in range((size + 255) // 256):
            self.found.entries += self._bundle(number, min(256, size - 256 * number))
        _check(len(set(self.found.leaf_hashes)) == size, "a leaf stands twice")

    def _bundle(self, number: int, count: int) -> list[bytes]:
        data, entries = self._read(f"tile/entries/{_tile_name(number, count)}"), []
        while data:
            (length,) = struct.unpack(">H", data[:2])
            _check(len(data) >= 2 + length, "an entry is cut")
            entries.append(data[2 : 2 + length])
            data = data[2 + length :]
        _check(len(entries) == count, f"bundle {number} has {len(entries)} entries, wanted {count}")
        return entries

    def _check_trees(self) -> None:
        for one in self.found.checkpoints:
            size = one["tree_size"]
            _check(_text(self._root(0, size)) == one["root_hash"], f"the root of size {size} is another")
        for size in sorted({one["tree_size"] for one in self.found.checkpoints}):
            self._check_tiles(size)

    def _check_tiles(self, size: int) -> None:
        """All tiles and bundles that a tree of this size has, whole and partial."""
        level, width = 0, size
        while width:
            span = 256**level
            for number in range((width + 255) // 256):
                count = min(256, width - 256 * number)
                first = 256 * number
                wanted = b"".join(self._root(i * span, (i + 1) * span) for i in range(first, first + count))
                name = f"tile/{level}/{_tile_name(number, count)}"
                if name not in self.seen:
                    _check(self._read(name) == wanted, f"{name} is another")
                if level == 0 and count < 256:
                    got = self._bundle(number, count)
                    _check(
                        got == self.found.entries[first : first + count], f"partial bundle {number} differs"
                    )
            level, width = level + 1, width // 256

    def _check_leaves(self) -> None:
        for index, entry in enumerate(self.found.entries):
            payload, name = json.loads(entry), _text(_leaf(entry))  # noqa: TID251
            record = {**payload, "leaf_hash": name}
            _check(self._json(f"v1/entries/{name}.json") == record, f"entry {name} is another")
            receipt = self._json(f"v1/proofs/inclusion/{name}.json")
            first = next(one for one in self.found.checkpoints if one["tree_size"] > index)
            _check(
                receipt["leaf"] == record and receipt["leaf_index"] == index, f"receipt {name} is another's"
            )
            _check(_jcs(receipt["checkpoint"]) == first["_bytes"], f"receipt {name} names a later checkpoint")
            path = [_text(each) for each in self._path(index, 0, first["tree_size"])]
            _check(receipt["audit_path"] == path, f"the audit path of {name} is another")
            self._check_note(receipt["note"], first)
            _check(payload["issued_at"] <= first["timestamp"], f"{name} was issued after its checkpoint")

    def _check_note(self, note: str, checkpoint: Json) -> None:
        text, _, lines = note.rpartition("\n\n")
        root = base64.b64encode(_unpad(checkpoint["root_hash"])).decode()
        _check(text == f"{self.origin}\n{checkpoint['tree_size']}\n{root}", "the note says something else")
        signed = [line.split(" ") for line in lines.splitlines()]
        for number, key in enumerate(self._keys_at(checkpoint["timestamp"])):
            dash, name, data = signed[number]
            raw = base64.b64decode(data)  # noqa: TID251
            key_id = _sha(f"{self.origin}\n".encode() + b"\x01" + _unpad(key["x"]))[:4]
            _check((dash, name, raw[:4]) == ("—", self.origin, key_id), "a line of another key")
            _verify(key["x"], raw[4:], f"{text}\n".encode())

    def _check_consistency(self) -> None:
        sizes = [one["tree_size"] for one in self.found.checkpoints]
        for old, new in itertools.pairwise(sizes):
            if old == new:
                continue
            wanted = {
                "from_size": old,
                "to_size": new,
                "from_root": _text(self._root(0, old)),
                "to_root": _text(self._root(0, new)),
                "proof": [_text(each) for each in self._consistency(old, 0, new, True)] if old else [],
            }
            found = self._json(f"v1/proofs/consistency/{old}-{new}.json")
            _check(found == wanted, f"the proof {old}-{new} is another")

    def _check_bundles(self) -> None:
        for number in range(len(self.found.checkpoints) // 256):
            part = self.found.checkpoints[256 * number : 256 * number + 256]
            wanted = b"[" + b",".join(one["_bytes"] for one in part) + b"]"
            found = self._read(f"v1/checkpoints/bundle/{_tile_name(number, 256)}")
            _check(found == wanted, f"checkpoint bundle {number} is another")

    def _check_views(self, latest: bytes) -> None:
        last = self.found.checkpoints[-1]
        _check(last["_bytes"] == latest, "latest.json is not the newest checkpoint")
        self._check_note(self._read("checkpoint").decode(), last)
        stats = self._json("v1/stats")
        _check(stats["tree_size"] == last["tree_size"], "stats of another size")
        _check(stats["checkpoint_hash"] == last["_hash"], "stats of another checkpoint")
        trust = self._json("v1/trust.json")
        renewed = self.found.checkpoints[0]
        for one, other in itertools.pairwise(self.found.checkpoints):
            dates = one["timestamp"][:10], other["timestamp"][:10]
            if dates[0] != dates[1] or one["notices_hash"] != other["notices_hash"]:
                renewed = other
        _check(_jcs(trust["checkpoint"]) == renewed["_bytes"], "the trust root is not of the last renewal")
        _check(trust["notices"]["notices"] == self.found.notices, "the trust root's notices are others")
        for role in ("registry", "issuer"):
            jwks = self._json(f"v1/jwks/{role}.jwks.json")["keys"]
            added = [each["data"] for each in self.found.notices if each["type"] == "key.added"]
            kids = [data["jwk"]["kid"] for data in added if data["role"] == role]
            _check([key["kid"] for key in jwks] == kids, f"the {role} keys are others")
        vkeys = self._read("v1/jwks/registry.vkey").decode().splitlines()
        valid = self._keys_at(last["timestamp"])
        _check(vkeys == [self._vkey(jwk) for jwk in valid], "the vkeys are others")
        for jwk in self._registry_keys():
            name = f"v1/jwks/registry/{jwk['kid']}.vkey"
            _check(self._read(name).decode() == f"{self._vkey(jwk)}\n", f"{name} is another")
        policies = [
            each["data"]["policy"]
            for each in self.found.notices
            if each["type"] == "witness.policy" and each["data"]["valid_from"] <= last["timestamp"]
        ]
        policy = f"log {vkeys[0]} https://{self.origin}/\n{(policies or ['quorum none' + chr(10)])[-1]}"
        _check(self._read("v1/policy.txt").decode() == policy, "policy.txt is another")
        requests = 2 * 86_400 // stats["cadence_seconds"]
        listed = f"logs/v0\n\nvkey {vkeys[0]}\nqpd {requests}\n"
        contact = f"contact https://{self.origin}/.well-known/security.txt\n"
        _check(self._read("v1/log-list.txt").decode() == listed + contact, "log-list.txt is another")

    def _registry_keys(self) -> list[Json]:
        added = [each["data"] for each in self.found.notices if each["type"] == "key.added"]
        return [data["jwk"] for data in added if data["role"] == "registry"]

    def _vkey(self, jwk: Json) -> str:
        """C2SP signed-note: name, key id, type 0x01 and key."""
        typed = b"\x01" + _unpad(jwk["x"])
        key_id = _sha(f"{self.origin}\n".encode() + typed)[:4].hex()
        return f"{self.origin}+{key_id}+{base64.b64encode(typed).decode()}"

    def check_index(self) -> None:
        """Check each object of the look-up index that is there, and that it may be there."""
        for path in sorted((self.root / "v1/index").rglob("*")):
            if not path.is_file():
                continue
            name = str(path.relative_to(self.root))
            level, *rest = name.removeprefix("v1/index/").split("/")
            ends = [at for at, part in enumerate(rest) if not part.startswith("x")]
            number = int("".join(rest[: ends[0] + 1]).replace("x", ""))
            shard, shards = int("".join(rest[ends[0] + 1 :]).replace("x", "")), 2 ** int(level)
            first, after = number * shards * 256, (number + 1) * shards * 256
            _check(number % 2 == 0 and after <= len(self.found.entries), f"{name} is of no full segment")
            records = []
            for offset, entry in enumerate(self.found.entries[first:after]):
                leaf = json.loads(entry)  # noqa: TID251
                for member in ("kit_digest", "statement_hash", "manifest_root", "client_nonce_hash"):
                    key = _unpad(leaf[member])[:8]
                    if int.from_bytes(key, "big") * shards // 2**64 == shard:
                        records.append(key + struct.pack(">I", offset))
            _check(self._read(name) == b"".join(sorted(records)), f"{name} is another")

    def check_strays(self) -> None:
        """Check that each object of the log was spoken of."""
        files = {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}
        strays = {name for name in files - self.seen if name.startswith(("tile/", "v1/"))}
        strays = {name for name in strays if not name.startswith(_RELEASED)}
        _check(not strays, f"nothing speaks of {', '.join(sorted(strays))}")

    def _root(self, start: int, end: int) -> bytes:
        """RFC 6962 section 2.1: MTH(D[start:end])."""
        if (start, end) not in self.memo:
            if end - start == 0:
                value = _sha(b"")
            elif end - start == 1:
                value = _leaf(self.found.entries[start])
            else:
                middle = start + _k(end - start)
                value = _sha(b"\x01" + self._root(start, middle) + self._root(middle, end))
            self.memo[start, end] = value
        return self.memo[start, end]

    def _path(self, index: int, start: int, end: int) -> list[bytes]:
        """RFC 6962 section 2.1.1: PATH(m, D[n])."""
        if end - start == 1:
            return []
        middle = start + _k(end - start)
        if index < middle:
            return [*self._path(index, start, middle), self._root(middle, end)]
        return [*self._path(index, middle, end), self._root(start, middle)]

    def _consistency(self, m: int, start: int, end: int, whole: bool) -> list[bytes]:
        """RFC 6962 section 2.1.2: SUBPROOF(m, D[n], b)."""
        if m == end - start:
            return [] if whole else [self._root(start, end)]
        k = _k(end - start)
        if m <= k:
            return [*self._consistency(m, start, start + k, whole), self._root(start + k, end)]
        return [*self._consistency(m - k, start + k, end, False), self._root(start, start + k)]


def posix_of(time: str) -> int:
    """POSIX seconds of an RFC 3339 time in UTC."""
    return int(datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def _check(holds: bool, failure: str) -> None:
    if not holds:
        raise AuditError(failure)


def _k(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def _tile_name(number: int, count: int) -> str:
    groups = [number % 1000]
    while number := number // 1000:
        groups.append(number % 1000)
    parts = [f"x{group:03}" for group in groups[:0:-1]] + [f"{groups[0]:03}"]
    return "/".join(parts) + ("" if count == 256 else f".p/{count}")


def _jcs(value: Any) -> bytes:
    """Enough of RFC 8785 for ASCII names, integers and strings."""
    value = {k: v for k, v in value.items() if not k.startswith("_")} if isinstance(value, dict) else value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _leaf(entry: bytes) -> bytes:
    return _sha(b"\x00" + entry)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))  # noqa: TID251


def _verify(x: str, signature: bytes, message: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(_unpad(x)).verify(signature, message)
