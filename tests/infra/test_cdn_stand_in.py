"""The CDN's stand-in, made from the template: one entry an object, fail-over, pages, how long errors stay."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import cdn
import pytest
from botocore.exceptions import ClientError
from template import load_template

from attestlayer.encoding import format_hash, sha256
from attestlayer.log import layout
from support.serving import running
from support.tools import require

LEAF = format_hash(sha256(b"a leaf"))
PROBLEM = b'{"code":"not-found"}'


class Bucket:
    """Objects as S3's client gives them."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        del Bucket
        if Key not in self.objects:
            answer: Any = {"Error": {"Code": "NoSuchKey"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
            raise ClientError(answer, "GetObject")
        headers = layout.headers_of(Key)
        return {
            "ContentType": headers["Content-Type"],
            "CacheControl": headers["Cache-Control"],
            "ETag": '"x"',
            "Body": BytesIO(self.objects[Key]),
        }


class Proofs:
    """What the function `prove` answers."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        del FunctionName
        known = b"/v1/proofs/consistency/3-8.json" in Payload
        body = '{"statusCode":200,"headers":{"Cache-Control":"public, max-age=31536000"},"body":"proof"}'
        lost = '{"statusCode":404,"headers":{},"body":"beyond"}'
        return {"Payload": BytesIO((body if known else lost).encode())}


@pytest.fixture
def made() -> Iterator[cdn.Distribution]:
    require("node")
    objects = {
        "checkpoint": b"note",
        "index.html": b"<p>",
        layout.VERIFIER_PAGE: b"<script>",
        f"v1/proofs/inclusion/{LEAF}.json": b"receipt",
        "v1/proofs/consistency/0-3.json": b"stored",
        layout.NOT_FOUND_PROBLEM: PROBLEM,
    }
    distribution = cdn.Distribution(load_template(), Bucket(objects), "bucket", cdn.Prove(Proofs(), "prove"))
    yield distribution
    distribution.close()


def get(made: cdn.Distribution, path: str, query: str | None = None, method: str = "GET") -> cdn.Answer:
    return made.answer(method, path, query, "req_1")


def test_every_spelling_of_a_query_is_one_entry(made: cdn.Distribution) -> None:
    for path, query in (
        ("/v1/proofs/inclusion", f"leaf_hash={LEAF}"),
        (f"/v1/proofs/inclusion/{LEAF}.json", None),
        (f"/v1/proofs/inclusion/{LEAF}.json", "leaf_hash=another"),
    ):
        assert get(made, path, query).body == b"receipt"
    assert made.asked == [f"objects /v1/proofs/inclusion/{LEAF}.json"]


def test_a_refused_query_reaches_no_origin(made: cdn.Distribution) -> None:
    for query in (
        None,
        "",
        f"leaf_hash={LEAF}&leaf_hash={LEAF}",
        f"Leaf_hash={LEAF}",
        f"leaf_hash=%41{LEAF[1:]}",
    ):
        assert get(made, "/v1/proofs/inclusion", query).status == 400
    assert get(made, "/v1/proofs/consistency", "from_size=8&to_size=3").status == 400
    assert made.asked == []


def test_a_stored_proof_comes_from_the_bucket_and_another_from_the_function_once(
    made: cdn.Distribution,
) -> None:
    assert get(made, "/v1/proofs/consistency", "from_size=0&to_size=3").body == b"stored"
    for _ in range(2):
        assert get(made, "/v1/proofs/consistency", "to_size=8&from_size=3").body == b"proof"
    path = "/v1/proofs/consistency/3-8.json"
    assert made.asked == ["objects /v1/proofs/consistency/0-3.json", f"objects {path}", f"prove {path}"]


@pytest.mark.parametrize("path", ["/v1/entries/none.json", "/v1/proofs/consistency/3-9.json", "/tile/0/001"])
def test_what_is_missing_is_a_problem_document_for_five_seconds(made: cdn.Distribution, path: str) -> None:
    found = get(made, path)
    assert (found.status, found.body) == (404, PROBLEM)
    assert found.headers["Content-Type"] == "application/problem+json"
    assert found.headers["Cache-Control"] == "public, max-age=5"
    assert made._kept(found) == 5


def test_what_changes_is_kept_for_five_seconds_and_the_rest_for_a_year(made: cdn.Distribution) -> None:
    assert made._kept(get(made, "/checkpoint")) == 5
    assert made._kept(get(made, f"/v1/proofs/inclusion/{LEAF}.json")) == 31_536_000


def test_every_answer_of_an_object_has_the_policy_s_headers(made: cdn.Distribution) -> None:
    headers = get(made, "/").headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_verifier_s_page_may_run_the_script_that_is_in_it(made: cdn.Distribution) -> None:
    assert get(made, "/verify.html").headers["Content-Security-Policy"] == "frame-ancestors 'none'"


@pytest.mark.parametrize(("path", "policy"), [("/", "Headers"), ("/verify.html", "VerifierHeaders")])
def test_headers_as_served_are_those_that_the_template_says(
    made: cdn.Distribution, path: str, policy: str
) -> None:
    with running(cdn.serve(made, 0)) as url, urlopen(url + path, timeout=30) as answer:
        served = answer.headers
    config = load_template()["Resources"][policy]["Properties"]["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    assert served["Content-Security-Policy"] == security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert served["Referrer-Policy"] == security["ReferrerPolicy"]["ReferrerPolicy"]
    assert served["X-Frame-Options"] == security["FrameOptions"]["FrameOption"]
    assert [served["Access-Control-Allow-Origin"]] == config["CorsConfig"]["AccessControlAllowOrigins"][
        "Items"
    ]
    name = path.removeprefix("/") or "index.html"
    assert layout.headers_of(name).items() <= dict(served).items(), "the local server gives others"


def test_methods_that_write_are_refused_before_the_function(made: cdn.Distribution) -> None:
    assert get(made, "/checkpoint", method="POST").status == 403
    assert get(made, "/checkpoint", method="OPTIONS").status == 204
    assert made.asked == []


def test_the_problem_is_among_what_is_published(tmp_path: Path) -> None:
    from issuer.bootstrap.home import initialise_home
    from issuer.settings import Settings

    service = initialise_home(Settings(tmp_path / "home"), "registry.test")
    problem = service.public.read(layout.NOT_FOUND_PROBLEM)
    assert problem is not None
    assert b'"status":404' in problem
