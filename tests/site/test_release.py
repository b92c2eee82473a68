"""The kit of verifiers and the pages that name it follow the trust root when the notices change."""

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from attestlayer.canonical import format_json
from attestlayer.encoding import sha256
from attestlayer.log import layout
from attestlayer.log.notices import IncidentReason, late_merge
from attestlayer.log.trust import parse_trust
from issuer.bootstrap import process
from issuer.bootstrap.home import initialise_home
from issuer.bootstrap.service import Service
from issuer.handlers import release
from issuer.model import QueuedNotice
from issuer.settings import Settings
from support.site_pages import parse_page


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    before = list(process._used)
    made = initialise_home(Settings(tmp_path / "home", 1), "registry.test")
    process.use(made)
    yield made
    process._used[:] = before


def named(service: Service) -> tuple[bool, bool]:
    """Whether the kit that is served holds the trust root that is; whether the front page names both."""
    text = parse_page("index.html", service.public.read("index.html") or b"").text
    trust, kit = (service.public.read(name) or b"" for name in (layout.TRUST, layout.VERIFY_KIT))
    with zipfile.ZipFile(io.BytesIO(kit)) as archive:
        held = archive.read("trust.json")
    return held == trust, sha256(kit).hex() in text and parse_trust(trust).identity().format() in text


def test_pages_follow_the_trust_root(service: Service) -> None:
    assert named(service) == (True, True)
    assert release.handler({}, None) == {"changed": False}
    kind, data = late_merge(0, 0, IncidentReason.OUTAGE)
    before = service.public.read(layout.TRUST)
    service.ledger.queue_notice(QueuedNotice(kind.value, format_json(data)))
    while service.public.read(layout.TRUST) == before:
        service.sequencer.run()
        time.sleep(0.05)
    assert named(service) == (False, True)
    assert release.handler({}, None) == {"changed": True}
    assert named(service) == (True, True)
