"""Pages that name the trust root and the kit of verifiers follow them when the notices change."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from attestlayer.canonical import format_json
from attestlayer.encoding import format_hash, sha256
from attestlayer.log import layout
from attestlayer.log.notices import IncidentReason, late_merge
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
    """Whether the front page names the trust root, and the kit, that are served."""
    text = parse_page("index.html", service.public.read("index.html") or b"").text
    trust, kit = (service.public.read(name) or b"" for name in (layout.TRUST, layout.VERIFY_KIT))
    return format_hash(sha256(trust)) in text, sha256(kit).hex() in text


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
