"""Powertools' resolver over the table of calls: routing, validation, OpenAPI.

Powertools keeps the event that is being answered in attributes of a class, which suits Lambda, where a
process answers one event at a time. Here each thread has a resolver of its own, which keeps its event
to itself; otherwise one caller's request could be answered with another's.
"""

import threading
from typing import Any, Never

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Request
from aws_lambda_powertools.utilities.data_classes.common import BaseProxyEvent

from issuer.api.call import Reply, reply_text
from issuer.api.endpoints import ENDPOINTS, OPENAPI_PATH, Endpoint
from issuer.api.openapi import describe, format_openapi


class PartnerResolver(APIGatewayHttpResolver):
    """A resolver for one thread."""

    def __init__(self) -> None:
        super().__init__(enable_validation=True, debug=False)

    def _to_proxy_event(self, event: dict[str, Any]) -> BaseProxyEvent:
        # An attribute of this object, which hides the one of the class.
        self.current_event = super()._to_proxy_event(event)  # type: ignore[assignment]
        return self.current_event


_THREAD = threading.local()


def resolver() -> PartnerResolver:
    """This thread's resolver."""
    found = getattr(_THREAD, "resolver", None)
    if found is None:
        found = _THREAD.resolver = make_resolver()
    assert isinstance(found, PartnerResolver)
    return found


def make_resolver() -> PartnerResolver:
    """A resolver with every route. What goes wrong comes out as it was raised, for the edge to answer."""
    made = PartnerResolver()
    for endpoint in ALL_ENDPOINTS:
        made.route(endpoint.path, endpoint.method, **describe(endpoint))(endpoint.function)

    def reraise(error: Exception) -> Never:
        raise error

    made.exception_handler(Exception)(reraise)
    return made


def get_openapi(request: Request) -> Reply:
    """This description of the API: OpenAPI 3.1."""
    del request
    return reply_text(_openapi_text(), "application/json")


ALL_ENDPOINTS = (*ENDPOINTS, Endpoint("GET", OPENAPI_PATH, get_openapi, {200: None}, scope=None))


def _openapi_text() -> str:
    return format_openapi(resolver(), ALL_ENDPOINTS)
