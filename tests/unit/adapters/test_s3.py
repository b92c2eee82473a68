"""`S3Store` against answers that no working server gives at will: said word for word by a server of ours."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from issuer.adapters.aws import tries
from issuer.adapters.aws.s3 import S3Place, S3Store
from issuer.errors import ObjectConflictError, StaleTagError, StoreError
from support.cloud_servers import CREDENTIALS
from support.serving import running

TAG = "9dd4e461268c8034f5c8564e155c67a6"
OTHER_TAG = "415290769594460e2e485922904f345d"


def problem(status: int, code: str) -> tuple[int, bytes, str]:
    return status, f"<Error><Code>{code}</Code></Error>".encode(), ""


def found(data: bytes, tag: str = TAG) -> tuple[int, bytes, str]:
    return 200, data, tag


STORED = found(b"")
ABSENT = problem(404, "NoSuchKey")
CONFLICT = problem(409, "ConditionalRequestConflict")
TAKEN = problem(412, "PreconditionFailed")
FAILED = problem(500, "InternalError")
SLOW = problem(503, "SlowDown")
DENIED = problem(403, "AccessDenied")
NO_BUCKET = problem(404, "NoSuchBucket")


@dataclass
class Script:
    """Answers by turns, for PUTs and for GETs; the last of each stays. What was asked, in order."""

    put: list[tuple[int, bytes, str]] = field(default_factory=lambda: [STORED])
    get: list[tuple[int, bytes, str]] = field(default_factory=lambda: [ABSENT])
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def answer(self, method: str, condition: str | None) -> tuple[int, bytes, str]:
        self.asked.append((method, condition))
        answers = self.put if method in ("PUT", "DELETE") else self.get
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def store(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            condition = self.headers.get("If-None-Match") or self.headers.get("If-Match")
            status, body, tag = script.answer(self.command, condition)
            self.send_response_only(status)
            self.send_header("Last-Modified", "Tue, 24 Nov 2026 19:18:03 GMT")
            self.send_header("Content-Length", str(len(body)))
            if tag:
                self.send_header("ETag", f'"{tag}"')
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_DELETE = _answer  # noqa: N815

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tries, "_sleep", lambda seconds: None)
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield S3Store("bucket", S3Place("us-east-1", url))


def test_a_create_that_nothing_disturbs_is_one_request(store: S3Store, script: Script) -> None:
    store.create("a", b"1")
    assert script.asked == [("PUT", "*")]


@pytest.mark.parametrize("answer", [CONFLICT, FAILED, SLOW], ids=["409", "500", "503"])
def test_a_create_that_was_not_done_is_tried_again(store: S3Store, script: Script, answer: object) -> None:
    script.put = [answer, STORED]  # type: ignore[list-item]
    store.create("a", b"1")
    assert [method for method, _ in script.asked] == ["PUT", "GET", "PUT"]


@pytest.mark.parametrize("answer", [TAKEN, FAILED, CONFLICT], ids=["412", "500", "409"])
def test_a_create_that_finds_its_bytes_is_done(store: S3Store, script: Script, answer: object) -> None:
    script.put, script.get = [answer], [found(b"1")]  # type: ignore[list-item]
    store.create("a", b"1")
    script.get = [found(b"2")]
    with pytest.raises(ObjectConflictError):
        store.create("a", b"1")


def test_a_create_that_never_works_says_why(store: S3Store, script: Script) -> None:
    script.put = [SLOW]
    with pytest.raises(StoreError, match=r"create a: .*503.*\(5 tries\)"):
        store.create("a", b"1")
    assert len([method for method, _ in script.asked if method == "PUT"]) == 5


@pytest.mark.parametrize("answer", [DENIED, NO_BUCKET], ids=["403", "no bucket"])
def test_what_no_try_mends_is_told_at_once(store: S3Store, script: Script, answer: object) -> None:
    script.put = [answer]  # type: ignore[list-item]
    for act in (lambda: store.create("a", b"1"), lambda: store.replace("a", b"1", None)):
        script.asked.clear()
        with pytest.raises(StoreError):
            act()
        assert len(script.asked) == 1


@pytest.mark.parametrize("answer", [DENIED, NO_BUCKET], ids=["403", "no bucket"])
def test_neither_a_missing_bucket_nor_a_missing_right_is_an_absent_object(
    store: S3Store, script: Script, tmp_path: Path, answer: object
) -> None:
    script.get = [answer]  # type: ignore[list-item]
    for read in (store.read, store.read_tagged, store.exists, lambda name: store.fetch(name, tmp_path / "x")):
        with pytest.raises(StoreError):
            read("a")
    assert not (tmp_path / "x").exists()


def test_a_read_is_tried_again(store: S3Store, script: Script) -> None:
    script.get = [SLOW, FAILED, found(b"1")]
    assert store.read("a") == b"1"


def test_a_swap_names_the_bare_tag(store: S3Store, script: Script) -> None:
    store.replace("head", b"2", TAG)
    assert script.asked == [("PUT", TAG)]


def test_a_swap_that_another_won_is_stale_also_if_he_wrote_the_same(store: S3Store, script: Script) -> None:
    script.put, script.get = [TAKEN], [found(b"2", OTHER_TAG)]
    with pytest.raises(StaleTagError):
        store.replace("head", b"2", TAG)


@pytest.mark.parametrize("answer", [FAILED, SLOW], ids=["500", "503"])
def test_a_swap_whose_answer_was_lost_is_done_if_its_bytes_are_there(
    store: S3Store, script: Script, answer: object
) -> None:
    script.put, script.get = [answer], [found(b"2", OTHER_TAG)]  # type: ignore[list-item]
    store.replace("head", b"2", TAG)
    script.put, script.get = [answer], [found(b"3", OTHER_TAG)]  # type: ignore[list-item]
    with pytest.raises(StaleTagError):
        store.replace("head", b"2", TAG)


@pytest.mark.parametrize("answer", [CONFLICT, FAILED], ids=["409", "500"])
def test_a_swap_that_was_not_done_is_tried_again(store: S3Store, script: Script, answer: object) -> None:
    script.put, script.get = [answer, STORED], [found(b"1", TAG)]  # type: ignore[list-item]
    store.replace("head", b"2", TAG)
    assert [method for method, _ in script.asked] == ["PUT", "GET", "PUT"]


def test_a_swap_that_was_done_by_a_try_that_failed_is_not_stale_at_the_next(
    store: S3Store, script: Script
) -> None:
    """The first try's answer is lost, and only after it was read back does the server do it."""
    script.put, script.get = [FAILED, TAKEN], [found(b"1", TAG), found(b"2", OTHER_TAG)]
    store.replace("head", b"2", TAG)
