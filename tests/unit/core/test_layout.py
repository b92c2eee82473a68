"""Names, types and cache rules of the registry's objects, and the two queries that name one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestlayer.encoding import sha256
from attestlayer.log import layout
from attestlayer.log.layout import QueryError, content_type, headers_of, is_immutable, rewrite_query
from attestlayer.visible import visible

HASH = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"  # SHA-256 of nothing (FIPS 180-4), in base64url


def test_names_of_objects() -> None:
    empty = sha256(b"")
    assert layout.checkpoint_path(empty) == f"v1/checkpoints/{HASH}.json"
    assert layout.entry_path(empty) == f"v1/entries/{HASH}.json"
    assert layout.inclusion_path(empty) == f"v1/proofs/inclusion/{HASH}.json"
    assert layout.policy_path(empty) == f"v1/policies/{HASH}.json"
    assert layout.notices_path(empty) == f"v1/notices/{HASH}.json"
    assert layout.consistency_path(0, 12) == "v1/proofs/consistency/0-12.json"
    assert layout.checkpoint_bundle_path(1234067) == "v1/checkpoints/bundle/x001/x234/067"


# The table of REG-1.0 section 10.
IMMUTABLE = {
    "tile/0/000": "application/octet-stream",
    "tile/1/x001/000.p/3": "application/octet-stream",
    "tile/entries/000.p/255": "application/octet-stream",
    f"v1/checkpoints/{HASH}.json": "application/json",
    "v1/checkpoints/bundle/000": "application/json",
    "v1/checkpoints/bundle/x001/000": "application/json",
    f"v1/entries/{HASH}.json": "application/json",
    f"v1/proofs/inclusion/{HASH}.json": "application/json",
    "v1/proofs/consistency/1-2.json": "application/json",
    f"v1/policies/{HASH}.json": "application/json",
    f"v1/notices/{HASH}.json": "application/json",
    f"v1/jwks/registry/{HASH}.vkey": "text/plain; charset=utf-8",
}
MUTABLE = {
    "checkpoint": "text/plain; charset=utf-8",
    "v1/checkpoints/latest.json": "application/json",
    "v1/stats": "application/json",
    "v1/trust.json": "application/json",
    "v1/jwks/registry.jwks.json": "application/jwk-set+json",
    "v1/jwks/issuer.jwks.json": "application/jwk-set+json",
    "v1/jwks/registry.vkey": "text/plain; charset=utf-8",
    "v1/policy.txt": "text/plain; charset=utf-8",
    "v1/log-list.txt": "text/plain; charset=utf-8",
    "v1/spec/REG-1.0.md": "text/markdown; charset=utf-8",
    "v1/verify-kit.zip": "application/zip",
    "index.html": "text/html; charset=utf-8",
}


@pytest.mark.parametrize("name", IMMUTABLE)
def test_immutable_objects_are_cached_for_ever(name: str) -> None:
    assert is_immutable(name)
    assert headers_of(name) == {
        "Content-Type": IMMUTABLE[name],
        "Cache-Control": "public, max-age=31536000, immutable",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize("name", MUTABLE)
def test_mutable_objects_are_cached_for_seconds(name: str) -> None:
    assert not is_immutable(name)
    assert headers_of(name)["Cache-Control"] == "public, max-age=5"
    assert content_type(name) == MUTABLE[name]


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/v1/proofs/inclusion", f"leaf_hash={HASH}", f"v1/proofs/inclusion/{HASH}.json"),
        ("/v1/proofs/consistency", "from_size=0&to_size=9", "v1/proofs/consistency/0-9.json"),
        ("/v1/proofs/consistency", "to_size=9&from_size=9", "v1/proofs/consistency/9-9.json"),
        ("/checkpoint", "x=y", "checkpoint"),
        ("/", "", ""),
    ],
)
def test_a_query_names_one_object(path: str, query: str, name: str) -> None:
    assert rewrite_query(path, query) == name


@pytest.mark.parametrize(
    "query",
    [
        "",
        "leaf_hash",
        "leaf_hash=",
        f"leaf_hash={HASH}&leaf_hash={HASH}",
        f"leaf_hash={HASH}&x=1",
        f"leaf_hash={HASH}&",
        f"&leaf_hash={HASH}",
        f"leaf_hash={HASH}=",
        f"leaf_hash={HASH[:-1]}V",
        f"leaf_hash=%34{HASH[1:]}",
        f"LEAF_HASH={HASH}",
        f"leaf_hash= {HASH}",
        f"leaf_hash={HASH}\n",
    ],
)
def test_a_spoilt_inclusion_query_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        rewrite_query("/v1/proofs/inclusion", query)


@pytest.mark.parametrize(
    "query",
    [
        "from_size=1",
        "to_size=1",
        "from_size=2&to_size=1",
        "from_size=01&to_size=2",
        "from_size=-1&to_size=2",
        "from_size=1&to_size=2&to_size=3",
        "from_size=1&to_size=9007199254740992",
        "from_size=1&to_size=2+",
        "from_size=1&to_size=%32",
        "from_size=1&to_size=٢",
        "from_size=1;to_size=2",
    ],
)
def test_a_spoilt_consistency_query_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        rewrite_query("/v1/proofs/consistency", query)


@given(st.sampled_from(["inclusion", "consistency"]), st.text(max_size=60))
def test_any_query_names_an_object_or_is_refused(kind: str, query: str) -> None:
    try:
        name = rewrite_query(f"/v1/proofs/{kind}", query)
    except QueryError as error:
        assert str(error) == visible(str(error))
        return
    assert is_immutable(name)
