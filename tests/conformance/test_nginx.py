"""The registry's folder behind nginx, configured as `site/content/serving.md` says."""

import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attestlayer.log import layout
from support.home import IssuedKit, issue_sample
from support.tools import require

PAGE = Path(__file__).parents[2] / "site/content/serving.md"


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> IssuedKit:
    require("nginx")
    return issue_sample(tmp_path_factory.mktemp("issued"))


@pytest.fixture(scope="module")
def port(issued: IssuedKit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("nginx")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    found = re.search(r"```nginx\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert found
    server = found[1].replace("ROOT", str(issued.service.settings.home / "registry"))
    server = server.replace("127.0.0.1:8080", f"127.0.0.1:{free}")
    paths = "".join(
        f"{kind}_temp_path {folder};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if Path("/root").stat().st_uid == Path(folder).stat().st_uid else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{server}}}\n"
    )
    command = [str(require("nginx")), "-c", str(config), "-p", str(folder), "-e", f"{folder}/error.log"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not _listens(free):
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()[1]
    yield free
    process.terminate()
    process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(port: int, target: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", target)
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    body = answer.read()
    connection.close()
    return answer.status, headers, body


def test_every_object_has_its_bytes_and_headers(issued: IssuedKit, port: int) -> None:
    names = list(issued.service.public.list(""))
    assert len(names) > 20
    for name in names:
        status, headers, body = get(port, f"/{name}")
        assert (status, body) == (200, issued.service.public.read(name)), name
        wanted = layout.headers_of(name)
        for header in wanted.keys() - {"Content-Type"}:
            assert headers[header.lower()] == wanted[header], name
        if not name.endswith(".jwks.json"):  # nginx knows types by the last ending alone
            assert headers["content-type"] == wanted["Content-Type"], name


def test_the_two_queries_name_files(issued: IssuedKit, port: int) -> None:
    (entry,) = issued.service.public.list("v1/entries/")
    leaf = entry.removeprefix("v1/entries/").removesuffix(".json")
    expected = issued.service.public.read(f"v1/proofs/inclusion/{leaf}.json")
    assert get(port, f"/v1/proofs/inclusion?leaf_hash={leaf}")[2] == expected
    expected = issued.service.public.read(layout.consistency_path(0, 1))
    for query in ("from_size=0&to_size=1", "to_size=1&from_size=0"):
        assert get(port, f"/v1/proofs/consistency?{query}")[2] == expected


@pytest.mark.parametrize(
    "target",
    [
        "/v1/proofs/inclusion",
        "/v1/proofs/inclusion?leaf_hash=",
        "/v1/proofs/inclusion?leaf_hash=a&leaf_hash=b",
        "/v1/proofs/inclusion?leaf_hash=..%2F",
        "/v1/proofs/consistency?from_size=0",
        "/v1/proofs/consistency?from_size=0&to_size=1&x=1",
    ],
)
def test_other_queries_are_refused(port: int, target: str) -> None:
    assert get(port, target)[0] == 400


def test_what_is_not_there_is_not_found_and_cached_briefly(port: int) -> None:
    for target in ("/v1/entries/nothing.json", "/tile/0/999", f"/v1/proofs/inclusion?leaf_hash={'A' * 43}"):
        status, headers, _ = get(port, target)
        assert (status, headers["cache-control"]) == (404, "public, max-age=5"), target
