"""Whatever is sent: never a 500, always a problem document or an answer."""

import secrets
from datetime import timedelta
from typing import Any

import pydantic_core
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from attestlayer.encoding import format_hash
from handlers.client import LANE, PROFILE, Site
from issuer.handlers import issue

TEXTS = st.text(max_size=30) | st.sampled_from([LANE, PROFILE, "authority", "\0", "\u2028", "a" * 300, "𝟙"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        *("lane_id", "profile_id", "reference", "cohort", "supersedes", "name", "record_type", "size"),
        *("sha256", "metadata", "client_nonce", "contacts", "tier", "contact", "workflow", "email", "role"),
    ]
)
BODIES = st.dictionaries(NAMES | TEXTS, VALUES, max_size=9)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "lane_id": st.just(LANE) | TEXTS,
        "profile_id": st.just(PROFILE) | TEXTS,
        "reference": TEXTS,
        "cohort": TEXTS,
        "name": TEXTS,
        "record_type": st.just("authority") | TEXTS,
        "size": st.integers(-1, 2**64),
        "sha256": st.binary(min_size=32, max_size=32).map(format_hash),
        "metadata": st.dictionaries(TEXTS, TEXTS, max_size=3),
        "client_nonce": TEXTS,
    },
)
SLOW = settings(
    max_examples=150,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def encoded(value: object) -> bytes:
    try:
        return pydantic_core.to_json(value, inf_nan_mode="constants")
    except (ValueError, UnicodeEncodeError):
        return ascii(value).encode()


@pytest.fixture(scope="module")
def fuzzed(server: Site) -> Site:
    return server


@SLOW
@given(body=BODIES | LIKELY | VALUES, call=st.integers(0, 6))
@example(body={"name": "\ud800"}, call=2)
def test_any_body_is_answered(fuzzed: Site, body: Any, call: int) -> None:
    packet_id = fuzzed.call("GET", "/v1/packets").json["packets"]
    chosen = packet_id[0]["packet_id"] if packet_id else fuzzed.open()
    method, path = [
        ("POST", "/v1/qualifications"),
        ("POST", "/v1/packets"),
        ("POST", f"/v1/packets/{chosen}/records"),
        ("POST", f"/v1/packets/{chosen}/issue"),
        ("PUT", "/v1/workspace/contacts"),
        ("POST", f"/v1/packets/{chosen}/check"),
        ("DELETE", f"/v1/packets/{chosen}/records/x"),
    ][call]
    got = fuzzed.call(method, path, encoded(body), Idempotency_Key=secrets.token_hex(8))
    assert got.status < 500, got
    if got.status >= 400:
        assert got.code


@SLOW
@given(data=st.binary(max_size=200))
def test_any_bytes_are_answered(fuzzed: Site, data: bytes) -> None:
    got = fuzzed.call("POST", "/v1/packets", data, Idempotency_Key="k")
    assert 400 <= got.status < 500
    assert got.code


HEADERS = ["authorization", "prefer", "accept", "idempotency-key", "content-type", "if-none-match", "cookie"]
METHODS = ["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "", "GÉT"]
PATHS = st.text(max_size=40).map(lambda text: f"/v1/packets{text}") | st.text(max_size=40)
EVENTS = st.fixed_dictionaries(
    {
        "version": st.just("2.0"),
        "rawPath": PATHS,
        "rawQueryString": st.text(max_size=40),
        "headers": st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=40)),
        "body": st.none() | st.text(max_size=40),
        "isBase64Encoded": st.booleans(),
        "requestContext": st.fixed_dictionaries(
            {
                "stage": st.just("$default"),
                "requestId": st.text(max_size=10),
                "http": st.fixed_dictionaries({"method": st.sampled_from(METHODS), "path": PATHS}),
            }
        ),
    }
)


@SLOW
@given(event=EVENTS)
def test_any_event_is_answered(fuzzed: Site, event: dict[str, Any]) -> None:
    event["headers"].setdefault("authorization", f"Bearer {fuzzed.key}")
    found = issue.handler(event, None)
    assert isinstance(found["statusCode"], int)
    assert found["statusCode"] < 500, found


@SLOW
@given(data=st.binary(max_size=400), boundary=st.sampled_from(["x", "----6d1f", "\xff", "a b"]))
@example(data=b"--x\r\n\r\n", boundary="x")
@example(data=b"--x--", boundary="x")
def test_any_form_is_answered(fuzzed: Site, data: bytes, boundary: str) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    for body in (data, head + data, b"--x\r\n" + data + b"\r\n--x--\r\n"):
        kind = {"Content-Type": f'multipart/form-data; boundary="{boundary}"'}
        got = fuzzed.raw("POST", "/uploads", body, kind)
        assert 400 <= got.status < 500, got
        assert got.code
