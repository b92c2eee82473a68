"""The local server: partner API, uploads and downloads, and the registry, on one port of this machine.

The handlers are the very ones that run as Lambda functions; this module is what API Gateway, the bucket's
presigned addresses and the CDN are elsewhere.
"""

import logging
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from issuer.adapters.local.transfers import LocalTransfers
from issuer.api.endpoints import ENDPOINTS
from issuer.bootstrap import process
from issuer.bootstrap.service import Service
from issuer.handlers import issue
from issuer.intake.policy import MAX_TOTAL_SIZE
from issuer.kits.names import make_id
from issuer.local.schedule import Background, Maintenance, Ticker
from issuer.local.server import HttpServer, listen, url_of
from issuer.local.static import StaticRequest, answer_static
from issuer.local.transfers import (
    DOWNLOAD_PREFIX,
    FORM_OVERHEAD,
    UPLOAD_PATH,
    send_download,
    take_upload,
)
from issuer.local.wsgi import (
    Environ,
    HttpResponse,
    LambdaContext,
    StartResponse,
    event_of,
    raw_target,
    response_of,
)
from issuer.problem import CONTENT_TYPE, MethodNotAllowedError, format_problem, problem_headers, public_error

API_PATHS = frozenset("/".join(endpoint.path.split("/")[:3]) for endpoint in ENDPOINTS)
"""`/v1/packets` and so on: whatever lies below them is the API's, all else of `/v1` the registry's."""

_LOGGER = logging.getLogger("issuer.local")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class LocalApplication:
    """The WSGI application. Which part answers is decided by the path alone."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Unexpected errors are logged; their problem documents say no details."""
        request_id = make_id("req", self._service.clock.now(), self._service.entropy)
        try:
            response = self._answer(environ, request_id)
        except Exception as error:
            public = public_error(error)
            if public is not error:
                _LOGGER.exception("%s", request_id)
            headers = problem_headers(public) | {"Content-Type": CONTENT_TYPE}
            response = HttpResponse(public.code.status, headers, format_problem(public, request_id))
        response = replace(response, headers={**response.headers, "Request-Id": request_id})
        return response.send(environ, start_response)

    def _answer(self, environ: Environ, request_id: str) -> HttpResponse:
        path, query = raw_target(environ)
        method = str(environ["REQUEST_METHOD"])
        if _is_api(path):
            event = event_of(environ, request_id)
            return response_of(issue.handler(event, LambdaContext(request_id)))
        if path == UPLOAD_PATH:
            _check_method(method, ("POST",))
            return take_upload(self._service, environ)
        if path.startswith(DOWNLOAD_PREFIX):
            _check_method(method, ("GET", "HEAD"))
            return send_download(self._service, path, query)
        if_none_match = str(environ.get("HTTP_IF_NONE_MATCH", ""))
        accept = str(environ.get("HTTP_ACCEPT", ""))
        request = StaticRequest(method, path, query, if_none_match, request_id, accept)
        return answer_static(self._service.public, request)


class LocalServer:
    """HTTP server of one service, with its background threads. `url` is where it listens."""

    def __init__(self, http: HttpServer, *background: Background) -> None:
        self.url = http.url
        self._http = http
        self._background = background

    def run(self) -> None:
        """Answer requests and make rounds until `close`, SIGTERM or SIGINT."""
        with self._signals():
            for thread in self._background:
                thread.start()
            try:
                self._http.run()
            finally:
                for thread in self._background:
                    thread.close()

    def close(self) -> None:
        """Make `run` return. For any thread and for signal handlers."""
        self._http.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Make SIGTERM and SIGINT end the run. Python lets only the main thread catch signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {number: signal.signal(number, lambda *_: self.close()) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def make_server(service: Service, host: str, port: int, *, ticking: bool = True) -> LocalServer:
    """Listen on host and port (0: any free one) and make `service` this process's.

    Upload and download addresses name the actual port. `ticking`: whether `run` makes the log's
    rounds and the daily maintenance as well. Raises PORT_IN_USE, INVALID_REQUEST.
    """
    listening = listen(host, port)
    url = url_of(host, listening)
    assert isinstance(service.transfers, LocalTransfers)
    local = replace(service, transfers=replace(service.transfers, base_url=url))
    process.use(local)
    longest = MAX_TOTAL_SIZE + FORM_OVERHEAD
    http = HttpServer(LocalApplication(local), listening, url, longest)
    if not ticking:
        return LocalServer(http)
    return LocalServer(http, Ticker(local.settings.cadence_s, local.clock), Maintenance(local.clock))


def _is_api(path: str) -> bool:
    return "/".join(path.split("/")[:3]) in API_PATHS


def _check_method(method: str, allowed: tuple[str, ...]) -> None:
    if method not in allowed:
        raise MethodNotAllowedError(method, allowed)
