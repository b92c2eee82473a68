"""The whole way over HTTP, with the log running beside: open, upload, check, issue, download, verify."""

import base64
import hashlib
from pathlib import Path

from attestlayer.log.trust import parse_trust
from attestlayer.reading.files import open_kit
from attestlayer.verify.verifier import verify
from handlers.client import running


def test_a_packet_is_issued_and_its_kit_verifies(tmp_path: Path) -> None:
    with running(tmp_path / "home", ticking=True) as site:
        packet_id = site.open()
        site.fill(packet_id, without="approval")
        failed = site.call("POST", f"/v1/packets/{packet_id}/check")
        assert failed.json["outcome"] == "FAIL"
        assert site.packet(packet_id)["state"] == "blocked"

        site.call("DELETE", f"/v1/packets/{packet_id}")
        packet_id = site.open()
        site.fill(packet_id)
        passed = site.call("POST", f"/v1/packets/{packet_id}/check")
        assert passed.json["outcome"] == "PASS"
        assert site.packet(packet_id)["state"] == "ready"

        issued = site.issue(packet_id)
        assert issued.status == 202
        assert issued.json["credits_consumed"] == 1
        assert site.balance() == 9

        waited = site.call("GET", f"/v1/packets/{packet_id}", Prefer="wait=20")
        assert waited.json["state"] == "issued"

        kit = site.call("GET", issued.json["kit_at"])
        assert kit.status == 303
        target = kit.headers["Location"].removeprefix(site.url)
        download = site.raw("GET", target)
        assert download.status == 200
        digest = base64.b64encode(hashlib.sha256(download.body).digest()).decode()
        assert kit.headers["Repr-Digest"] == download.headers["Repr-Digest"] == f"sha-256=:{digest}:"
        assert int(download.headers["Content-Length"]) == len(download.body)
        name = f"{issued.json['kit_id']}.zip"
        assert download.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert site.raw("HEAD", target).body == b""

        path = tmp_path / name
        path.write_bytes(download.body)
        trust = parse_trust(site.raw("GET", "/v1/trust.json").body)
        with open_kit(path) as opened:
            verify(opened, trust)
