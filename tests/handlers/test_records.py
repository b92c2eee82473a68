"""Records over HTTP: announced, uploaded, refused with what was found and wanted, removed."""

import io
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pikepdf
import pydantic_core
import pytest

from attestlayer.encoding import format_hash, sha256
from handlers.client import Site, form
from issuer.adapters.local.transfers import LocalTransfers
from issuer.intake.policy import MAX_TOTAL_SIZE

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


def stored(site: Site, packet_id: str) -> list[str]:
    return list(site.service.private.list(f"records/{packet_id}/"))


def test_a_record_is_announced_uploaded_and_removed(site: Site) -> None:
    packet_id = site.open()
    announced = site.announce(packet_id, "授权书 №1.pdf", "authority", PDF, reference="A-1")
    assert announced.status == 201
    record = announced.json["record"]
    assert (record["name"], record["uploaded"], record["size"]) == ("授权书 №1.pdf", False, len(PDF))
    form_of = announced.json["upload"]
    assert form_of["url"] == f"{site.url}/uploads"
    assert site.upload(form_of["fields"], PDF).status == 204
    assert site.upload(form_of["fields"], PDF).status == 204  # the same again is fine
    assert site.packet(packet_id)["records"][0]["uploaded"] is True
    path = f"/v1/packets/{packet_id}/records/{record['record_id']}"
    removed = site.call("DELETE", path)
    assert (removed.status, removed.body) == (204, b"")
    assert "Content-Type" not in removed.headers
    assert stored(site, packet_id) == []
    assert site.call("DELETE", path).code == "not-found"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"size": 0, "sha256": format_hash(sha256(b""))}, "empty", ("empty",)),
        ({"record_type": "selfie"}, "unknown-type", ("'selfie'", "authority")),
        ({"size": 99_000_000}, "too-large", ("99000000 bytes", "at most")),
    ],
)
def test_a_record_that_can_not_be_taken_is_refused_with_what_was_found_and_wanted(
    site: Site, changes: dict[str, object], code: str, words: tuple[str, ...]
) -> None:
    packet_id = site.open()
    before = site.packet(packet_id)
    body = {"name": "a.pdf", "record_type": "authority", "size": 9, "sha256": format_hash(sha256(b"a"))}
    got = site.call("POST", f"/v1/packets/{packet_id}/records", body | changes)
    assert (got.status, got.code) == (422, "record-refused")
    (fault,) = got.json["errors"]
    assert fault["code"] == code
    told = f"{got.detail} {fault['detail']} {fault['fix']}"
    assert all(word in told for word in ("a.pdf", *words)), told
    assert site.packet(packet_id) == before


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"size": "9"}, "/size"),
        ({"size": True}, "/size"),
        ({"sha256": "0" * 64}, "/sha256"),
        ({"sha256": "A" * 42 + "B"}, "/sha256"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 256}, "/name"),
        ({"metadata": {"a": 1}}, "/metadata/a"),
        ({"metadata": []}, "/metadata"),
        ({"content": "AAAA"}, "/content"),
    ],
)
def test_a_record_with_a_value_that_is_not_valid_is_pointed_at(
    site: Site, changes: dict[str, object], pointer: str
) -> None:
    packet_id = site.open()
    body = {"name": "a.pdf", "record_type": "authority", "size": 9, "sha256": format_hash(sha256(b"a"))}
    got = site.call("POST", f"/v1/packets/{packet_id}/records", body | changes)
    assert (got.status, got.code) == (422, "invalid-request")
    assert [each["pointer"] for each in got.json["errors"]] == [pointer]
    assert site.packet(packet_id)["records"] == []


def test_the_same_bytes_twice_are_refused(site: Site) -> None:
    packet_id = site.open()
    site.submit(packet_id, "one.pdf", "authority", PDF)
    got = site.announce(packet_id, "two.pdf", "supporting-document", PDF)
    assert (got.status, got.code) == (422, "record-refused")
    assert got.json["errors"][0]["code"] == "duplicate"
    assert len(site.packet(packet_id)["records"]) == 1


