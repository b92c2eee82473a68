"""Requests that can't be read, or whose values are not valid: what is told, over HTTP."""

import pytest

from handlers.client import PACKET, Site, open_with


@pytest.mark.parametrize(
    "sent",
    [
        *(b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":1.5}', b'{"a":-1}'),
        *('{"a":"é"}'.encode("latin-1"), '{"a":1}'.encode("utf-16")),
        *(b'{"a":"\\ud800"}', b'{"a":' + b"9" * 5000 + b"}", b"[" * 500, b'{"a":' * 30 + b"1" + b"}" * 30),
        *(b"{} {}", '{"ä":1}'.encode(), b'{"a":1e400}', b"{'a':1}"),
    ],
)
def test_a_body_that_is_no_json_object_is_malformed(site: Site, sent: bytes) -> None:
    got = open_with(site, sent)
    assert (got.status, got.code) == (400, "malformed-request")
    assert "JSON" in got.detail


def test_a_body_of_another_media_type_is_malformed(site: Site) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
        got = open_with(site, b"{}", **{"Content-Type": kind})
        assert (got.status, got.code) == (400, "malformed-request")
        assert "application/json" in got.detail


def test_a_charset_beside_the_media_type_is_taken(site: Site) -> None:
    assert open_with(site, PACKET, **{"Content-Type": "application/json; charset=UTF-8"}).status == 201


def test_a_missing_idempotency_key_is_refused(site: Site) -> None:
    got = site.call("POST", "/v1/packets", PACKET)
    assert (got.status, got.code) == (400, "idempotency-key-missing")
    assert open_with(site, PACKET, Idempotency_Key=" ").code == "idempotency-key-missing"
    issue = f"/v1/packets/{site.open()}/issue"
    assert site.call("POST", issue, {"client_nonce": "x"}).code == "idempotency-key-missing"


@pytest.mark.parametrize("key", ["a b", "ä", "k" * 256])
def test_an_idempotency_key_of_another_form_is_refused(site: Site, key: str) -> None:
    got = open_with(site, PACKET, Idempotency_Key=key.encode().decode("latin-1"))
    assert (got.status, got.code) == (400, "malformed-request")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/packets", "GET, POST"),
        ("PATCH", "/v1/packets/x", "DELETE, GET"),
        ("GET", "/v1/qualifications", "POST"),
        ("HEAD", "/v1/workspace", "GET"),
        ("OPTIONS", "/v1/openapi.json", "GET"),
        ("GET", "/uploads", "POST"),
        ("POST", "/downloads/x", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_405_with_those_that_are_right(
    site: Site, method: str, path: str, allowed: str
) -> None:
    got = site.call(method, path)
    assert (got.status, got.headers["Allow"]) == (405, allowed)
    if method != "HEAD":
        assert got.code == "method-not-allowed"


@pytest.mark.parametrize("name", ["%22x%22", "a%0Ab", "%E2%80%A8", "^`{|}", "%23", "%3F"])
def test_a_name_of_any_characters_is_looked_for_and_not_found(site: Site, name: str) -> None:
    for path in (f"/v1/packets/{name}", f"/v1/packets/{name}/kit", f"/v1/lanes/{name}/x"):
        got = site.call("GET", path)
        assert (got.status, got.code) == (404, "not-found")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/lane_id", "missing"),
        (PACKET | {"lane_id": ""}, "/lane_id", "string-too-short"),
        (PACKET | {"lane_id": 1}, "/lane_id", "string-type"),
        (PACKET | {"lane_id": None}, "/lane_id", "string-type"),
        (PACKET | {"reference": "x" * 201}, "/reference", "string-too-long"),
        (PACKET | {"labels": []}, "/labels", "extra-forbidden"),
        (PACKET | {"a/b~": 1}, "/a~1b~0", "extra-forbidden"),
        (PACKET | {"cohort": ["x"]}, "/cohort", "string-type"),
    ],
)
def test_a_value_that_is_not_valid_is_pointed_at(site: Site, body: object, pointer: str, code: str) -> None:
    got = open_with(site, body)
    assert (got.status, got.code) == (422, "invalid-request")
    assert (pointer, code) in [(each["pointer"], each["code"]) for each in got.json["errors"]]
    assert all(each["detail"] and each["fix"] for each in got.json["errors"])
    assert site.call("GET", "/v1/packets").json["packets"] == []


def test_a_kit_that_supersedes_an_unknown_one_is_not_valid(site: Site) -> None:
    got = open_with(site, PACKET | {"supersedes": "kit_0"})
    assert (got.status, got.code) == (422, "invalid-request")
    assert "kit_0" in got.detail
