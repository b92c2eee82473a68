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
from issuer.bootstrap import process
from issuer.bootstrap.service import Service
from issuer.handlers import issue
from issuer.intake.policy import MAX_TOTAL_SIZE
from issuer.kits.ids import make_id
from issuer.local.events import event_of
from issuer.local.maintenance import Maintenance
from issuer.local.server import HttpServer, listen, url_of
from issuer.local.static import StaticRequest, answer_static
from issuer.local.ticker import Ticker
from issuer.local.transfers import (
    DOWNLOAD_PREFIX,
    FORM_OVERHEAD,
    UPLOAD_PATH,
    send_download,
    take_upload,
)
from issuer.local.wsgi import Environ, HttpAnswer, LambdaContext, StartResponse, answer_of, raw_target
from issuer.problem import CONTENT_TYPE, MethodNotAllowedError, format_problem, problem_headers, public_error

API_PATHS = ("/v1/qualifications", "/v1/workspace", "/v1/lanes", "/v1/packets", "/v1/openapi.json")

_LOGGER = logging.getLogger("issuer.local")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class LocalApplication:
    """The WSGI application. Which part answers is decided by the path alone."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. What is unexpected is a problem document, and told in the log."""
        request_id = make_id("req", self._service.clock.now(), self._service.entropy)
        try:
            found = self._answer(environ, request_id)
        except Exception as error:
            known = public_error(error)
            if known is not error:
                _LOGGER.exception("%s", request_id)
            headers = problem_headers(known) | {"Content-Type": CONTENT_TYPE}
            found = HttpAnswer(known.code.status, headers, format_problem(known, request_id))
        answer = replace(found, headers={**found.headers, "Request-Id": request_id})
        return answer.send(environ, start_response)

    def _answer(self, environ: Environ, request_id: str) -> HttpAnswer:
        path, query = raw_target(environ)
        method = str(environ["REQUEST_METHOD"])
        if _is_api(path):
            event = event_of(environ, request_id)
            return answer_of(issue.handler(event, LambdaContext(request_id)))
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
    """Server of one service, and the threads beside it. `url` is where it listens."""

    def __init__(self, http: HttpServer, *beside: Ticker | Maintenance) -> None:
        self.url = http.url
        self._http = http
        self._beside = beside

    def run(self) -> None:
        """Answer requests and make rounds until `close`, SIGTERM or SIGINT."""
        with self._signals():
            for each in self._beside:
                each.start()
            try:
                self._http.run()
            finally:
                for each in self._beside:
                    each.close()

    def close(self) -> None:
        """Make `run` return. For any thread and for signal handlers."""
        self._http.close()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Signals end the run, where they can be caught: in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, lambda *_: self.close()) for each in _SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def make_server(service: Service, host: str, port: int, *, ticking: bool = True) -> LocalServer:
    """Listen on host and port (0: any free one) and make `service` this process's.

    Upload and download addresses name the port that was found. `ticking`: whether `run` makes the log's
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
    return any(path == start or path.startswith(f"{start}/") for start in API_PATHS)


def _check_method(method: str, allowed: tuple[str, ...]) -> None:
    if method not in allowed:
        raise MethodNotAllowedError(method, allowed)
