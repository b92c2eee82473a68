"""From a request to a function: an endpoint's path, the arguments it takes, and what is wrong with them."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from attestlayer.canonical import Json
from attestlayer.encoding import shown
from issuer.api.shapes import Body, Shape
from issuer.errors import Code, Fault, ServiceError
from issuer.model import Answer
from issuer.problem import MethodNotAllowedError
from issuer.services.workspace import READ

OPENAPI_PATH = "/v1/openapi.json"

_BODY = "body"
_PARAMETERS_MAX = 20
_FOR_ALL = (Code.MALFORMED_REQUEST, Code.INTERNAL, Code.STORAGE_FAILED)

_FIXES = {
    "missing": "Add it.",
    "extra_forbidden": "Remove it: it is not known here.",
    "string_too_long": "Shorten it.",
    "string_too_short": "Give it a value.",
}
_FIX = f"Send a value as {OPENAPI_PATH} describes it."
_FAULTS_MAX = 20

_Error = Mapping[str, Any]
"""One of pydantic's: `type`, `loc`, `msg`, `input`."""
_NO_BODY: _Error = {"type": "missing", "loc": (), "msg": ""}


@dataclass(frozen=True)
class Endpoint:
    """One call of the API. `scope` None: public. `answers` by status: the JSON's shape, None for no JSON.

    `function` takes the `Call` and then, by name: the variable parts of `path` as they were sent, `body`, and
    for the rest parameters of the query, all of them optional. The annotations of the last two validate.
    `headers`: request headers that it reads, with what they are for. `also`: media types other than JSON.
    """

    method: str
    path: str
    function: Callable[..., Answer]
    answers: Mapping[int, type[Shape] | None]
    codes: tuple[Code, ...] = ()
    scope: str | None = READ
    headers: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the endpoint's paths, with a group for each variable part."""
        # RFC 3986 section 3.3: a segment ends at a slash. API Gateway has decoded the path already.
        return re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", self.path))

    @cached_property
    def body(self) -> type[Body] | None:
        """The model of the request's body; None if the call takes none."""
        parameter = self._parameters.get(_BODY)
        return parameter.annotation if parameter else None

    @cached_property
    def query(self) -> dict[str, TypeAdapter[Any]]:
        """The validator of each parameter of the query."""
        elsewhere = {_BODY, *self.pattern.groupindex}
        types = {name: each.annotation for name, each in self._parameters.items() if name not in elsewhere}
        return {name: TypeAdapter(annotation) for name, annotation in types.items()}

    def default(self, parameter: str) -> object:
        """The value of a parameter of the query that is not sent."""
        return self._parameters[parameter].default

    @property
    def all_codes(self) -> tuple[Code, ...]:
        """Every code that it may answer."""
        auth = (Code.UNAUTHENTICATED, Code.FORBIDDEN) if self.scope else ()
        body = (Code.INVALID_REQUEST, Code.TOO_LARGE) if self.method in ("POST", "PUT") else ()
        query = (Code.INVALID_REQUEST,) if self.query else ()
        return tuple(dict.fromkeys((*self.codes, *auth, *body, *query, *_FOR_ALL)))

    @cached_property
    def _parameters(self) -> dict[str, inspect.Parameter]:
        # Inspected once a process, for endpoints that are called: a cold start pays for no other.
        _, *parameters = inspect.signature(self.function).parameters.values()
        return {parameter.name: parameter for parameter in parameters}


def find_endpoint(endpoints: Sequence[Endpoint], method: str, path: str) -> Endpoint:
    """The endpoint that method and path name. Raises NOT_FOUND, `MethodNotAllowedError`."""
    by_method = {each.method: each for each in endpoints if each.pattern.fullmatch(path)}
    if not by_method:
        raise ServiceError(
            Code.NOT_FOUND, f"found {method} {shown(path)}; {OPENAPI_PATH} lists what there is"
        )
    if method not in by_method:  # RFC 9110 section 15.5.6: 405, not 404, with the methods that work
        raise MethodNotAllowedError(method, by_method)
    return by_method[method]


def read_query(raw: str, endpoint: Endpoint) -> dict[str, str]:
    """The query's parameters, each of which the endpoint knows and is sent once.

    Raises MALFORMED_REQUEST, INVALID_REQUEST: if a misspelt cursor were ignored, a list would never end.
    """
    try:
        pairs = parse_qsl(
            raw,
            keep_blank_values=True,
            strict_parsing=bool(raw),
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except ValueError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, f"query {shown(raw)}: {error}") from error
    # A dict keeps the last of two values, another reader the first: that they differ in number is refused.
    query = dict(pairs)
    known = ", ".join(sorted(endpoint.query)) or "no parameters"
    faults = [
        Fault(f"/query/{name}", "unknown-parameter", f"found {shown(name)}, wanted {known}", "Remove it.")
        for name in sorted(query.keys() - endpoint.query)
    ]
    if len(query) != len(pairs):
        faults.append(Fault("/query", "repeated", "a parameter occurs twice", "Send each parameter once."))
    if faults:
        raise ServiceError(
            Code.INVALID_REQUEST, "; ".join(fault.detail for fault in faults), faults=tuple(faults)
        )
    return query


def bind(endpoint: Endpoint, path: str, query: Mapping[str, str], body: Json) -> dict[str, Any]:
    """The arguments of the endpoint's function after the call. `body`: JSON's value, None if there is none.

    Raises INVALID_REQUEST, which names every value that is not valid.
    """
    match = endpoint.pattern.fullmatch(path)
    assert match
    arguments: dict[str, Any] = match.groupdict()
    errors: list[_Error] = []  # all of them: who mends a request wants to send it once more, not five times
    for name, text in query.items():
        try:
            arguments[name] = endpoint.query[name].validate_python(text)
        except ValidationError as error:
            errors += [{**each, "loc": ("query", name), "input": text} for each in error.errors()]
    if endpoint.body:
        try:
            arguments[_BODY] = endpoint.body.model_validate(body)
        except ValidationError as error:
            errors += [_NO_BODY] if body is None else error.errors()
    if errors:
        raise _invalid_request(errors)
    return arguments


def _invalid_request(errors: Sequence[_Error]) -> ServiceError:
    """The error for what pydantic refused: where it is, what was found, how to fix it."""
    # An answer stays short even if a body has a million members that nobody knows.
    faults = tuple(_fault(error) for error in errors[:_FAULTS_MAX])
    first = "; ".join(f"{fault.pointer or 'body'}: {fault.detail}" for fault in faults[:3])
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return ServiceError(Code.INVALID_REQUEST, f"{first}{more}", faults=faults)


def _fault(error: _Error) -> Fault:
    # Pydantic's words begin with "Input should" or, for our own parsers, with "Value error".
    kind, message = str(error["type"]), str(error["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        detail = "it is missing"
    elif kind == "extra_forbidden":
        detail = "it is not a member that this call knows"
    else:
        detail = f"found {shown(error.get('input'))}: {message.replace('Input should', 'it should')}"
    return Fault(_pointer(error["loc"]), kind.replace("_", "-"), detail, _FIXES.get(kind, _FIX))


def _pointer(location: Sequence[object]) -> str:
    """A JSON pointer into the body, or one that begins with `/query`."""
    # RFC 6901 section 3: ~ first, or the ~ of ~1 would be escaped again.
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)