def test_more_bytes_than_a_packet_may_have_are_too_large(site: Site) -> None:
    packet_id = site.open("DORA", "ict-third-party")
    policy = site.call("GET", "/v1/lanes/DORA/ict-third-party").json
    kind = max(policy["record_types"], key=lambda each: each["max_size"])
    largest = min(kind["max_size"], MAX_TOTAL_SIZE)
    for number in range(20):
        body = {
            "name": f"{number}.pdf",
            "record_type": kind["record_type"],
            "size": largest,
            "sha256": format_hash(sha256(b"%d" % number)),
        }
        got = site.call("POST", f"/v1/packets/{packet_id}/records", body)
        if got.status != 201:
            break
    assert (got.status, got.code) == (413, "too-large")
    assert str(policy["policy"]["limits"]["max_total_size"]) in got.detail
    assert len(site.packet(packet_id)["records"]) == number


def encrypted_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()


def nested_zip() -> bytes:
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.txt", "a")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
    return outer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "check", "found"),
    [
        ("authority.pdf", b"MZ\0\0" + b"\0" * 200, "no-executables", "program"),
        ("authority.pdf", b"just text\n", "form", "TXT"),
        ("authority.pdf", encrypted_pdf(), "not-encrypted", "password"),
        ("authority.zip", nested_zip(), "no-nested-archives", "archive"),
        ("authority.pdf", PDF, "readable", "PDF"),
        ("authority.pdf", b"\n\n", "not-empty", "white space"),
    ],
)
def test_a_record_that_is_not_what_it_seems_blocks_and_says_why(
    site: Site, name: str, data: bytes, check: str, found: str
) -> None:
    packet_id = site.open()
    site.fill(packet_id, without="authority")
    site.submit(packet_id, name, "authority", data)
    report = site.call("POST", f"/v1/packets/{packet_id}/check").json
    assert report["outcome"] == "FAIL"
    blockers = {each["check"]: each for each in report["blockers"]}
    assert check in blockers, list(blockers)
    (finding,) = blockers[check]["findings"]
    assert name in [each["name"] for each in finding["records"]]
    assert found in finding["found"]
    assert finding["expected"]
    assert finding["fix"]
    issued = site.issue(packet_id)
    assert (issued.status, issued.json["outcome"]) == (200, "FAIL")
    assert site.balance() == 10


def test_a_record_that_was_not_uploaded_is_a_blocker_like_another(site: Site) -> None:
    packet_id = site.open()
    site.fill(packet_id, without="authority")
    site.announce(packet_id, "late.pdf", "authority", PDF, person="")
    site.submit(packet_id, "empty.txt", "authority", b"  ")
    for method, path in (("POST", "/check"), ("GET", "/blockers")):
        got = site.call(method, f"/v1/packets/{packet_id}{path}")
        assert got.status == 200, got
        text = pydantic_core.to_json(got.json["blockers"]).decode()
        blockers = {each["check"]: each for each in got.json["blockers"]}
        assert {"uploaded", "not-empty", "metadata"} <= blockers.keys()
        late = pydantic_core.to_json(blockers["uploaded"]).decode()
        assert "late.pdf" in late
        assert "is not uploaded" in late
        assert f"its {len(PDF)} bytes" in late
        assert "Upload the file, or remove the record." in text
        assert "empty.txt" not in late
    issued = site.issue(packet_id)
    assert (issued.status, issued.json["outcome"]) == (200, "FAIL")
    assert [one["outcome"] for one in site.packet(packet_id)["attempts"]] == ["FAIL"]
    assert site.balance() == 10


def test_the_blocker_report_is_json_or_text_for_the_client(site: Site) -> None:
    packet_id = site.open()
    path = f"/v1/packets/{packet_id}/blockers"
    as_json = site.call("GET", path)
    assert as_json.json["schema"] == "attestlayer/blocker-report/1"
    as_text = site.call("GET", path, Accept="text/plain, application/json;q=0.5")
    assert as_text.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = as_text.body.decode()
    assert text.startswith("FAIL  PAY-01/wire-transfer")
    assert "To do:" in text
    assert site.packet(packet_id)["state"] == "open"  # reading changes nothing


