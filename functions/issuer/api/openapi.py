"""OpenAPI 3.1 from the code: parameters and bodies by Powertools, answers and errors from the table."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pydantic_core
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server
from pydantic.json_schema import models_json_schema

from attestlayer.canonical import format_json
from issuer.api.call import JSON
from issuer.api.endpoints import Endpoint
from issuer.api.shapes import Problem, Shape
from issuer.problem import CONTENT_TYPE

TITLE = "AttestLayer partner API"
VERSION = "1"

_SCHEMAS = "#/components/schemas/"
_KEY = "api_key"
_FOREIGN = "ValidationError"
"""How the names of Powertools' own error schemas end, which are not answered here."""
_PHRASES = {200: "Done", 201: "Made", 202: "Accepted", 204: "Done", 303: "At the address in Location"}
_DESCRIPTION = (
    "Errors are problem documents (RFC 9457): `code` is stable, `errors` names each value by JSON pointer. "
    "Unknown members of a body and unknown query parameters are refused. Every answer has a Request-Id. "
    "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."
)

_Tree = dict[str, Any]


def describe(endpoint: Endpoint) -> _Tree:
    """What Powertools is told of a call beside its function."""
    summary, _, rest = (endpoint.function.__doc__ or "").strip().partition(". ")
    return {
        "summary": summary.rstrip("."),
        "description": rest or summary,
        "operation_id": endpoint.function.__name__,
        "tags": [endpoint.path.split("/")[2].removesuffix(".json")],
        "security": [{_KEY: []}] if endpoint.scope else None,
    }


def format_openapi(resolver: APIGatewayHttpResolver, endpoints: Sequence[Endpoint]) -> str:
    """The description as canonical JSON."""
    scheme = HTTPBearer(description="`al_live_…` or `al_test_…`", bearerFormat="al_live_…")
    text = resolver.get_openapi_json_schema(
        title=TITLE,
        version=VERSION,
        description=_DESCRIPTION,
        servers=[Server(url="/")],
        security_schemes={_KEY: scheme},
    )
    document: _Tree = _with_integers(pydantic_core.from_json(text))
    shapes = {shape for each in endpoints for shape in each.answers.values() if shape} | {Problem}
    _, definitions = models_json_schema(
        [(shape, "serialization") for shape in sorted(shapes, key=lambda shape: shape.__name__)],
        ref_template=f"{_SCHEMAS}{{model}}",
    )
    schemas = document["components"]["schemas"]
    ours = {name: schema for name, schema in schemas.items() if not name.endswith(_FOREIGN)}
    document["components"]["schemas"] = ours | definitions["$defs"]
    for endpoint in endpoints:
        path = endpoint.path.replace("<", "{").replace(">", "}")
        _complete(document["paths"][path][endpoint.method.lower()], endpoint)
    return format_json(document).decode("utf-8")


def _with_integers(value: Any) -> Any:
    """Powertools writes every bound as a float, which canonical JSON has not."""
    if isinstance(value, dict):
        return {name: _with_integers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_integers(item) for item in value]
    return int(value) if isinstance(value, float) else value


def _complete(operation: _Tree, endpoint: Endpoint) -> None:
    """Put in the answers, the errors, and the headers that the call reads."""
    for name, text in endpoint.headers.items():
        header: _Tree = {"name": name, "in": "header", "schema": {"type": "string"}, "description": text}
        header["required"] = name == "Idempotency-Key"
        operation.setdefault("parameters", []).append(header)
    operation["responses"] = {
        str(status): _success(endpoint, status, shape) for status, shape in endpoint.answers.items()
    } | _errors(endpoint)


def _success(endpoint: Endpoint, status: int, shape: type[Shape] | None) -> _Tree:
    found: _Tree = {"description": _PHRASES[status]}
    if shape is not None:
        found["content"] = {JSON: {"schema": {"$ref": _SCHEMAS + shape.__name__}}}
        found["content"] |= {kind: {"schema": {"type": "string"}} for kind in endpoint.also}
    return found


def _errors(endpoint: Endpoint) -> _Tree:
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in endpoint.all_codes:
        by_status[code.status].append(f"`{code.word}`: {code.title}")
    content = {CONTENT_TYPE: {"schema": {"$ref": _SCHEMAS + Problem.__name__}}}
    return {
        str(status): {"description": "; ".join(texts), "content": content}
        for status, texts in sorted(by_status.items())
    }
