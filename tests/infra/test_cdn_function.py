"""The CDN's function gives the very answers of the local server, and no trick gets another object's."""

import random
import re
from pathlib import Path
from typing import Any

import pytest

from attestlayer.encoding import MAX_INTEGER, format_hash, sha256
from attestlayer.log import layout
from issuer.adapters.local.directory import DirectoryStore
from issuer.errors import ServiceError
from issuer.local.static import METHODS, StaticRequest, answer_static, object_name
from support.edge import FUNCTION, Viewed, run_njs, run_node

LIMIT = 10 * 1024
"""Bytes of code that CloudFront takes for one function."""

LEAF = format_hash(sha256(b"a leaf"))
OTHER = format_hash(sha256(b"another leaf"))
INCLUSION = "/v1/proofs/inclusion"
CONSISTENCY = "/v1/proofs/consistency"
REQUEST_ID = "req_01"

_HASHES = (
    LEAF,
    OTHER,
    LEAF + "=",
    LEAF[:-1],
    LEAF + "A",
    LEAF[:-1] + "B",  # two spare bits that are not zero
    LEAF.swapcase(),
    LEAF.replace(LEAF[3], "+", 1),
    LEAF.replace(LEAF[3], "/", 1),
    "%41" + LEAF[1:],
    LEAF[:42] + "%41",
    " " + LEAF,
    LEAF + "%00",
    LEAF + "\n",
    LEAF + "'",
    LEAF + "\"'",
    "é" * 43,
    "A" * 43,
    "",
    "null",
    "__proto__",
)
_SIZES = (
    *("0", "1", "8", "9", "10", "255", "256", "00", "01", "-1", "+1", "1.0", "1e3", " 1", "1 ", "0x1", "4_2"),
    *("٤٢", "%31", "1%20", "", "NaN", "Infinity", "true", "1,2", "1;2", "__proto__", "constructor"),
    *(str(MAX_INTEGER), str(MAX_INTEGER + 1), str(MAX_INTEGER + 2), "9" * 16, "9" * 17, "9" * 19, "9" * 400),
)
_NAMES = (
    *(
        "leaf_hash",
        "from_size",
        "to_size",
        "Leaf_hash",
        "LEAF_HASH",
        "leaf%5Fhash",
        "leaf_hash[]",
        "leaf-hash",
    ),
    *("", "utm_source", "__proto__", "constructor", "toString", "length", "0", "1", "From_size", "to_size "),
)
_SEPARATORS = ("&&", ";", "%26", "&amp;", "?", "#", "\n")
_PATHS = (
    INCLUSION,
    CONSISTENCY,
    f"{INCLUSION}/",
    f"{CONSISTENCY}/",
    f"{INCLUSION}/{LEAF}.json",
    f"{CONSISTENCY}/3-8.json",
    f"{CONSISTENCY}/8-3.json",
    f"{CONSISTENCY}/03-8.json",
    "/v1/proofs//inclusion",
    "/v1//proofs/inclusion",
    "//v1/proofs/inclusion",
    "/v1/proofs/./inclusion",
    "/v1/x/../proofs/inclusion",
    "/v1/proofs/.../inclusion",
    "/v1/proofs/inclusion%2f",
    "/v1/proofs/%69nclusion",
    "/v1/Proofs/inclusion",
    "/V1/PROOFS/INCLUSION",
    "/v1/proofs/inclusion\n",
    "/v1/stats\n",
    "/v1/stats\n/",
    "/v1/proofs/inclusion;x=1",
    "/v1/proofs/inclusion\\",
    "/",
    "",
    "//",
    "/pages/",
    "/checkpoint",
    "/v1/stats",
    "/tile/0/x001/067.p/3",
    "/tile/../checkpoint",
    "/%2e%2e/checkpoint",
    "/..%2fcheckpoint",
    "/v1/caf\u00e9",
    "/v1/\u65e5\U0001f600",
    "/v1/it's",
    '/v1/it\'s "so"',
    "/v1/\x00\x01\x7f\t\r\n\\",
    "/" + "a" * 255,
    "/" + "a" * 256,
    "/" + "a/" * 511 + "ab",
    "/" + "a/" * 512 + "ab",
    "/" + "a/" * 512,
    "/" + "\u00e9" * 300,
)
_METHODS = (*METHODS, "POST", "PUT", "DELETE", "get", "TRACE")


def corpus() -> list[Viewed]:
    """Every path with every method; proof queries whole, damaged, doubled, reordered, as generated."""
    chance = random.Random(1847)
    requests = [
        Viewed(method, path, query) for path in _PATHS for method in _METHODS for query in (None, "x=1")
    ]
    requests += [Viewed("GET", INCLUSION, f"leaf_hash={value}") for value in _HASHES]
    for first in _SIZES:
        for second in _SIZES:
            requests.append(Viewed("GET", CONSISTENCY, f"from_size={first}&to_size={second}"))
            requests.append(Viewed("GET", CONSISTENCY, f"to_size={second}&from_size={first}"))
    for path in (INCLUSION, CONSISTENCY, "/v1/stats", "/checkpoint"):
        requests += [Viewed("GET", path, query) for query in (None, "", "&", "=", "?", "#", "%", "=&=")]
        requests += [Viewed("GET", path, _query(chance)) for _ in range(3_000)]
    return requests


