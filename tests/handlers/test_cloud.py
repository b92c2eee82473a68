"""The handlers in a cloud (ministack): the whole way, and what the cloud's pieces refuse."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attestlayer.log.layout import headers_of
from attestlayer.log.trust import parse_trust
from attestlayer.reading.files import open_kit
from attestlayer.verify.verifier import verify
from handlers.client import ORIGIN
from handlers.cloud import CloudSite, fetch, running_cloud, send
from issuer.bootstrap.cloud import initialise_cloud
from issuer.cli.main import main
from issuer.errors import Code, LogHaltedError, ServiceError
from issuer.handlers import deliver, maintain, notify, publish, sequence
from issuer.log.watch import ClockWatch
from issuer.settings import CloudSettings
from support import cloud_home
from support.cloud_places import client
from support.cloud_servers import MINISTACK, server_url


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudSite]:
    with running_cloud(tmp_path_factory.mktemp("cloud")) as site:
        yield site


def settings_of(site: CloudSite) -> CloudSettings:
    assert isinstance(site.service.settings, CloudSettings)
    return site.service.settings


def publish_and_deliver(site: CloudSite) -> None:
    for _ in range(3):
        site.service.clock.sleep(1 - site.service.clock.now() % 1)
        sequence.handler({}, None)
        assert deliver.handler({}, None)["failed"] == []
        if not site.service.ledger.waiting_leaves(2**40, 1):
            return
    raise AssertionError("the leaf did not get into the log")


def test_a_packet_is_issued_and_its_kit_verifies(cloud: CloudSite, tmp_path: Path) -> None:
    packet_id = cloud.open()
    cloud.fill(packet_id)
    issued = cloud.issue(packet_id)
    assert issued.status == 202, issued
    assert cloud.balance() == 9
    publish_and_deliver(cloud)
    assert cloud.packet(packet_id)["state"] == "issued"

    kit = cloud.call("GET", issued.json["kit_at"])
    assert kit.status == 303
    download = fetch(kit.headers["Location"])
    assert download.status == 200
    digest = base64.b64encode(hashlib.sha256(download.body).digest()).decode()
    assert kit.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert download.headers["Content-Type"] == "application/zip"
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert download.headers["Cache-Control"] == "private, no-store"

    path = tmp_path / "kit.zip"
    path.write_bytes(download.body)
    trust = cloud.service.public.read("v1/trust.json")
    assert trust is not None
    with open_kit(path) as opened:
        verify(opened, parse_trust(trust))

    answer = notify.handler(
        {"workspace": cloud.workspace_id, "kit_id": issued.json["kit_id"], "reason": "issued-in-error"}, None
    )
    assert answer == {"queued": "kit.withdrawn"}
    assert publish.handler({}, None) == {"changed": 0}
    found = maintain.handler({}, None)
    assert (found["findings"], found["failed"]) == ([], [])


def test_making_the_log_again_changes_nothing(cloud: CloudSite) -> None:
    private, public = cloud.service.private, cloud.service.public

    def all_objects() -> dict[str, bytes | None]:
        return {name: store.read(name) for store in (private, public) for name in store.list("")}

    before = all_objects()
    initialise_cloud(settings_of(cloud))
    assert all_objects() == before


def test_public_objects_carry_the_registry_s_headers(cloud: CloudSite) -> None:
    s3 = client("s3", server_url(MINISTACK))
    for name in cloud.service.public.list(""):
        found = s3.head_object(Bucket=settings_of(cloud).registry_bucket, Key=name, ChecksumMode="ENABLED")
        wanted = headers_of(name)
        assert found["ContentType"] == wanted["Content-Type"]
        assert found["CacheControl"] == wanted["Cache-Control"]
        assert found["ChecksumSHA256"], name


def announced(site: CloudSite, packet_id: str) -> Any:
    """The form for a record of twelve bytes."""
    got = site.announce(
        packet_id, "a.txt", "approval", b"twelve bytes", approver="A", approved_at="2026-01-01"
    )
    assert got.status == 201, got
    return got.json["upload"]


@pytest.mark.parametrize("data", [b"", b"short", b"x" * 12], ids=["nothing", "shorter", "other bytes"])
def test_an_upload_of_other_bytes_is_refused_by_the_bucket_or_the_service(
    cloud: CloudSite, data: bytes
) -> None:
    packet_id = cloud.open()
    upload = announced(cloud, packet_id)
    answer = send(upload["url"], upload["fields"], data)
    if len(data) != 12:
        assert answer.status in (400, 403), answer
    # ministack does not check a form's checksum, S3 does: the service hashes what it reads in any case.
    issued = cloud.issue(packet_id)
    assert issued.status != 202
    assert cloud.packet(packet_id)["state"] != "sealed"


def test_an_upload_to_another_name_is_refused(cloud: CloudSite) -> None:
    packet_id = cloud.open()
    upload = announced(cloud, packet_id)
    answer = send(upload["url"], upload["fields"] | {"key": "kits/other.zip"}, b"twelve bytes")
    assert answer.status == 403
    assert not cloud.service.private.exists("kits/other.zip")


def test_the_operator_s_commands_work_on_the_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in cloud_home.environment(tmp_path, ORIGIN, cadence_s=1).items():
        monkeypatch.setenv(name, value)
    for command in (
        ["init"],
        ["init"],
        ["workspace", "provision", "Acme", "--tier", "starter"],
        ["workspace", "list"],
        ["sequence"],
        ["reconcile"],
        ["collect"],
    ):
        assert main(command) == 0, command
    assert capsys.readouterr().err == ""
    assert main(["workspace", "list", "--home", str(tmp_path / "home")]) == 2
    assert "both a home and the cloud" in capsys.readouterr().err
    assert main(["serve"]) == 2
    assert "--home" in capsys.readouterr().err
    assert main(["init", "--origin", "registry.other.org"]) == 2
    assert "registry.other.org" in capsys.readouterr().err


def test_a_wrapped_key_that_is_gone_beside_a_log_is_never_made_anew(tmp_path: Path) -> None:
    settings = cloud_home.settings(tmp_path, ORIGIN, cadence_s=1)
    service = initialise_cloud(settings)
    service.private.delete(cloud_home.WRAPPED_OBJECT)
    with pytest.raises(ServiceError, match="restored") as caught:
        initialise_cloud(settings)
    assert caught.value.code is Code.KEY_UNUSABLE
    assert not service.private.exists(cloud_home.WRAPPED_OBJECT)


@pytest.mark.parametrize("difference", [-7, 7])
def test_no_round_is_made_while_own_clock_and_the_store_s_disagree(cloud: CloudSite, difference: int) -> None:
    def watch(seconds: int) -> ClockWatch:
        return ClockWatch(cloud.service.clock, lambda: cloud.service.clock.now() + seconds)

    with pytest.raises(LogHaltedError, match="differ"):
        replace(cloud.service, watch=watch(difference)).sequencer.run()
    replace(cloud.service, watch=watch(difference // 2)).sequencer.run()
    cloud.service.sequencer.run()
