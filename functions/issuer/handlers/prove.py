"""GET /v1/proofs/consistency/{A}-{B}.json for pairs that no round stored; the CDN caches them permanently."""

from typing import Any

from attestlayer.encoding import shown
from attestlayer.log.layout import CONSISTENCY_QUERY, QueryError, headers_of, rewrite_query
from issuer.bootstrap.process import prover
from issuer.bootstrap.telemetry import Telemetry
from issuer.errors import Code, ServiceError
from issuer.problem import CONTENT_TYPE, format_problem

telemetry = Telemetry(traced=False)


@telemetry.around
def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Answer a consistency proof for the path of an HTTP API event (payload version 2.0)."""
    path = str(event.get("rawPath", ""))
    try:
        sizes = path.rpartition("/")[2].removesuffix(".json").partition("-")
        query = f"from_size={sizes[0]}&to_size={sizes[2]}"
        # Parsed, formatted again, compared: each pair has one address, and the CDN keeps one copy of it.
        if path.removeprefix("/") != rewrite_query(CONSISTENCY_QUERY, query):
            raise QueryError(f"{shown(path)} is not a consistency proof's path")
        body = prover().consistency(int(sizes[0]), int(sizes[2]))
        return {"statusCode": 200, "headers": headers_of(path.removeprefix("/")), "body": body.decode()}
    except QueryError as error:
        return _problem(ServiceError(Code.MALFORMED_REQUEST, str(error)), context)
    except ServiceError as error:
        return _problem(error, context)


def _problem(error: ServiceError, context: object) -> dict[str, object]:
    request_id = str(getattr(context, "aws_request_id", "-"))
    # A size that is not reached yet will be: the CDN may keep this answer for seconds only.
    headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "public, max-age=5"}
    return {
        "statusCode": error.code.status,
        "headers": headers | {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"},
        "body": format_problem(error, request_id).decode(),
    }
