"""The handler alone, with events as API Gateway makes them (HTTP API, payload version 2.0)."""

import base64
from types import SimpleNamespace
from typing import Any

import pydantic_core
import pytest

from handlers.client import LANE, PROFILE, Site
from issuer.handlers import issue, prove

# After the example event of API Gateway's developer guide, "Create Lambda proxy integrations for HTTP APIs".
EVENT: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/v1/packets",
    "rawQueryString": "",
    "cookies": ["cookie1", "cookie2"],
    "headers": {"content-type": "application/json", "idempotency-key": "k1,k2", "x-forwarded-for": "1.2.3.4"},
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "api-id",
        "authentication": None,
        "domainName": "id.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "id",
        "http": {
            "method": "POST",
            "path": "/v1/packets",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "agent",
        },
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": "$default",
        "stage": "$default",
        "time": "12/Mar/2020:19:03:58 +0000",
        "timeEpoch": 1583348638390,
    },
    "isBase64Encoded": False,
}
BODY = {"lane_id": LANE, "profile_id": PROFILE, "reference": "клиент 7"}
CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")


def event(site: Site, body: str | None = None, **changes: Any) -> dict[str, Any]:
    headers = EVENT["headers"] | {"authorization": f"Bearer {site.key}"}
    return EVENT | {"headers": headers, "body": body} | changes


def get(site: Site, path: str, **headers: str) -> dict[str, Any]:
    http = EVENT["requestContext"]["http"] | {"method": "GET", "path": path}
    context = EVENT["requestContext"] | {"http": http}
    found = event(site, rawPath=path, requestContext=context)
    found["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return issue.handler(found, CONTEXT)


def test_a_body_as_text_and_as_base64_is_the_same_request(site: Site) -> None:
    text = pydantic_core.to_json(BODY).decode()
    first = issue.handler(event(site, text), CONTEXT)
    assert first["statusCode"] == 201
    coded = base64.b64encode(text.encode()).decode()
    again = issue.handler(event(site, coded, isBase64Encoded=True), CONTEXT)
    assert again["body"] == first["body"]
    assert again["headers"]["Idempotent-Replayed"] == "true"  # type: ignore[index]
    assert pydantic_core.from_json(str(first["body"]))["reference"] == "клиент 7"


def test_a_key_with_a_comma_is_one_key(site: Site) -> None:
    text = pydantic_core.to_json(BODY).decode()
    assert issue.handler(event(site, text), CONTEXT)["statusCode"] == 201
    other = event(site, pydantic_core.to_json(BODY | {"reference": "8"}).decode())
    other["headers"] |= {"idempotency-key": "k1"}
    assert issue.handler(other, CONTEXT)["statusCode"] == 201


@pytest.mark.parametrize("body", ["", None])
def test_an_absent_body_is_missing(site: Site, body: str | None) -> None:
    found = issue.handler(event(site, body), CONTEXT)
    assert found["statusCode"] == 422


def test_base64_that_is_none_is_malformed(site: Site) -> None:
    assert issue.handler(event(site, "%%%", isBase64Encoded=True), CONTEXT)["statusCode"] == 400


def test_the_request_id_is_the_gateways_else_lambdas(site: Site) -> None:
    assert get(site, "/v1/workspace")["headers"]["Request-Id"] == "JKJaXmPLvHcESHA="
    found = event(site, requestContext={"stage": "$default", "http": {"method": "GET", "path": "/"}})
    assert issue.handler(found, CONTEXT)["headers"]["Request-Id"] == CONTEXT.aws_request_id  # type: ignore[index]
    hostile = event(site, requestContext={"requestId": "a\r\nb: c", "http": {"method": "GET"}})
    assert issue.handler(hostile, None)["headers"]["Request-Id"] == "-"  # type: ignore[index]


def test_answers_are_canonical_json(site: Site) -> None:
    body = get(site, "/v1/workspace")["body"]
    value = pydantic_core.from_json(body)
    assert list(value) == sorted(value)
    assert ": " not in body


@pytest.mark.parametrize(
    "found",
    [{}, {"requestContext": None}, {"rawPath": None, "headers": None}, {"requestContext": {"http": None}}],
)
def test_an_event_without_its_parts_is_answered(site: Site, found: dict[str, Any]) -> None:
    assert issue.handler(found, None)["statusCode"] == 404


def test_proofs_are_answered_for_an_event(site: Site) -> None:
    found = prove.handler({"rawPath": "/v1/proofs/consistency/0-0.json"}, CONTEXT)
    assert found["statusCode"] == 200
    beyond = prove.handler({"rawPath": "/v1/proofs/consistency/0-1.json"}, CONTEXT)
    assert beyond["statusCode"] == 404
    assert CONTEXT.aws_request_id in str(beyond["body"])
    assert prove.handler({}, None)["statusCode"] == 400
