"""Audit of a folder for unreferenced objects: strays, temporary files, links.

Entries and receipts are counted. Only if there are more than the log has leaves, all leaf hashes are
collected (32 bytes and a set's overhead each) to name the surplus ones.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from attestlayer.audit.chain import Chain
from attestlayer.audit.findings import AuditReason
from attestlayer.audit.index import INDEX, judge_index
from attestlayer.audit.leaves import LeafAudit
from attestlayer.audit.reader import RegistryReader
from attestlayer.audit.views import NAMES
from attestlayer.encoding import parse_decimal, parse_hash, sha256
from attestlayer.errors import VerificationError
from attestlayer.log import layout
from attestlayer.log.merkle import leaf_hash
from attestlayer.log.notices import Role
from attestlayer.log.tiles import HEIGHT, WIDTH, Tile, level_width, parse_bundle, tile_at

_RELEASED = re.compile(
    r"v1/problems/not-found\.json|v1/spec/.+|v1/verify-kit\.zip|v1/[^/]+\.html|\.well-known/security\.txt"
)
_TEMPORARY = ("~", ".tmp", ".temp", ".part", ".swp", ".bak", ".orig")
_TILE = re.compile(r"tile/(entries|0|[1-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")
_LEAF = re.compile(r"v1/(entries|proofs/inclusion)/([A-Za-z0-9_-]{43})\.json")
_KIND = re.compile(r"v1/(checkpoints|notices|policies)/([A-Za-z0-9_-]{43})\.json")
_BUNDLE = re.compile(r"v1/checkpoints/bundle/((?:x[0-9]{3}/)*[0-9]{3})")
_KEY = re.compile(r"v1/jwks/registry/([A-Za-z0-9_-]{43})\.vkey")
_PROOF = re.compile(r"v1/proofs/consistency/([0-9]+)-([0-9]+)\.json")


@dataclass
class StrayAudit:
    """Looks at every name of a folder."""

    reader: RegistryReader
    chain: Chain
    leaves: LeafAudit
    _checkpoints: set[bytes] = field(default_factory=set)
    _pairs: set[tuple[int, int]] = field(default_factory=set)
    _sizes: set[int] = field(default_factory=set)

    def run(self, names: Iterable[str]) -> None:
        """Check every name. If the chain is broken, names that its missing part could explain are skipped."""
        self._checkpoints = self.chain.checkpoint_hashes()
        sizes = [stage.head.size for stage in self.chain.stages]
        self._sizes = set(sizes)
        self._pairs = set(pairwise(sizes))
        counts = {"entries": 0, "proofs/inclusion": 0}
        for name in names:
            if match := _LEAF.fullmatch(name):
                counts[match[1]] += 1
            elif detail := self._judge(name):
                self.reader.report(name, AuditReason.STRAY, detail)
        # The leaf audit counted the objects of each leaf: equal counts leave no surplus to name.
        if (counts["entries"], counts["proofs/inclusion"]) != (self.leaves.records, self.leaves.receipts):
            self._name_leaves()

    def _judge(self, name: str) -> str | None:
        """Why this name is a stray, or None if something refers to it."""
        if name in NAMES or _RELEASED.fullmatch(name):
            return None
        if any(part.startswith(".") or part.endswith(_TEMPORARY) for part in name.split("/")):
            return "a temporary or hidden file"
        for pattern, judge in _JUDGES.items():
            if match := pattern.fullmatch(name):
                return judge(self, match)
        return "no object of a registry has this name" if name.startswith(("tile/", "v1/")) else None

    def _judge_bundle(self, match: re.Match[str]) -> str | None:
        count = (self.chain.newest.sequence + 1) // layout.BUNDLED
        number = _number(match[1])
        known = number < count and match[0] == layout.checkpoint_bundle_path(number)
        return None if known else f"the chain fills {count} bundles"

    def _judge_tile(self, match: re.Match[str]) -> str | None:
        size, level = self.chain.newest.head.size, 0 if match[1] == "entries" else int(match[1])
        index, width = _number(match[2]), int(match[3] or WIDTH)
        tile = Tile(level, index, width)
        if match[0] != (tile.bundle_path if match[1] == "entries" else tile.path) or not 0 < width <= WIDTH:
            return "not the one spelling of a tile"
        if level_width(size, level) < index * WIDTH + width:
            return f"outside the tree of size {size}"
        if width == WIDTH or not self.chain.whole:
            return None
        # The sizes at which this tile has exactly this width: from `first` leaves on, 256^level of them.
        first = (index * WIDTH + width) << (HEIGHT * level)
        published = any(first <= known < first + (1 << (HEIGHT * level)) for known in self._sizes)
        return None if published else "no published size has this partial tile"

    def _judge_index(self, match: re.Match[str]) -> str | None:
        return judge_index(match, self.chain.newest.head.size)

    def _judge_hashed(self, match: re.Match[str]) -> str | None:
        name, kind, text = match[0], match[1], match[2]
        try:
            wanted = parse_hash(text)
        except ValueError as error:
            return str(error)
        if kind == "policies":  # published before their first use
            data = self.reader.read(name)
            return (
                None if data is not None and sha256(data) == wanted else "its bytes do not hash to its name"
            )
        known = self._checkpoints if kind == "checkpoints" else self.chain.notices_hashes
        return None if wanted in known or not self.chain.whole else "the chain does not name it"

    def _judge_proof(self, match: re.Match[str]) -> str | None:
        try:
            pair = parse_decimal(match[1]), parse_decimal(match[2])
        except ValueError as error:
            return str(error)
        if pair in self._pairs or not self.chain.whole:
            return None
        return f"{pair[0]} and {pair[1]} are no sizes published one after the other"

    def _judge_key(self, match: re.Match[str]) -> str | None:
        keyring = self.chain.keyring
        known = keyring is None or keyring.key(Role.REGISTRY, match[1])
        return None if known else "the notices name no such registry key"

    def _name_leaves(self) -> None:
        """Name the records and receipts that are no leaf's."""
        hashes: set[bytes] = set()
        size = self.chain.newest.head.size
        for number in range((size + WIDTH - 1) // WIDTH):
            tile = tile_at(0, number, size)
            hashes.update(self._hashes(tile))
        for name in self.reader.registry.names() or ():
            match = _LEAF.fullmatch(name)
            if match and not _is_hash_of(match[2], hashes):
                self.reader.report(name, AuditReason.STRAY, "no leaf of the log has this hash")

    def _hashes(self, tile: Tile) -> set[bytes]:
        data = self.reader.read(tile.path) or b""
        hashes = {data[at : at + 32] for at in range(0, len(data), 32)}
        try:
            entries = parse_bundle(self.reader.read(tile.bundle_path) or b"", tile.width)
        except VerificationError:
            return hashes
        return hashes | {leaf_hash(entry) for entry in entries}


_JUDGES: dict[re.Pattern[str], Callable[[StrayAudit, re.Match[str]], str | None]] = {
    _TILE: StrayAudit._judge_tile,
    INDEX: StrayAudit._judge_index,
    _KIND: StrayAudit._judge_hashed,
    _BUNDLE: StrayAudit._judge_bundle,
    _PROOF: StrayAudit._judge_proof,
    _KEY: StrayAudit._judge_key,
}


def _is_hash_of(text: str, hashes: set[bytes]) -> bool:
    try:
        return parse_hash(text) in hashes
    except ValueError:
        return False


def _number(path: str) -> int:
    groups = re.findall(r"x([0-9]{3})/|([0-9]{3})$", path)
    return int("".join(one or other for one, other in groups))
