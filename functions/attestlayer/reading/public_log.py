"""Reads what a registry says of itself now: its trust root, its newest checkpoint, its tiles. Does I/O.

Everything is checked against a trust root that the caller had before. An answer that can't be had or used is
`registry-unreachable`; one that contradicts the log's own key is `checkpoint-conflict`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from attestlayer.encoding import Hash
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.log import layout
from attestlayer.log.checkpoint import Checkpoint, parse_checkpoint
from attestlayer.log.merkle import HashReader
from attestlayer.log.notices import parse_notices
from attestlayer.log.tiles import Tile, hash_reader, parse_tile
from attestlayer.log.trust import TrustRoot, make_trust_root, parse_trust
from attestlayer.log.update import check_growth, check_update
from attestlayer.reading.registry import Registry, open_registry

_URL_START = ("http://", "https://")
_T = TypeVar("_T")


def is_url(text: str) -> bool:
    """Whether it is the URL of a registry, not a file's name."""
    return text.startswith(_URL_START)


@dataclass(frozen=True, slots=True)
class PublicLog:
    """A registry at a URL, with or without the path of its trust root."""

    url: str
    registry: Registry

    def trust_root(self, known: TrustRoot) -> TrustRoot:
        """The trust root that it serves, an update of `known` but for changes that a person confirms.

        Raises `VerificationError`.
        """
        served = self._usable(layout.TRUST, parse_trust)
        check_update(known, served)
        check_growth(known.checkpoint.head, served.checkpoint.head, self.hashes(served.checkpoint.head.size))
        return served

    def newest(self, known: TrustRoot) -> TrustRoot:
        """Its newest checkpoint with the notices that it commits to, checked as `trust_root` checks.

        Raises `VerificationError`.
        """
        checkpoint = self._usable(layout.LATEST, parse_checkpoint)
        newest = self._with_notices(checkpoint, known)
        if checkpoint.origin == known.origin and checkpoint.sequence < known.checkpoint.sequence:
            message = f"its newest checkpoint, {checkpoint.sequence}, is older than the trust root's"
            raise CouldNotCheckError(Reason.REGISTRY_STALE, f"{self.url}: {message}")
        check_update(known, newest)
        check_growth(known.checkpoint.head, checkpoint.head, self.hashes(checkpoint.head.size))
        return newest

    def hashes(self, size: int) -> HashReader:
        """Reads hashes of a tree of `size` from its tiles, each once. It raises `CouldNotCheckError`."""
        tiles: dict[Tile, Sequence[Hash]] = {}

        def read_tile(tile: Tile) -> Sequence[Hash]:
            if tile not in tiles:
                tiles[tile] = self._usable(tile.path, lambda data: parse_tile(data, tile))
            return tiles[tile]

        return hash_reader(size, read_tile)

    def _with_notices(self, checkpoint: Checkpoint, known: TrustRoot) -> TrustRoot:
        notices = known.notices
        if checkpoint.notices_hash != notices.hash():
            notices = self._usable(layout.notices_path(checkpoint.notices_hash), parse_notices)
        try:
            return make_trust_root(checkpoint, notices)
        except ValueError as error:
            raise self._unusable(layout.LATEST, error) from error

    def _usable(self, name: str, parse: Callable[[bytes], _T]) -> _T:
        try:
            data = self.registry.read(name)
            if data is None:
                raise self._unusable(name, "there is none")
            return parse(data)
        except VerificationError as error:
            if error.reason in {Reason.SCHEMA_NEWER, Reason.REGISTRY_UNREACHABLE}:
                raise
            raise self._unusable(name, error) from error

    def _unusable(self, name: str, why: object) -> CouldNotCheckError:
        return CouldNotCheckError(Reason.REGISTRY_UNREACHABLE, f"{self.url}: {name}: {why}")


def open_public_log(url: str) -> PublicLog:
    """The registry at `url`, which may name its trust root. Raises `CouldNotCheckError`."""
    try:
        return PublicLog(url, open_registry(url.removesuffix("/").removesuffix(f"/{layout.TRUST}")))
    except CouldNotCheckError as error:
        raise CouldNotCheckError(Reason.REGISTRY_UNREACHABLE, str(error)) from error
