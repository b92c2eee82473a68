"""What `Transfers` promises: a form stores exactly what it names, an address answers one object."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from attestlayer.encoding import sha256
from handlers.client import form, running
from issuer.adapters.aws.s3 import S3Store
from issuer.adapters.aws.transfers import S3Transfers
from issuer.adapters.system import SystemClock
from issuer.ports import ObjectStore, Transfers
from support.cloud_places import bucket, client, s3_place
from support.cloud_servers import MINISTACK, server_url

DATA = b"twelve bytes"
NAME = "records/pkt_1/rec_1"


@dataclass(frozen=True)
class Place:
    """Transfers, and the store that they are of. `now`: seconds by the clock that addresses expire by."""

    transfers: Transfers
    private: ObjectStore
    now: Callable[[], float]
    checks_bytes: bool
    name: str = NAME

    def send(self, data: bytes, **changed: str) -> int:
        """The status of an upload of `data` with the form for `DATA`, its fields changed."""
        made = self.transfers.upload_form(self.name, len(DATA), sha256(DATA), int(self.now()) + 600)
        kind, body = form({**made.fields, **changed}, data)
        return ask(made.url, body, {"Content-Type": kind})[0]


def ask(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, str]:
    """Status, body and Content-Disposition."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, dict(headers or {})), timeout=30
        ) as got:
            return got.status, got.read(), got.headers.get("Content-Disposition", "")
    except urllib.error.HTTPError as error:
        return error.code, error.read(), ""


@pytest.fixture(params=["local", "s3-ministack"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "local":
        with running(tmp_path / "home") as site:
            service = site.service
            # The local server looks whether the record is still announced.
            announced = site.announce(site.open(), "a.txt", "authority", DATA).json
            name = announced["upload"]["fields"]["key"]
            yield Place(service.transfers, service.private, service.clock.now, checks_bytes=True, name=name)
        return
    clock = SystemClock()  # the client signs by it, too
    name = bucket(MINISTACK, tmp_path, "private")
    transfers = S3Transfers(client("s3", server_url(MINISTACK)), name, clock)
    # ministack does not look at a form's checksum, which Amazon's S3 does.
    yield Place(transfers, S3Store(name, s3_place(MINISTACK)), clock.now, checks_bytes=False)


def test_a_form_stores_the_bytes_that_it_names(place: Place) -> None:
    assert place.send(DATA) == 204
    assert place.private.read(place.name) == DATA
    assert place.send(DATA) == 204, "the same bytes again are fine"


@pytest.mark.parametrize("data", [b"", DATA[:-1], DATA + b"!"], ids=["nothing", "too short", "too long"])
def test_a_form_does_not_store_another_length(place: Place, data: bytes) -> None:
    assert 400 <= place.send(data) < 500
    assert place.private.read(place.name) is None


def test_a_form_does_not_store_other_bytes(place: Place) -> None:
    if not place.checks_bytes:
        made = place.transfers.upload_form(place.name, len(DATA), sha256(DATA), int(place.now()) + 600)
        assert made.fields["x-amz-checksum-sha256"]
        assert 400 <= place.send(DATA, **{"x-amz-checksum-sha256": "A" * 43 + "="}) < 500, "it is signed"
        return
    assert 400 <= place.send(b"TWELVE BYTES") < 500
    assert place.private.read(place.name) is None


def test_a_form_does_not_store_under_another_name(place: Place) -> None:
    assert place.send(DATA, key="kits/other.zip") == 403
    assert place.private.read("kits/other.zip") is None
    assert place.private.read(place.name) is None


@pytest.mark.parametrize("filename", ["kit_1.zip", 'na"me é.txt'])
def test_an_address_answers_the_object_as_a_file_of_that_name(place: Place, filename: str) -> None:
    place.private.create("kits/kit_1.zip", DATA)
    url = place.transfers.download_url("kits/kit_1.zip", filename, int(place.now()) + 600)
    status, body, disposition = ask(url)
    assert (status, body) == (200, DATA)
    assert disposition.startswith("attachment")
    assert filename in disposition or "filename*=UTF-8''" in disposition


def test_an_address_that_was_changed_answers_nothing(place: Place) -> None:
    for name in ("kits/kit_1.zip", "kits/kit_2.zip"):
        place.private.create(name, DATA)
    url = place.transfers.download_url("kits/kit_1.zip", "kit_1.zip", int(place.now()) + 600)
    status, body, _ = ask(url.replace("kits/kit_1.zip", "kits/kit_2.zip"))
    assert status == 403
    assert body != DATA
