"""Everything that is signed, published or reported for fixed inputs, as SHA-256 by name.

`conformance/known_bytes.json` keeps the hashes, `vectors/generate.py` writes it. Where one changes, a
format, a policy or a sentence has changed.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

from attestlayer.cli.main import main
from attestlayer.encoding import format_hash, format_time, sha256
from attestlayer.log import layout
from attestlayer.log.checkpoint import parse_checkpoint
from issuer.adapters.binder.renderer import TypstBinder
from issuer.intake.catalogue import load_policies
from issuer.intake.sidecar import SIDECAR, read_sidecar
from issuer.kits.names import delivered_object, record_object
from issuer.log.face import read_latest
from issuer.model import Answer, Claim, Packet
from support.cases import CASES
from support.judge import judge, told, write_folder
from support.log import START, TestLog, queue
from support.service import WORKSPACE, TestService, nonce_of

KNOWN = Path(__file__).parents[1] / "conformance/known_bytes.json"
SAMPLES = Path(__file__).parents[2] / "site/content/samples"
NOW = START + 86_400


def known_bytes(folder: Path) -> dict[str, str]:
    """Hashes by name; `folder` is empty."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(_everything(folder))}


def _everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    service = TestService(TestLog(folder / "home"), TypstBinder(), load_policies()).start(20)
    before = Path.cwd()
    os.chdir(folder)  # reports name the files as the command line did
    try:
        yield from _history(service)
        yield from _reports()
        yield from _verdicts(folder)
    finally:
        os.chdir(before)
    for part in ("registry", "private/sealed", "private/kits", "private/batch", "private/signed"):
        for path in sorted((folder / "home" / part).rglob("*")):
            if path.is_file():
                yield path.relative_to(folder / "home").as_posix(), path.read_bytes()


def _history(service: TestService) -> Iterator[tuple[str, bytes]]:
    """One kit of each sample, a FAIL, a withdrawal, a supersession; reports of each kit."""
    kits: list[Packet] = []
    for sidecar in sorted(SAMPLES.glob("*/*/" + SIDECAR)):
        service.log.clock.time += 7
        packet = _submit(service, sidecar.parent)
        nonce = nonce_of(str(len(kits)), read_latest(service.ports.public) if len(kits) % 3 else None)
        yield f"answer {sidecar.parent.name}", service.issue(packet, f"issue {len(kits)}", nonce).body
        kits.append(packet)
        if len(kits) % 2:
            service.round_and_deliver()
    service.round_and_deliver()
    failed = _submit(service, SAMPLES / "PAY-01/wire-transfer", leave_out=2)
    yield "answer of a FAIL", service.issue(failed, "failed").body
    leaves = [issued.leaf_hash for kit in kits if (issued := service.read(kit.packet_id).issued)]
    queue(service.ports, "kit.withdrawn", {"leaf_hash": format_hash(leaves[0]), "reason": "issued-in-error"})
    queue(
        service.ports, "kit.superseded", {"by": format_hash(leaves[2]), "leaf_hash": format_hash(leaves[1])}
    )
    service.round()
    Path("trust.json").write_bytes(service.ports.public.read(layout.TRUST) or b"")
    for number, packet in enumerate(kits):
        issued = service.read(packet.packet_id).issued
        assert issued
        assert service.ports.private.fetch(delivered_object(issued.kit_id), Path(f"{number}.zip"))


def _submit(service: TestService, folder: Path, leave_out: int = 0) -> Packet:
    """A packet with a folder's sample records, but for the first `leave_out`."""
    lane, profile = folder.parts[-2:]
    packets = service.packets
    packet = packets.open(WORKSPACE, lane, profile, "test")
    claim = service.claim(f"open {packet.packet_id}", b"open")
    assert isinstance(claim, Claim)
    packets.store(packet, claim, Answer(201, b"{}"))
    today = datetime.fromtimestamp(service.log.clock.time, UTC).date()
    for item in read_sidecar((folder / SIDECAR).read_bytes(), today).records[leave_out:]:
        data = (folder / item.file).read_bytes()
        record = packets.add_record(
            packets.get(WORKSPACE, packet.packet_id),
            name=item.file,
            record_type=item.record_type,
            size=len(data),
            sha256=sha256(data),
            metadata=item.metadata,
        )
        service.ports.private.create(record_object(packet.packet_id, record), data)
    return service.read(packet.packet_id)


def _reports() -> Iterator[tuple[str, bytes]]:
    """What the commands say of the kits in the working folder."""
    for kit in sorted(Path().glob("?.zip")):
        for form in ([], ["--json"]):
            yield _said("verify", kit.name, "--trust", "trust.json", *form)
            yield _said(
                "verify-receipt",
                _unzipped(kit, "registry/registry_receipt.json"),
                "--trust",
                "trust.json",
                *form,
            )
        yield _said("inspect", kit.name)
        yield _said("inspect", _unzipped(kit, "receipt.json"))
    first = next(name for name in _members(Path("1.zip")) if name.startswith("records/"))
    yield _said("disclose", "1.zip", first, "-o", "part.zip", "--trust", "trust.json")
    yield "part.zip", Path("part.zip").read_bytes()
    yield _said("verify", "part.zip", "--trust", "trust.json")
    yield _said("verify", "part.zip", "--trust", "trust.json", "--json")
    yield _said("trust", "trust.json")
    latest = parse_checkpoint(Path("home/registry", layout.LATEST).read_bytes())
    at = ("--at", format_time(latest.timestamp))  # the reports are of a day later
    yield _said("audit", "home/registry", "--trust", "trust.json", "--json", *at)
    Path("home/registry/v1/stats").write_bytes(b"{}")
    sorted(Path("home/registry/v1/entries").iterdir())[-2].unlink()  # by name: file systems list as they like
    yield _said("audit", "home/registry", *at)
    yield _said("audit", "home/registry", "--json")


def _verdicts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What is found about each case of the vectors, in words."""
    for case in CASES:
        subject = case.build()
        place = folder / "cases" / case.name
        place.mkdir(parents=True)
        judged = judge(subject, place / "judged")
        messages = [str(failure) for failure in judged.whole.failures]
        messages += [note.message for note in judged.whole.notes]
        spoken = json.dumps([told(judged.whole), messages]).replace(str(folder), "")
        (place / "trust.json").write_bytes(subject.trust)
        if subject.zip is not None:
            (place / "kit.zip").write_bytes(subject.zip)
        else:
            write_folder(place / "kit.zip", subject)
        os.chdir(place)
        said = [_said("verify", "kit.zip", "--trust", "trust.json", *form)[1] for form in ([], ["--json"])]
        yield f"case {case.name}", b"\n".join([spoken.encode(), *said])
        os.chdir(folder)


def _said(*words: str) -> tuple[str, bytes]:
    out = io.StringIO()
    with redirect_stdout(out):
        code = main(words, clock=lambda: NOW)
    return " ".join(words), f"{code}\n{out.getvalue()}".encode()


def _members(kit: Path) -> list[str]:
    return ZipFile(kit).namelist()


def _unzipped(kit: Path, name: str) -> str:
    place = Path(f"{kit.stem}-{Path(name).name}")
    place.write_bytes(ZipFile(kit).read(name))
    return place.name


def format_known(known: dict[str, str]) -> str:
    """The text of the file that keeps them."""
    return json.dumps(known, indent=1, ensure_ascii=False) + "\n"
