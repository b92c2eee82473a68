"""The registry's face: headers, rewrites, refusals, and names that never leave the folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from attestlayer.encoding import format_hash, sha256
from attestlayer.log import layout
from handlers.client import Site, running

LEAF = format_hash(sha256(b"no such leaf"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for the module, with five leaves in its log. Nothing here changes it."""
    home: Path = tmp_path_factory.mktemp("static") / "home"
    with running(home) as found:
        for _ in range(2):
            packet = found.open()
            found.fill(packet)
            assert found.issue(packet).status == 202
            found.publish()
        found.service.public.create("pages/index.html", b"<h1>spec</h1>")
        (home / "secret.txt").write_text("secret")
        (home / "registry" / "linked").symlink_to(home / "secret.txt")
        yield found


def test_every_public_object_is_served_with_its_bytes_headers_and_tag(site: Site) -> None:
    names = [name for name in site.service.public.list("") if name != "linked"]
    assert len(names) > 20
    for name in names:
        got = site.raw("GET", f"/{name}")
        data = site.service.public.read(name)
        assert data is not None
        assert (got.status, got.body) == (200, data), name
        for header, value in layout.headers_of(name).items():
            assert got.headers[header] == value, name
        assert got.headers["ETag"] == f'"{format_hash(sha256(data))}"'
        assert got.headers["Content-Length"] == str(len(data))
        head = site.raw("HEAD", f"/{name}")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(data))


def test_what_changes_is_cached_for_five_seconds_and_the_rest_for_ever(site: Site) -> None:
    latest = site.raw("GET", "/checkpoint")
    assert latest.headers["Cache-Control"] == "public, max-age=5"
    assert latest.headers["Content-Type"] == "text/plain; charset=utf-8"
    tile = site.raw("GET", "/tile/0/000.p/2")
    assert tile.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"x", {0}', "*", ' W/"y" ,  {0} '])
def test_a_tag_that_matches_is_answered_304(site: Site, form: str) -> None:
    tag = site.raw("GET", "/v1/stats").headers["ETag"]
    got = site.raw("GET", "/v1/stats", headers={"If-None-Match": form.format(tag)})
    assert (got.status, got.body, got.headers["ETag"]) == (304, b"", tag)
    assert got.headers["Cache-Control"] == "public, max-age=5"
    assert got.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("sent", ['"x"', "", "x", '"', ",", "W/"])
def test_a_tag_that_does_not_match_is_answered_with_the_bytes(site: Site, sent: str) -> None:
    assert site.raw("GET", "/v1/stats", headers={"If-None-Match": sent}).status == 200


@pytest.mark.parametrize(("path", "name"), [("/", "index.html"), ("/pages/", "pages/index.html")])
def test_a_folder_answers_its_index(site: Site, path: str, name: str) -> None:
    got = site.raw("GET", path)
    assert got.body == site.service.public.read(name)
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_query_of_another_path_is_ignored(site: Site) -> None:
    plain = site.raw("GET", "/v1/stats")
    assert site.raw("GET", "/v1/stats?from_size=1&x=%00").body == plain.body
    assert site.raw("GET", "/v1/stats#part").body == plain.body


def test_an_absolute_target_is_the_same_as_its_path(site: Site) -> None:
    assert site.raw("GET", f"{site.url}/v1/stats?x").body == site.raw("GET", "/v1/stats").body


def test_proof_queries_are_rewritten_to_the_stored_objects(site: Site) -> None:
    names = list(site.service.public.list("v1/proofs/inclusion/"))
    leaf = names[0].rpartition("/")[2].removesuffix(".json")
    by_query = site.raw("GET", f"/v1/proofs/inclusion?leaf_hash={leaf}")
    assert by_query.body == site.service.public.read(names[0])
    assert by_query.headers["Cache-Control"].endswith("immutable")
    for query in ("from_size=1&to_size=2", "to_size=2&from_size=1"):
        got = site.raw("GET", f"/v1/proofs/consistency?{query}")
        assert got.body == site.raw("GET", "/v1/proofs/consistency/1-2.json").body
        assert got.json["from_size"] == 1


def test_a_pair_that_no_round_stored_is_proved_on_demand(site: Site) -> None:
    assert site.service.public.read("v1/proofs/consistency/0-2.json") is None
    got = site.raw("GET", "/v1/proofs/consistency?from_size=0&to_size=2")
    assert (got.status, got.json["proof"], got.json["to_size"]) == (200, [], 2)
    assert got.headers["Cache-Control"].endswith("immutable")
    assert got.headers["ETag"] == f'"{format_hash(sha256(got.body))}"'
    assert site.raw("HEAD", "/v1/proofs/consistency/0-2.json").headers["ETag"] == got.headers["ETag"]


BAD_QUERIES = [
    *("", "?", "?leaf_hash", "?leaf_hash=", "?leaf_hash=abc", f"?leaf_hash={LEAF}&leaf_hash={LEAF}"),
    *(f"?leaf_hash={LEAF}&x=1", f"?leaf%5fhash={LEAF}", f"?leaf_hash={LEAF[:-1]}%41", f"?LEAF_HASH={LEAF}"),
    *(f"?leaf_hash={LEAF}=", f"?leaf_hash={LEAF}&", f"?leaf_hash=+{LEAF}"),
]
BAD_SIZES = [
    *("", "?from_size=1", "?to_size=1", "?from_size=2&to_size=1", "?from_size=01&to_size=2"),
    *("?from_size=-1&to_size=2", "?from_size=1&to_size=2&to_size=2", "?from_size=1&to_size=2&x=y"),
    *("?from_size=%31&to_size=2", "?from_size=1.0&to_size=2", "?from_size=1&to_size=1_0"),
    *("?from_size=1&to_size=99999999999999999999", "?from_size=1;to_size=2", "?from_size=1&to_size= 2"),
]


