"""OpenAPI 3.1 from the table of endpoints and pydantic's models."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from attestlayer.canonical import format_json
from issuer.api.call import JSON
from issuer.api.routing import Endpoint
from issuer.api.shapes import Problem, Shape
from issuer.problem import CONTENT_TYPE

TITLE = "AttestLayer partner API"
VERSION = "1"

_SCHEMAS = "#/components/schemas/"
_KEY = "api_key"
_KEYS = {
    _KEY: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "al_live_…",
        "description": "`al_live_…` or `al_test_…`",
    }
}
_PHRASES = {200: "Done", 201: "Made", 202: "Accepted", 204: "Done", 303: "At the address in Location"}
_DESCRIPTION = (
    "Errors are problem documents (RFC 9457): `code` is stable, `errors` names each value by JSON pointer. "
    "Unknown members of a body and unknown query parameters are refused. Every answer has a Request-Id. "
    "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."
)

_Tree = dict[str, Any]


def format_openapi(endpoints: Sequence[Endpoint]) -> str:
    """The description as canonical JSON."""
    paths: dict[str, _Tree] = defaultdict(dict)
    for endpoint in endpoints:
        path = endpoint.path.replace("<", "{").replace(">", "}")
        paths[path][endpoint.method.lower()] = _operation(endpoint)
    document = {
        "openapi": "3.1.0",  # its schemas are JSON Schema 2020-12, which is what pydantic writes
        "info": {"title": TITLE, "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": _schemas(endpoints), "securitySchemes": _KEYS},
    }
    return format_json(document).decode("utf-8")


def _schemas(endpoints: Sequence[Endpoint]) -> _Tree:
    """Every body, answer and the problem document, by name."""
    bodies = {endpoint.body for endpoint in endpoints if endpoint.body}
    answers = {shape for endpoint in endpoints for shape in endpoint.answers.values() if shape}
    # Of a body the schema says what is accepted, of an answer what is sent: defaults make them differ.
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(body, "validation") for body in bodies]
    models += [(shape, "serialization") for shape in answers | {Problem}]
    _, schemas = models_json_schema(models, ref_template=f"{_SCHEMAS}{{model}}")
    definitions: _Tree = schemas["$defs"]
    return definitions


def _operation(endpoint: Endpoint) -> _Tree:
    # A docstring of an endpoint's function is text for partners: its first sentence, and the rest.
    summary, _, rest = (endpoint.function.__doc__ or "").strip().partition(". ")
    operation: _Tree = {
        "summary": summary.rstrip("."),
        "description": rest or summary,
        "operationId": endpoint.function.__name__,
        "tags": [endpoint.path.split("/")[2].removesuffix(".json")],
        "responses": {str(status): _success(endpoint, status) for status in endpoint.answers}
        | _errors(endpoint),
    }
    if endpoint.scope:
        # OpenAPI's Security Requirement Object; without the member a call is public.
        operation["security"] = [{_KEY: []}]
    if parameters := _parameters(endpoint):
        operation["parameters"] = parameters
    if endpoint.body:
        schema = {"$ref": _SCHEMAS + endpoint.body.__name__}
        operation["requestBody"] = {"content": {JSON: {"schema": schema}}, "required": True}
    return operation


def _parameters(endpoint: Endpoint) -> list[_Tree]:
    """Variable parts of the path, parameters of the query, headers."""
    parameters: list[_Tree] = [
        {"name": name, "in": "path", "required": True, "schema": {"title": _title(name), "type": "string"}}
        for name in endpoint.pattern.groupindex
    ]
    for name, adapter in endpoint.query.items():
        # No default is not a default of null: a query can't send null.
        schema = adapter.json_schema() | {"title": _title(name)}
        if (default := endpoint.default(name)) is not None:
            schema["default"] = default
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": schema["description"],
                "schema": schema,
            }
        )
    for name, text in endpoint.headers.items():
        parameters.append(
            {
                "name": name,
                "in": "header",
                "required": name == "Idempotency-Key",
                "description": text,
                "schema": {"type": "string"},
            }
        )
    return parameters


def _title(name: str) -> str:
    return name.replace("_", " ").title()


def _success(endpoint: Endpoint, status: int) -> _Tree:
    response: _Tree = {"description": _PHRASES[status]}
    shape: type[Shape] | None = endpoint.answers[status]
    if shape is not None:
        content: _Tree = {JSON: {"schema": {"$ref": _SCHEMAS + shape.__name__}}}
        response["content"] = content | {kind: {"schema": {"type": "string"}} for kind in endpoint.also}
    return response


def _errors(endpoint: Endpoint) -> _Tree:
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in endpoint.all_codes:
        by_status[code.status].append(f"`{code.word}`: {code.title}")
    content = {CONTENT_TYPE: {"schema": {"$ref": _SCHEMAS + Problem.__name__}}}
    return {
        str(status): {"description": "; ".join(texts), "content": content}
        for status, texts in sorted(by_status.items())
    }
