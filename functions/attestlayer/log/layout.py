"""The registry's objects: their names, content types and cache rules (REG-1.0 section 10).

Names have no leading slash: they are keys of a bucket and paths below a folder. A CDN or web server
adds one rule only, the rewrite of two queries to paths.
"""

import re

from attestlayer.encoding import format_hash, parse_decimal, parse_hash, shown
from attestlayer.log.tiles import format_index

CHECKPOINT = "checkpoint"
LATEST = "v1/checkpoints/latest.json"
STATS = "v1/stats"
TRUST = "v1/trust.json"
REGISTRY_JWKS = "v1/jwks/registry.jwks.json"
ISSUER_JWKS = "v1/jwks/issuer.jwks.json"
REGISTRY_VKEY = "v1/jwks/registry.vkey"
SPECIFICATION = "v1/spec/REG-1.0.md"
VERIFY_KIT = "v1/verify-kit.zip"
VERIFIER_PAGE = "verify.html"
SECURITY = ".well-known/security.txt"
NOT_FOUND_PROBLEM = "v1/problems/not-found.json"
"""What a CDN answers, with status 404, where a bucket would answer XML."""

BUNDLED = 256
"""Checkpoints in one bundle."""

INCLUSION_QUERY = "v1/proofs/inclusion"
CONSISTENCY_QUERY = "v1/proofs/consistency"

_IMMUTABLE = re.compile(
    r"tile/.+|v1/(entries|index|policies|notices)/.+|v1/proofs/.+|v1/checkpoints/(?!latest\.json$).+"
)
_TYPES = (
    ("tile/", "application/octet-stream"),
    ("v1/problems/", "application/problem+json"),
    (CHECKPOINT, "text/plain; charset=utf-8"),
    (REGISTRY_VKEY, "text/plain; charset=utf-8"),
    (SPECIFICATION, "text/markdown; charset=utf-8"),
    (STATS, "application/json"),
)
_SUFFIXES = {
    "jwks.json": "application/jwk-set+json",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "svg": "image/svg+xml",
    "zip": "application/zip",
    "woff2": "font/woff2",
}
MUTABLE_MAX_AGE_S = 5

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What the site's pages may load: their own files, nothing inline. The verifier's page, one file with
everything in it, states a policy of its own."""


class QueryError(ValueError):
    """A proof query that is not one spelling of one object: 400, with the reason."""


def checkpoint_path(checkpoint_hash: bytes) -> str:
    """The object of one checkpoint."""
    return f"v1/checkpoints/{format_hash(checkpoint_hash)}.json"


def checkpoint_bundle_path(number: int) -> str:
    """The bundle of checkpoints 256·number … 256·number + 255."""
    return f"v1/checkpoints/bundle/{format_index(number)}"


def entry_path(leaf_hash: bytes) -> str:
    """The leaf record of one leaf."""
    return f"v1/entries/{format_hash(leaf_hash)}.json"


def inclusion_path(leaf_hash: bytes) -> str:
    """The registry receipt of one leaf."""
    return f"v1/proofs/inclusion/{format_hash(leaf_hash)}.json"


def consistency_path(from_size: int, to_size: int) -> str:
    """The consistency proof between two sizes."""
    return f"v1/proofs/consistency/{from_size}-{to_size}.json"


def policy_path(intake_policy_hash: bytes) -> str:
    """The object of an intake policy, by the hash of its canonical bytes."""
    return f"v1/policies/{format_hash(intake_policy_hash)}.json"


def notices_path(notices_hash: bytes) -> str:
    """The object of a notices document, by its hash."""
    return f"v1/notices/{format_hash(notices_hash)}.json"


def index_path(level: int, number: int, shard: int) -> str:
    """One shard of a segment of the look-up index."""
    return f"v1/index/{level}/{format_index(number)}/{format_index(shard)}"


def is_immutable(name: str) -> bool:
    """Whether an object never changes once it is there."""
    return _IMMUTABLE.fullmatch(name) is not None


def headers_of(name: str) -> dict[str, str]:
    """The response headers of an object."""
    caching = "public, max-age=31536000, immutable" if is_immutable(name) else _mutable_caching()
    headers = {
        "Content-Type": content_type(name),
        "Cache-Control": caching,
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    if name.endswith(".html"):
        headers["Referrer-Policy"] = "no-referrer"
        headers["Content-Security-Policy"] = (
            "frame-ancestors 'none'" if name == VERIFIER_PAGE else PAGE_POLICY
        )
    return headers


def content_type(name: str) -> str:
    """The media type of an object, from its name."""
    for start, kind in _TYPES:
        if name == start or (start.endswith("/") and name.startswith(start)):
            return kind
    if name.startswith("v1/checkpoints/bundle/"):
        return "application/json"
    for suffix, kind in _SUFFIXES.items():
        if name.endswith(f".{suffix}"):
            return kind
    return "application/octet-stream"


def _mutable_caching() -> str:
    return f"public, max-age={MUTABLE_MAX_AGE_S}"


def rewrite_query(path: str, query: str) -> str:
    """The object that a proof query asks for; `path` and `query` as they stand in the URL.

    Every accepted spelling names one object: parameters in either order, nothing encoded, nothing
    twice. Raises `QueryError` otherwise. Any other path is its own object, whatever its query.
    """
    name = path.removeprefix("/")
    if name == INCLUSION_QUERY:
        (leaf_hash,) = _parameters(query, "leaf_hash")
        try:
            return inclusion_path(parse_hash(leaf_hash))
        except ValueError as error:
            raise QueryError(f"leaf_hash: {error}") from error
    if name == CONSISTENCY_QUERY:
        sizes = _parameters(query, "from_size", "to_size")
        try:
            from_size, to_size = (parse_decimal(size) for size in sizes)
        except ValueError as error:
            raise QueryError(str(error)) from error
        if from_size > to_size:
            raise QueryError(f"from_size {from_size} is larger than to_size {to_size}")
        return consistency_path(from_size, to_size)
    return name


def _parameters(query: str, *names: str) -> tuple[str, ...]:
    values: dict[str, str] = {}
    for part in query.split("&") if query else []:
        name, equals, value = part.partition("=")
        if not equals or name in values or name not in names:
            wanted = " and ".join(names)
            raise QueryError(f"parameter {shown(name)} is unknown, repeated or has no value; wanted {wanted}")
        values[name] = value
    if missing := [name for name in names if name not in values]:
        raise QueryError(f"parameter {', '.join(missing)} is missing")
    return tuple(values[name] for name in names)
