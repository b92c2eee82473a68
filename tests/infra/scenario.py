"""Every function does what it does, the operator what is his, while it is written down what they ask for."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from attestlayer.encoding import sha256
from attestlayer.kit.receipt import Nonce
from attestlayer.log import layout
from attestlayer.log.promises import MERGE_DELAY_S
from handlers.client import ORIGIN
from handlers.cloud import CloudSite, fetch
from infra.recording import ACCOUNT, Recorder
from issuer.adapters.aws.transfers import S3Clock
from issuer.adapters.system import SystemClock
from issuer.bootstrap import cloud, process
from issuer.bootstrap.cloud import open_cloud
from issuer.bootstrap.process import _cloud_prover
from issuer.bootstrap.service import Service
from issuer.cli.home import DONE, FAILED
from issuer.cli.main import main
from issuer.handlers import deliver, index, initialise, maintain, notify, prove, publish, release, sequence
from issuer.services.sequence import Sequencer
from issuer.settings import read_cloud
from support import cloud_home
from support.cloud_servers import MINISTACK, server_url
from support.log import Crash, HeldClock, Tap, TestLog, tapped, wait

DAY_S = 86_400
GROUP = 257
"""Leaves: a full tile, and more."""
APPROVAL = {"approver": "A", "approved_at": "2026-01-01"}

Handler = Callable[[dict[str, object], object], dict[str, object]]


class Scenario:
    """A cloud of its own, and a clock that moves when it is told. `signing`: how receipts are signed."""

    def __init__(self, place: Path, signing: str, patch: pytest.MonkeyPatch) -> None:
        server = server_url(MINISTACK)
        self.recorder = Recorder(server)
        told = cloud_home.environment(place, ORIGIN, url=self.recorder.url, cadence_s=1)
        if signing == "kms":
            told["ATTESTLAYER_ISSUER_KEYS"] = f"kms:{cloud_home.signing_key(place, 'issuer', ORIGIN)}"
        for name, value in told.items():
            patch.setenv(name, value)
        self.is_whole = signing == "kms"
        """What signs no receipt is done once."""
        self.clock = clock = HeldClock(SystemClock().now())
        patch.setattr(cloud, "SystemClock", lambda: clock)

        class HeldStoreClock(S3Clock):
            def now(self) -> int:
                super().now()
                return int(clock.time)

        patch.setattr(cloud, "S3Clock", HeldStoreClock)
        self.settings = read_cloud(told)
        self.unseen = open_cloud(read_cloud(told | {"AWS_ENDPOINT_URL": server}))
        """The same cloud for the scenario itself."""
        self.log = TestLog(place, clock)

    def names(self) -> dict[str, str]:
        """ARNs of this cloud, by the template's names."""
        (registry,), (issuer,) = self.settings.registry_keys, self.settings.issuer_keys
        key = "SeedKey" if issuer.wrapped else "IssuerKey"
        return {
            "Registry.Arn": f"arn:aws:s3:::{self.settings.registry_bucket}",
            "Private.Arn": f"arn:aws:s3:::{self.settings.private_bucket}",
            "Ledger.Arn": ACCOUNT.format(service="dynamodb", name=f"table/{self.settings.table}"),
            "RegistryKey.Arn": ACCOUNT.format(service="kms", name=f"key/{registry.kms_key}"),
            f"{key}.Arn": ACCOUNT.format(service="kms", name=f"key/{issuer.kms_key}"),
        }

    def run(self) -> None:
        """Do all of it."""
        self._call(initialise.handler)
        site = self._operate()
        kit_id = self._issue(site)
        withdrawal = {"workspace": site.workspace_id, "kit_id": kit_id, "reason": "issued-in-error"}
        assert self._call(notify.handler, **withdrawal) == {"queued": "kit.withdrawn"}
        with self._acting("OperatorRole"):
            command("kit", "withdraw", site.workspace_id, kit_id, "--reason", "issued-in-error")
        if self.is_whole:
            for handler in (initialise.handler, sequence.handler):
                self._hold_a_round_up()
                self._call(handler)
            self._fill_a_tile()
            self._publish()
            self._maintain()
        else:
            with self._acting("OperatorRole"):
                command("reconcile")
                command("audit", ends=FAILED)  # of the keys, which he has not
        assert self.recorder.unknown == []

    def _operate(self) -> CloudSite:
        with self._acting("OperatorRole") as service:
            workspace = service.workspaces.provision("Acme", "growth", granted=1)
            key = service.workspaces.make_key(workspace.workspace_id, "tests")
            contact = ("--contact", "A,a@example.org,lead")
            request = command("qualify", "receive", "--tier", "starter", *contact, "--workflow", "w").strip()
            command("qualify", "list")
            command("qualify", "accept", request, "--scope", "s", "--boundaries", "b", "--by", "me")
            command("workspace", "grant", workspace.workspace_id, "1", "--reference", "invoice 1")
            command("workspace", "key", workspace.workspace_id, "--label", "second")
            command("workspace", "list")
            command("workspace", "show", workspace.workspace_id)
        return CloudSite(self.unseen, "https://api.example.org", workspace.workspace_id, key)

    def _issue(self, site: CloudSite) -> str:
        """A partner's whole way; the id of the kit, which is in the log and downloaded."""
        with self._acting("IssueRole"):
            contact = {"name": "B", "email": "b@example.org", "role": "lead"}
            body = {"tier": "starter", "contact": contact, "workflow": "w"}
            assert site.call("POST", "/v1/qualifications", body).status == 201
            self._fail(site)
            packet_id = site.open()
            site.fill(packet_id)
            assert site.call("POST", f"/v1/packets/{packet_id}/check").json["outcome"] == "PASS"
            unknown = Nonce(sha256(b"no checkpoint"), bytes(32)).format().decode()
            assert site.issue(packet_id, nonce=unknown).code == "nonce-checkpoint-unknown"
            issued = site.issue(packet_id)
            assert issued.status == 202, issued
        assert self._call(deliver.handler)["delivered"] == []  # its leaf is in no round yet
        self.clock.time += 1
        assert self._call(sequence.handler)["leaves"] == 1
        assert self._call(deliver.handler)["failed"] == []
        with self._acting("IssueRole"):
            kit = site.call("GET", f"/v1/packets/{packet_id}/kit")
            assert fetch(kit.headers["Location"]).status == 200
            for path in ("packets", "workspace", "workspace/credits", "lanes"):
                assert site.call("GET", f"/v1/{path}").status == 200
            assert site.call("PUT", "/v1/workspace/contacts", {"contacts": []}).status == 200
        return str(issued.json["kit_id"])

    def _fail(self, site: CloudSite) -> None:
        """A packet that comes to nothing. It grows so large that its item is cut into parts."""
        packet_id = site.open()
        record = site.submit(packet_id, "a.txt", "approval", b"twelve bytes", **APPROVAL)
        letters = random.Random(1)
        for number in range(18):
            more = {f"m{n}": letters.randbytes(500).hex() for n in range(48)}
            never = site.announce(packet_id, f"{number}.txt", "approval", b"%d" % number, **APPROVAL, **more)
            assert never.status == 201, never
        assert site.issue(packet_id).json["outcome"] == "FAIL"  # they were not uploaded
        for each in (record, never.json["record"]["record_id"]):
            assert site.call("DELETE", f"/v1/packets/{packet_id}/records/{each}").status == 204
        assert site.call("DELETE", f"/v1/packets/{packet_id}").status == 200

    def _hold_a_round_up(self) -> None:
        """A round that was committed and not signed, until one of its leaves is late."""

        def stop(number: int, name: str) -> None:
            if name == "private head":
                raise Crash

        self.clock.time += 1
        wait(self.unseen.log, self.log.leaves(1, int(self.clock.time) - MERGE_DELAY_S + 10))
        with suppress(Crash):
            Sequencer(tapped(self.unseen.log, Tap(after=stop))).run()
        self.clock.time += 60

    def _fill_a_tile(self) -> None:
        wait(self.unseen.log, self.log.leaves(GROUP))
        self.clock.time += 1
        assert self._call(sequence.handler)["leaves"] == GROUP
        self._call(index.handler)
        assert self._call(release.handler) == {"changed": True}

    def _publish(self) -> None:
        self.unseen.public.delete("index.html")
        assert self._call(publish.handler)["changed"]
        _cloud_prover.cache_clear()
        path = f"/{layout.consistency_path(1, GROUP)}"
        assert self._call(prove.handler, rawPath=path)["statusCode"] == 200
        _cloud_prover.cache_clear()

    def _maintain(self) -> None:
        self.unseen.private.create(f"batch/0-{sha256(b'').hex()}", b"of a writer that lost the race")
        for _ in range(4):  # what was the newest a day before is settled
            self.clock.time += DAY_S
            self._call(sequence.handler)
        self.clock.time += 100 * DAY_S
        answer = self._call(maintain.handler)
        assert answer["failed"] == []
        assert answer["partials"]
        assert answer["objects"]

    def _call(self, handler: Handler, **event: object) -> dict[str, object]:
        name = handler.__module__.rpartition(".")[2]
        with self._acting(f"{name.capitalize()}Role"):
            return handler(event, None)

    @contextmanager
    def _acting(self, role: str) -> Iterator[Service]:
        """A process of its own, under a role."""
        before = list(process._used)
        service = open_cloud(self.settings)
        process.use(service)
        try:
            with self.recorder.acting(role):
                yield service
        finally:
            process._used[:] = before


def command(*words: str, ends: int = DONE) -> str:
    """What a command of `issuer` says, which must end as it should."""
    with redirect_stdout(TextIOWrapper(BytesIO())) as out:
        assert main(list(words)) == ends, words
    out.seek(0)
    return out.read()
