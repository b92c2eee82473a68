"""The description of the API: it says what the table of calls says, and what the calls answer."""

import re

from handlers.client import Site
from issuer.api.endpoints import ENDPOINTS


def test_every_call_is_described_with_its_answers_errors_and_security(site: Site) -> None:
    got = site.raw("GET", "/v1/openapi.json")
    assert got.headers["Content-Type"] == "application/json"
    document = got.json
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, calls in document["paths"].items() for method in calls}
    wanted = {(each.method, re.sub(r"<(\w+)>", r"{\1}", each.path)) for each in ENDPOINTS}
    assert described == wanted
    for endpoint in ENDPOINTS:
        path = re.sub(r"<(\w+)>", r"{\1}", endpoint.path)
        call = document["paths"][path][endpoint.method.lower()]
        assert call["summary"]
        assert ("security" in call) == (endpoint.scope is not None)
        statuses = {str(status) for status in endpoint.answers}
        assert set(call["responses"]) == statuses | {str(code.status) for code in endpoint.all_codes}
        names = {each["name"] for each in call.get("parameters", [])}
        assert names == set(re.findall(r"{(\w+)}", path)) | set(endpoint.query) | set(endpoint.headers)


def test_no_reference_hangs_in_the_air(site: Site) -> None:
    text = site.raw("GET", "/v1/openapi.json").body.decode()
    document = site.raw("GET", "/v1/openapi.json").json
    schemas = document["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert used <= set(schemas)
    assert set(schemas) - used == set()


def test_bodies_refuse_unknown_members_in_the_description_too(site: Site) -> None:
    schemas = site.raw("GET", "/v1/openapi.json").json["components"]["schemas"]
    bodies = [schema for name, schema in schemas.items() if name.endswith("Body")]
    assert len(bodies) == 6
    assert all(schema["additionalProperties"] is False for schema in bodies)
