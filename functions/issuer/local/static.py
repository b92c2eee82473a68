"""The public registry: files by their names, as the CDN and its bucket serve them (REG-1.0 section 10)."""

import re
from dataclasses import dataclass

from attestlayer.encoding import format_hash, sha256, shown
from attestlayer.log import layout
from attestlayer.log.layout import QueryError, headers_of, rewrite_query
from attestlayer.visible import escape
from issuer.errors import Code, ServiceError
from issuer.handlers import prove
from issuer.local.wsgi import HttpResponse, LambdaContext, response_of
from issuer.ports import ObjectStore, is_name
from issuer.problem import CONTENT_TYPE, MethodNotAllowedError, format_problem, problem_headers, public_error

METHODS = ("GET", "HEAD", "OPTIONS")
INDEX = "index.html"
NOT_FOUND = "404.html"

_CORS = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(METHODS),
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
    "Allow": ", ".join(METHODS),
}
_PAIR = re.compile(rf"{re.escape(layout.CONSISTENCY_QUERY)}/[^/]+\.json")
_HASH = "([A-Za-z0-9_-]{43})"
# What people and monitors look up by a hash.
_NAMED = (
    ("entry with the leaf hash", re.compile(rf"{re.escape(layout.INCLUSION_QUERY)}/{_HASH}\.json")),
    ("checkpoint with the hash", re.compile(rf"v1/checkpoints/{_HASH}\.json")),
    ("policy with the hash", re.compile(rf"v1/policies/{_HASH}\.json")),
)
# All but the sign of `shown` that a text was cut.
_NOT_ASCII = re.compile(r"[^\x00-\x7f](?! \([0-9]+ characters\))")
_TAG = re.compile(r'\s*(?:W/)?("[^"]*")\s*')


@dataclass(frozen=True, slots=True)
class StaticRequest:
    """A request for a file. `path` and `query` are those of the request line, not decoded."""

    method: str
    path: str
    query: str
    if_none_match: str
    request_id: str
    accept: str = ""


def answer_static(public: ObjectStore, request: StaticRequest) -> HttpResponse:
    """Answer from the store. Never 403, and problems are cached as briefly as what changes."""
    try:
        return _answer(public, request)
    except ServiceError as error:
        if public_error(error) is not error:
            raise  # ours, not the caller's: the server logs it
        page = _not_found_page(public, request) if error.code is Code.NOT_FOUND else None
        if page is not None:
            return page
        body = format_problem(error, request.request_id)
        return HttpResponse(error.code.status, problem_headers(error) | _problem_headers(), body)


def object_name(path: str, query: str) -> str:
    """The object that path and query name. Raises NOT_FOUND, MALFORMED_REQUEST (proof queries).

    Nothing is decoded: each object has one spelling, and a name with anything else in it names nothing.
    The query of any other path is no part of the name.
    """
    try:
        name = rewrite_query(path, query)
    except QueryError as error:
        raise ServiceError(Code.MALFORMED_REQUEST, _of_target(str(error))) from error
    name = f"{name}{INDEX}" if not name or name.endswith("/") else name
    if not is_name(name):
        raise ServiceError(Code.NOT_FOUND, _absence(name, path))
    return name


def _of_target(detail: str) -> str:
    """A sentence about a request's target, in ASCII: the CDN's function, which says the same, has no Unicode.

    A target is ASCII (RFC 3986 section 2): anything else in it is nobody's name.
    """
    return _NOT_ASCII.sub(lambda match: escape(match[0]), detail)


def _answer(public: ObjectStore, request: StaticRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(204, _CORS | _PREFLIGHT)
    if request.method not in METHODS:
        raise MethodNotAllowedError(request.method, METHODS)
    name = object_name(request.path, request.query)
    data = public.read(name)
    if data is not None:
        return _file(name, data, request.if_none_match)
    if _PAIR.fullmatch(name):
        # No round stored a proof for this pair: computed on demand, as the CDN's second origin does.
        proof = response_of(prove.handler({"rawPath": f"/{name}"}, LambdaContext(request.request_id)))
        if proof.status == 200 and isinstance(proof.body, bytes):
            return _file(name, proof.body, request.if_none_match)
        return proof
    raise ServiceError(Code.NOT_FOUND, _absence(name, request.path))


def _absence(name: str, path: str) -> str:
    """What is not there, in the words of the log where the name is one of its."""
    for label, pattern in _NAMED:
        if match := pattern.fullmatch(name):
            return f"this registry has no {label} {match[1]}: it may not be public yet, or was never made"
    return _of_target(f"there is nothing at {shown(path)}")


def _not_found_page(public: ObjectStore, request: StaticRequest) -> HttpResponse | None:
    """For people at an address that is no object's: a page. Objects that are not there are problems."""
    # Browsers ask for text/html; a monitor or verifier gets the problem document.
    if "text/html" not in request.accept or request.path.startswith(("/v1/", "/tile/")):
        return None
    data = public.read(NOT_FOUND)
    return None if data is None else HttpResponse(404, headers_of(NOT_FOUND) | {"Vary": "Accept"}, data)


def _file(name: str, data: bytes, if_none_match: str) -> HttpResponse:
    tag = f'"{format_hash(sha256(data))}"'
    headers = headers_of(name) | {"ETag": tag}
    if _matches(if_none_match, tag):
        del headers["Content-Type"]  # RFC 9110 section 15.4.5: a 304 describes no content
        return HttpResponse(304, headers)
    return HttpResponse(200, headers, data)


def _matches(if_none_match: str, tag: str) -> bool:
    """Whether the client has this version already."""
    # RFC 9110 section 13.1.2: `*` matches any version; entity tags are compared weakly, W/"x" equals "x".
    if if_none_match.strip() == "*":
        return True
    return any(
        match is not None and match[1] == tag for match in map(_TAG.fullmatch, if_none_match.split(","))
    )


def _problem_headers() -> dict[str, str]:
    caching = f"public, max-age={layout.MUTABLE_MAX_AGE_S}"
    return _CORS | {"Content-Type": CONTENT_TYPE, "Cache-Control": caching}