def test_the_report_of_an_issued_packet_stays_as_it_was(site: Site) -> None:
    packet_id = site.open()
    site.fill(packet_id)
    site.issue(packet_id)
    first = site.call("GET", f"/v1/packets/{packet_id}/blockers")
    assert first.json["outcome"] == "PASS"
    site.publish()
    assert site.call("GET", f"/v1/packets/{packet_id}/blockers").body == first.body


# --- uploads and downloads


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PDF + b"x", f"more than the announced {len(PDF)} bytes"),
        (PDF[:-1], f"{len(PDF) - 1} bytes, {len(PDF)} were announced"),
        (b"", f"0 bytes, {len(PDF)} were announced"),
        (PDF.replace(b"1.7", b"1.6"), "SHA-256"),
        (PDF * 40_000, "more than the announced"),
    ],
)
def test_other_bytes_than_announced_are_refused_and_not_stored(site: Site, data: bytes, words: str) -> None:
    packet_id = site.open()
    fields = site.announce(packet_id, "a.pdf", "authority", PDF).json["upload"]["fields"]
    got = site.upload(fields, data)
    assert (got.status, got.code) == (422, "record-refused")
    assert words in got.detail
    assert stored(site, packet_id) == []
    assert site.upload(fields, PDF).status == 204


def test_an_announcement_whose_answer_was_lost_can_be_made_again_until_the_bytes_are_there(
    site: Site,
) -> None:
    packet_id = site.open()
    first, again = (site.announce(packet_id, "a.pdf", "authority", PDF) for _ in range(2))
    assert again.status == first.status
    assert again.json["record"] == first.json["record"]
    assert site.upload(again.json["upload"]["fields"], PDF).status == 204
    assert site.announce(packet_id, "a.pdf", "authority", PDF).code == "record-refused"


