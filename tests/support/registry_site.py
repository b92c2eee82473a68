"""A registry with its site behind the local server: a real kit, and leaves enough for an index."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attestlayer.encoding import Hash
from attestlayer.log.leaf import Leaf
from attestlayer.log.merkle import TreeHead
from attestlayer.log.tiles import WIDTH
from issuer.adapters.local.directory import DirectoryStore
from issuer.bootstrap import process
from issuer.bootstrap.service import Service
from issuer.local.application import make_server
from issuer.local.static import StaticRequest, answer_static
from issuer.log import face
from issuer.settings import Settings
from support.home import IssuedKit, issue_sample
from support.log import leaf_number, put_waiting
from support.serving import running

COUNT = 2 * WIDTH + 40
"""Leaves beside the kit's: two segments' worth once the kit is there, and a newest bundle."""


@dataclass(frozen=True)
class RegistrySite:
    """The service, its address, the delivered kit, and the other leaves in no order."""

    service: Service
    url: str
    issued: IssuedKit
    leaves: tuple[Leaf, ...]

    @property
    def root(self) -> Path:
        """The registry's folder."""
        assert isinstance(self.service.settings, Settings)
        return self.service.settings.home / "registry"

    @property
    def head(self) -> TreeHead:
        """The newest tree head."""
        latest = face.read_latest(self.service.public)
        assert latest
        return latest.head


@contextmanager
def registry_site(folder: Path) -> Iterator[RegistrySite]:
    """Make it and serve it; nothing ticks. Takes some seconds."""
    issued = issue_sample(folder)
    service = issued.service
    leaves = tuple(_leaves(service))
    for leaf in leaves[:-40]:
        put_waiting(service.ledger, leaf)
    _round(service)
    for leaf in leaves[-40:]:
        put_waiting(service.ledger, leaf)
    _round(service)
    assert not service.indexer.run().more
    service.publish()
    with served_service(service) as url:
        yield RegistrySite(service, url, issued, leaves)


@contextmanager
def served_service(service: Service) -> Iterator[str]:
    """The service behind the local server, which makes no rounds: its address."""
    before = list(process._used)
    server = make_server(service, "127.0.0.1", 0, ticking=False)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.close()
        thread.join(30)
        process._used[:] = before


@contextmanager
def served(root: Path, state: Path) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """A registry's folder as the CDN serves it, without a service beside it: its address and its server."""
    store = DirectoryStore(root, state=state)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            answer = answer_static(store, StaticRequest("GET", path, query, "", "test"))
            assert isinstance(answer.body, bytes)
            self.send_response(answer.status)
            for header, value in answer.headers.items():
                self.send_header(header, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            with suppress(BrokenPipeError):
                self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(server) as url:
        yield url, server


def _leaves(service: Service) -> Iterator[Leaf]:
    """Leaves as the service's own: its newest policies, its issuer key, issued now."""
    policies = service.catalogue.newest()
    (kid,) = service.issuer.signers
    at = int(service.clock.now())
    for number in range(COUNT):
        policy = policies[number % len(policies)]
        yield replace(
            leaf_number(number, at),
            intake_policy_hash=Hash(policy.intake_policy_hash),
            lane_id=policy.lane_id,
            profile_id=policy.profile_id,
            issuer_kid=kid,
        )


def _round(service: Service) -> None:
    """Rounds until no leaf waits that is not in the log."""
    latest = face.read_latest(service.public)
    while latest and (report := service.sequencer.run()).leaves == 0:
        time.sleep(0.05)
        latest = report.checkpoint