def _query(chance: random.Random) -> str:
    query = ""
    for number in range(chance.randint(1, 4)):
        query += ("&" if chance.random() < 0.8 else chance.choice(_SEPARATORS)) if number else ""
        query += chance.choice(_NAMES[:3] if chance.random() < 0.9 else _NAMES)
        if chance.random() < 0.95:
            query += "=" + chance.choice(chance.choice((_HASHES[:2], _SIZES[:7], _HASHES, _SIZES)))
    return query


CORPUS = corpus()


def local_answer(public: DirectoryStore, viewed: Viewed) -> dict[str, Any]:
    """What the local server does, in the shape of the edge: another name, or an answer."""
    query = viewed.query or ""
    if viewed.method in ("GET", "HEAD"):
        try:
            return {"uri": f"/{object_name(viewed.path, query)}"}
        except ServiceError:
            pass
    answer = answer_static(public, StaticRequest(viewed.method, viewed.path, query, "", REQUEST_ID))
    assert isinstance(answer.body, bytes)
    body = "" if viewed.method == "HEAD" else answer.body.decode()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {"status": answer.status, "headers": headers, "body": body}


def edge_answer(returned: dict[str, Any]) -> dict[str, Any]:
    """What the function returned: a request that goes on, or an answer."""
    if "statusCode" not in returned:
        assert returned["querystring"] == {}
        return {"uri": returned["uri"]}
    headers = {name: field["value"] for name, field in returned["headers"].items()}
    body = returned.get("body", {"encoding": "text", "data": ""})
    assert body["encoding"] == "text"
    return {"status": returned["statusCode"], "headers": headers, "body": body["data"]}


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("empty")
    store = DirectoryStore(folder / "registry", state=folder / "state")
    return [local_answer(store, viewed) for viewed in CORPUS]


@pytest.fixture(scope="module")
def node() -> list[dict[str, Any]]:
    return run_node(CORPUS, REQUEST_ID)


def test_under_node_every_answer_is_the_local_server_s(
    wanted: list[dict[str, Any]], node: list[dict[str, Any]]
) -> None:
    _compare(wanted, node)


def test_under_njs_every_answer_is_the_local_server_s(wanted: list[dict[str, Any]], tmp_path: Path) -> None:
    _compare(wanted, run_njs(CORPUS, REQUEST_ID, tmp_path))


def _compare(wanted: list[dict[str, Any]], returned: list[dict[str, Any]]) -> None:
    assert len(returned) == len(wanted)
    for viewed, local, edge in zip(CORPUS, wanted, returned, strict=True):
        assert edge_answer(edge) == local, viewed


def test_the_corpus_has_every_kind_of_answer(wanted: list[dict[str, Any]]) -> None:
    statuses = [answer.get("status", 200) for answer in wanted]
    assert min(statuses.count(status) for status in (200, 204, 400, 404, 405)) > 20
    proofs = [a for v, a in zip(CORPUS, wanted, strict=True) if v.path in (INCLUSION, CONSISTENCY)]
    assert sum("uri" in answer for answer in proofs) > 100


def test_what_goes_on_is_one_object_s_only_spelling(node: list[dict[str, Any]]) -> None:
    """The cache key is the path alone: it must name one object, and the function must leave it as it is."""
    names = {edge["uri"] for edge in node if "statusCode" not in edge}
    assert all(re.fullmatch(r"(/[A-Za-z0-9._-]{1,255})+", name) for name in names)
    again = run_node([Viewed("GET", name, "leaf_hash=x&from_size=1") for name in sorted(names)], REQUEST_ID)
    for name, edge in zip(sorted(names), again, strict=True):
        bare = name in (INCLUSION, CONSISTENCY)
        assert edge.get("statusCode") == (400 if bare else None)
        assert bare or edge["uri"] == name


def test_a_proof_query_names_the_object_of_just_these_values(node: list[dict[str, Any]]) -> None:
    for viewed, edge in zip(CORPUS, node, strict=True):
        if viewed.path in (INCLUSION, CONSISTENCY) and "statusCode" not in edge:
            values = dict(part.split("=", 1) for part in (viewed.query or "").split("&"))
            if viewed.path == INCLUSION:
                assert edge["uri"] == f"{INCLUSION}/{values['leaf_hash']}.json"
            else:
                assert edge["uri"] == f"{CONSISTENCY}/{values['from_size']}-{values['to_size']}.json"
            assert layout.is_immutable(edge["uri"].removeprefix("/"))


def test_the_function_keeps_to_the_runtime_s_limits() -> None:
    source = FUNCTION.read_text(encoding="utf-8")
    code = re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)
    assert len(source.encode()) <= LIMIT
    assert not re.search(r"\b(require|import|export|eval|Function|async|await|class)\b", code)
    assert not re.search(r"\b(Date|Math|setTimeout|setInterval|fetch|process|console)\b", code)