def test_a_changed_or_expired_form_is_forbidden(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    packet_id = site.open()
    fields = site.announce(packet_id, "a.pdf", "authority", PDF).json["upload"]["fields"]
    for name in fields:
        got = site.upload(fields | {name: fields[name][:-1] + ("8" if fields[name][-1] == "9" else "9")}, PDF)
        assert (got.status, got.code) == (403, "link-refused"), name
    other = fields | {"key": fields["key"].replace("records/", "kits/")}
    assert site.upload(other, PDF).code == "link-refused"
    with monkeypatch.context() as patched:
        clock = site.service.clock
        patched.setattr(type(clock), "now", lambda _, now=clock.now: now() + 3601)
        assert "expired" in site.upload(fields, PDF).detail
    assert stored(site, packet_id) == []


def test_a_form_dies_with_its_record(site: Site) -> None:
    packet_id = site.open()
    added = site.announce(packet_id, "a.pdf", "authority", PDF).json
    record_id, fields = added["record"]["record_id"], added["upload"]["fields"]
    assert site.call("DELETE", f"/v1/packets/{packet_id}/records/{record_id}").status == 204
    got = site.upload(fields, PDF)
    assert (got.status, got.code) == (403, "link-refused")
    assert "taken out" in got.detail
    assert stored(site, packet_id) == []


def test_a_form_dies_with_its_packet(site: Site) -> None:
    packet_id = site.open()
    fields = site.announce(packet_id, "a.pdf", "authority", PDF).json["upload"]["fields"]
    assert site.call("DELETE", f"/v1/packets/{packet_id}").status == 200
    assert site.upload(fields, PDF).code == "link-refused"
    assert stored(site, packet_id) == []


def test_bytes_that_come_while_their_record_is_taken_out_are_not_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet_id = site.open()
    added = site.announce(packet_id, "a.pdf", "authority", PDF).json
    record_id, fields = added["record"]["record_id"], added["upload"]["fields"]
    store = type(site.service.private)
    create = store.create_file

    def slow(self: object, name: str, path: object) -> None:
        site.service.packets.remove_record(site.workspace_id, packet_id, record_id)
        create(self, name, path)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(store, "create_file", slow)
        assert site.upload(fields, PDF).code == "link-refused"
    assert stored(site, packet_id) == []


def test_a_form_of_another_shape_is_malformed(site: Site) -> None:
    packet_id = site.open()
    fields = site.announce(packet_id, "a.pdf", "authority", PDF).json["upload"]["fields"]
    kind, body = form(fields, PDF)
    wrong = [
        ("text/plain", body),
        ("multipart/form-data", body),
        ("multipart/form-data; boundary=", body),
        ("multipart/form-data; boundary=other", body),
        (kind, body[:-20]),
        (kind, b""),
        (kind, body + b"x" * 10 + body),
        form(fields, None),
        form({}, PDF),
        form({"key": fields["key"]}, PDF),
        form({**fields, "more": "x"}, PDF),
        form({**fields, "key": "x" * 2000}, PDF),
        form({str(number): "x" for number in range(9)}, PDF),
        (kind, body.replace(b'name="expires"', b'name="key"')),
        (kind, body.replace(b'name="file"', b'name="expires"')),
        (kind, body.replace(fields["key"].encode(), b"\xff\xfe")),
        (kind, body.replace(b"Content-Disposition", b"Content-Nothing")),
        (
            kind,
            body.replace(
                b"------6d1f--",
                b'------6d1f\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n------6d1f--',
            ),
        ),
    ]
    for number, (content_type, data) in enumerate(wrong):
        got = site.raw("POST", "/uploads", data, {"Content-Type": content_type})
        if number == 6:
            continue  # what is behind the form's end is not read
        assert (got.status, got.code) == (400, "malformed-request"), (number, got)
    assert stored(site, packet_id) in ([], [fields["key"]])


def test_an_upload_beyond_every_limit_is_refused_unread(site: Site) -> None:
    import http.client

    split = urlsplit(site.url)
    connection = http.client.HTTPConnection(str(split.hostname), split.port, timeout=30)
    connection.putrequest("POST", "/uploads")
    connection.putheader("Content-Length", str(MAX_TOTAL_SIZE * 2))
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_a_large_record_goes_through_the_disk(site: Site) -> None:
    packet_id = site.open()
    data = b"a line of a log\n" * 1_000_000
    record_id = site.submit(packet_id, "log.txt", "supporting-document", data)
    assert site.service.private.read(f"records/{packet_id}/{record_id}") == data


def test_downloads_answer_only_signed_addresses(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    transfers: LocalTransfers = site.service.transfers
    site.service.private.create(f"kits/{site.workspace_id}.zip", b"kit")
    name = f"kits/{site.workspace_id}.zip"
    until = int(site.service.clock.now()) + 60
    url = transfers.download_url(name, 'kit "é".zip', until).removeprefix(site.url)
    got = site.raw("GET", url)
    assert (got.status, got.body) == (200, b"kit")
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"download\"; filename*=UTF-8''kit%20%22%C3%A9%22.zip"
    )
    assert got.headers["Cache-Control"] == "private, no-store"
    gone = transfers.download_url("kits/none.zip", "kit.zip", until).removeprefix(site.url)
    assert site.raw("GET", gone).code == "not-found"
    path, _, query = url.partition("?")
    for target, status in [
        (path, 400),
        (f"{path}?{query}&as=x", 400),
        (f"{path}?{query}&more=x", 400),
        (f"{path}?%ff", 400),
        (f"{path}x?{query}", 403),
        (f"/downloads/records/x?{query}", 403),
        (f"/downloads/%2e%2e/settings/transfer.secret?{query}", 403),
        (f"/downloads/%ff?{query}", 400),
        (f"/downloads/%00?{query}", 400),
        (f"{path}?{query.replace('expires=', 'expires=9')}", 403),
    ]:
        found = site.raw("GET", target)
        assert found.status == status, target
        assert found.code in ("malformed-request", "link-refused")
    assert parse_qs(query)["as"] == ['kit "é".zip']
    with monkeypatch.context() as patched:
        clock = site.service.clock
        patched.setattr(type(clock), "now", lambda _, now=clock.now: now() + 61)
        assert "expired" in site.raw("GET", url).detail
