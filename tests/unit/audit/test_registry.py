"""Reading a registry over HTTP and from a folder, and the audit and the command over both."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from attestlayer.audit.auditor import audit
from attestlayer.cli.main import main
from attestlayer.encoding import format_time
from attestlayer.errors import CouldNotCheckError
from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from attestlayer.log.trust import parse_trust
from attestlayer.reading.registry import FolderRegistry, HttpRegistry
from issuer.log.face import read_trust_root
from support.log import START, queue
from support.thorough import thorough
from support.witnesses import Pool, Witness
from unit.audit.logs import change, grow, start

Serve = Callable[[type[http.server.BaseHTTPRequestHandler]], str]


class Files(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, connections kept open, nothing logged."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *args: object) -> None:
        del args


def answering(
    *answers: tuple[int, dict[str, str], bytes],
) -> tuple[type[http.server.BaseHTTPRequestHandler], list[str]]:
    """A handler that gives these answers in turn, the last one for ever; and the paths it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers[min(len(asked), len(answers) - 1)]
            asked.append(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            del args

    return Handler, asked


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[http.server.ThreadingHTTPServer] = []

    def run(handler: type[http.server.BaseHTTPRequestHandler]) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield run
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    log, ports = start(tmp_path)
    grow(log, ports, 3, 0, 255, 4)
    return tmp_path / "registry"


@pytest.fixture
def url(root: Path, serve: Serve) -> str:
    return serve(partial(Files, directory=str(root)))  # type: ignore[arg-type]


def log_time() -> int:
    """The time at which the log of `root` was made."""
    return START + 240


def http_registry(url: str) -> HttpRegistry:
    return HttpRegistry(url, sleep=lambda seconds: None)


def test_a_clean_log_is_clean_over_http(url: str) -> None:
    report = audit(http_registry(url))
    assert report.findings == ()
    assert not report.listed


@pytest.mark.parametrize(
    "name", ["tile/0/000", "tile/entries/000", thorough(layout.STATS), thorough("tile/1/000.p/1")]
)
@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: None, thorough(lambda data: data + b"0")]
)
def test_damage_is_named_over_http(
    root: Path, url: str, name: str, damage: Callable[[bytes], bytes | None]
) -> None:
    change(root, name, damage((root / name).read_bytes()))
    assert name in [finding.object for finding in audit(http_registry(url)).findings]


def test_a_busy_answer_is_tried_again(serve: Serve) -> None:
    handler, asked = answering((503, {}, b""), (500, {}, b""), (200, {}, b"here"))
    assert http_registry(serve(handler)).read("a") == b"here"
    assert asked == ["/a"] * 3


def test_a_body_that_is_cut_is_no_answer(serve: Serve) -> None:
    handler, _ = answering((200, {"Content-Length": "9"}, b"here"))
    with pytest.raises(CouldNotCheckError):
        http_registry(serve(handler)).read("a")


def test_absence_is_none_and_a_refusal_is_an_error(serve: Serve) -> None:
    assert http_registry(serve(answering((404, {}, b""))[0])).read("a") is None
    with pytest.raises(CouldNotCheckError, match="403"):
        http_registry(serve(answering((403, {}, b""))[0])).read("a")


def test_redirects_lead_to_no_other_host(serve: Serve) -> None:
    handler, asked = answering((302, {"Location": "/b/a"}, b""), (200, {}, b"here"))
    assert http_registry(serve(handler)).read("a") == b"here"
    assert asked == ["/a", "/b/a"]
    other = answering((302, {"Location": "http://registry.invalid/a"}, b""))[0]
    with pytest.raises(CouldNotCheckError, match="another origin"):
        http_registry(serve(other)).read("a")


def test_the_command_says_clean_and_whose_keys_it_took(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(root)], clock=log_time) == 0
    found = capsys.readouterr()
    assert "CLEAN" in found.out and "taken from the registry itself" in found.out
    assert found.err == ""
    assert main(["audit", str(root), "--trust", str(root / layout.TRUST)], clock=log_time) == 0
    assert "anchored in the trust root" in capsys.readouterr().out


def test_the_command_lists_findings_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(root, "tile/0/000", None)
    assert main(["audit", str(root), "--json"], clock=log_time) == 3
    document = json.loads(capsys.readouterr().out)  # noqa: TID251
    assert (document["clean"], document["exit_code"]) == (False, 3)
    assert document["at"] == format_time(log_time())
    assert [(each["object"], each["reason"]) for each in document["findings"]] == [("tile/0/000", "missing")]


def test_what_is_no_registry_could_not_be_checked(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["audit", str(tmp_path / "empty")]) == 2
    assert main(["audit", str(tmp_path / "nothing")]) == 2
    assert main(["audit", "http://127.0.0.1:1/"]) == 2


def test_another_logs_trust_root_is_a_conflict(root: Path, tmp_path: Path) -> None:
    start(tmp_path / "other")
    trust = parse_trust((tmp_path / "other/registry" / layout.TRUST).read_bytes())
    assert audit(FolderRegistry(root), trust).findings == ()  # the same keys and time make the same log
    other, ports = start(tmp_path / "third")
    grow(other, ports, 0, 1)
    latest = parse_checkpoint((tmp_path / "third/registry" / layout.LATEST).read_bytes())
    words = {finding.reason.value for finding in audit(FolderRegistry(root), None, latest).findings}
    assert "trust-conflict" in words


def test_since_looks_only_at_what_came_after(tmp_path: Path) -> None:
    log, ports = start(tmp_path)
    grow(log, ports, 3, 300)
    root = tmp_path / "registry"
    since = parse_checkpoint((root / layout.LATEST).read_bytes())
    grow(log, ports, 5, 250)
    whole, part = audit(FolderRegistry(root)), audit(FolderRegistry(root), None, since)
    assert whole.findings == part.findings == ()
    assert part.objects < whole.objects
    change(root, "tile/entries/000", None)
    assert audit(FolderRegistry(root), None, since).findings == ()
    assert audit(FolderRegistry(root)).findings


def test_since_within_a_still_tree_counts_the_cosignatures_of_its_first_round(tmp_path: Path) -> None:
    log, ports = start(tmp_path)
    pool = Pool([Witness("witness.example.net", log.clock)])
    valid_from = format_time(int(log.clock.time))
    queue(ports, "witness.policy", {"valid_from": valid_from, "policy": pool.policy("any")})
    ports = replace(ports, witnesses=pool)
    grow(log, ports, 3)
    root = tmp_path / "registry"
    for _ in range(3):
        log.clock.time += 7200  # past the window in which a cosignature counts for a new tree
        grow(log, ports, 0)
        since = parse_checkpoint((root / layout.LATEST).read_bytes())
    assert pool.members[0].asked == 1
    grow(log, ports, 0)
    trust = read_trust_root(ports.public)
    assert audit(FolderRegistry(root), trust).findings == ()
    assert audit(FolderRegistry(root), trust, since).findings == ()