@pytest.mark.parametrize(
    "target",
    [f"/v1/proofs/inclusion{q}" for q in BAD_QUERIES]
    + [f"/v1/proofs/consistency{q.replace(' ', '+')}" for q in BAD_SIZES]
    + [
        "/v1/proofs/consistency/2-1.json",
        "/v1/proofs/consistency/01-2.json",
        "/v1/proofs/consistency/a.json",
    ],
)
def test_a_proof_query_with_another_spelling_is_400(site: Site, target: str) -> None:
    got = site.raw("GET", target)
    assert (got.status, got.code) == (400, "malformed-request")
    check_problem_headers(got.headers)


@pytest.mark.parametrize(
    "target",
    [
        f"/v1/proofs/inclusion?leaf_hash={LEAF}",
        f"/v1/entries/{LEAF}.json",
        f"/v1/checkpoints/{LEAF}.json",
        "/v1/proofs/consistency?from_size=0&to_size=99",
        "/v1/proofs/consistency/99-99.json",
        "/tile/0/999",
        "/tile",
        "/pages",
        "/v1",
        "/index.html/",
        "/v1/stats/",
        "/favicon.ico",
    ],
)
def test_what_is_not_there_is_404_and_cached_briefly(site: Site, target: str) -> None:
    got = site.raw("GET", target)
    assert (got.status, got.code) == (404, "not-found")
    check_problem_headers(got.headers)
    assert site.raw("HEAD", target).status == 404


def test_people_at_an_address_of_nothing_get_a_page_and_programs_a_problem(site: Site) -> None:
    accept = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    for target in ("/nothing", "/nothing.html", "/policies/none.html", "/favicon.ico"):
        got = site.raw("GET", target, headers=accept)
        assert (got.status, got.body) == (404, site.service.public.read("404.html")), target
        assert got.headers["Content-Type"] == "text/html; charset=utf-8"
        assert got.headers["Vary"] == "Accept"
        assert got.headers["Cache-Control"] == "public, max-age=5"
        assert site.raw("GET", target).code == "not-found"
    for target in (f"/v1/entries/{LEAF}.json", "/tile/0/999"):
        assert site.raw("GET", target, headers=accept).code == "not-found"


def test_a_page_may_load_its_own_files_only_and_no_object_has_a_policy(site: Site) -> None:
    for target in ("/", "/faq.html", "/policies/PAY-01-wire-transfer.html"):
        headers = site.raw("GET", target).headers
        assert headers["Content-Security-Policy"] == layout.PAGE_POLICY
        assert headers["Referrer-Policy"] == "no-referrer"
    assert "unsafe" not in layout.PAGE_POLICY
    assert site.raw("GET", "/verify.html").headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert "Content-Security-Policy" not in site.raw("GET", "/v1/stats").headers


HOSTILE = [
    *("/../secret.txt", "/..", "/.", "/./v1/stats", "/v1/../v1/stats", "/v1/..", "//v1/stats", "/v1//stats"),
    *("/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/v1%2fstats", "/v1/%73tats"),
    *("/v1/stats%00", "/%00", "/v1/stats%0a", "/%ff", "/%c3%28", "/\xff", "/v1/st\xe4ts", "/v1/stats%"),
    *("/v1\\stats", "/..\\secret.txt", "/~root", "/v1/stats;x=1", "/v1/stats:", "/" + "a" * 300),
    *("/" + "a/" * 600 + "b", "/...", "/v1/.../stats", "/*", "/v1/{stats}", "/linked/x", "///", "//"),
    *("/../registry/v1/stats", "/state/registry/lock", "/../private", "/%2e", "/v1/%2e%2e/v1/stats"),
]


@pytest.mark.parametrize("target", HOSTILE, ids=[ascii(each)[:30] for each in HOSTILE])
def test_a_hostile_path_is_400_or_404_and_stays_in_the_folder(site: Site, target: str) -> None:
    got = send_latin1(site, target)
    assert b" 404 " in got.split(b"\r\n")[0] or b" 400 " in got.split(b"\r\n")[0], got[:200]
    assert b"secret" not in got.split(b"\r\n\r\n", 1)[1].replace(b"secret.txt", b"")


def test_a_link_out_of_the_folder_is_not_followed(site: Site) -> None:
    got = site.raw("GET", "/linked")
    assert got.status == 503
    assert b"secret" not in got.body


def test_cors_preflight_is_answered(site: Site) -> None:
    got = site.raw("OPTIONS", "/v1/stats", headers={"Origin": "https://x.test"})
    assert (got.status, got.body) == (204, b"")
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in got.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(site: Site, method: str) -> None:
    got = site.raw(method, "/v1/stats", b"" if method != "DELETE" else None)
    assert (got.status, got.code) == (405, "method-not-allowed")
    assert got.headers["Allow"] == "GET, HEAD, OPTIONS"


def check_problem_headers(headers: object) -> None:
    assert isinstance(headers, dict)
    assert headers["Cache-Control"] == "public, max-age=5"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["X-Content-Type-Options"] == "nosniff"


def send_latin1(site: Site, target: str) -> bytes:
    """A request whose target is sent byte for byte: http.client refuses some of them."""
    import socket
    from urllib.parse import urlsplit

    split = urlsplit(site.url)
    with socket.create_connection((split.hostname, split.port), timeout=30) as connection:
        connection.sendall(
            b"GET " + target.encode("latin-1") + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        found = b""
        while chunk := connection.recv(65536):
            found += chunk
    return found
