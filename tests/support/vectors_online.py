"""Vectors of `verify --registry`: a registry's answers, and what follows for a kit that verified."""

import base64
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from attestlayer.canonical import Members
from attestlayer.encoding import format_time, parse_base64, parse_time
from attestlayer.errors import Reason, VerificationError
from attestlayer.log import layout
from attestlayer.log.leaf import parse_registry_receipt
from attestlayer.log.trust import parse_trust
from attestlayer.reading.public_log import PublicLog
from attestlayer.verify.public_log import check_fresh, check_held
from support.build import STRANGER, Delivered, Log, Plan, Round, make, other_leaf, seal, sign_checkpoint
from support.public_log import publish

Vector = dict[str, object]
Objects = dict[str, bytes]


@dataclass(frozen=True)
class Answers:
    """A registry that serves these objects."""

    objects: Objects = field(default_factory=dict)

    def read(self, name: str) -> bytes | None:
        """The object's bytes."""
        return self.objects.get(name)

    def names(self) -> Iterator[str]:
        """Their names."""
        return iter(self.objects)


def online_vectors() -> list[Vector]:
    """All of them."""
    kit, private = _world(), _private()
    whole, newest = _objects(kit.log), kit.log.last.checkpoint.timestamp
    receipt, alone = _receipt(kit), _receipt(private)
    unsigned = sign_checkpoint(kit.log.last.checkpoint, STRANGER).format()
    tile = "tile/0/000.p/4"
    unreachable, stale = Reason.REGISTRY_UNREACHABLE, Reason.REGISTRY_STALE
    rows: tuple[tuple[str, Reason | None, bytes, Objects, int], ...] = (
        ("The newest tree extends the kit's.", None, receipt, whole, newest),
        ("The newest tree is the kit's.", None, receipt, _objects(kit.log, newest=2), newest - 120),
        ("Exactly 10 minutes old.", None, receipt, whole, newest + 600),
        ("10 minutes and a second old.", stale, receipt, whole, newest + 601),
        ("10 minutes and a second ahead of the clock.", stale, receipt, whole, newest - 601),
        ("The newest tree has not the entry yet.", stale, receipt, _objects(kit.log, newest=1), newest - 180),
        ("Older than the trust root.", stale, receipt, _objects(kit.log, newest=0), newest - 240),
        ("A private tree of one entry.", Reason.CHECKPOINT_CONFLICT, alone, whole, newest),
        ("No newest checkpoint.", unreachable, receipt, {}, newest),
        ("It is signed by a stranger.", unreachable, receipt, {**whole, layout.LATEST: unsigned}, newest),
        ("A tile is missing.", unreachable, receipt, {**whole, tile: b""}, newest),
        ("A tile is another's.", unreachable, receipt, {**whole, tile: bytes(128)}, newest),
    )
    trust = kit.log.trust(1).format().decode()
    return [_vector(*row, trust=trust) for row in rows]


def run_online(given: Members) -> str:
    """What a verifier makes of one."""
    objects, now = given["objects"], parse_time(str(given["now"]))
    assert isinstance(objects, dict)
    log = PublicLog("registry", Answers({name: parse_base64(str(data)) for name, data in objects.items()}))
    receipt = parse_registry_receipt(parse_base64(str(given["data"])))
    try:
        newest = log.newest(parse_trust(str(given["trust"]).encode())).checkpoint
        check_fresh(newest, now)
        larger = max(receipt.checkpoint.head.size, newest.head.size)
        check_held(receipt, newest, log.hashes(larger))
    except VerificationError as error:
        return error.reason.value
    return "accepted"


def _vector(
    comment: str, reason: Reason | None, receipt: bytes, objects: Objects, now: int, *, trust: str
) -> Vector:
    given: dict[str, object] = {
        "kind": "public-log",
        "data": _b64(receipt),
        "now": format_time(now),
        "objects": {name: _b64(data) for name, data in objects.items() if data},
        "trust": trust,
    }
    return {"comment": comment, "expect": reason.value if reason else "accepted", "input": given}


def _world() -> Delivered:
    made = make()
    made.log.publish(Round(leaves=(other_leaf(7),)))
    made.log.publish(Round())
    return made


def _private() -> Delivered:
    log = Log()
    seen = log.publish(Round()).checkpoint
    sealed = seal(Plan(nonce_checkpoint=seen, records=(("records/001-a.txt", b"two\n"),)))
    log.publish(Round(leaves=(sealed.record,)))
    return Delivered({}, log.trust(), log, sealed)


def _receipt(made: Delivered) -> bytes:
    return made.log.receipt(made.sealed.record, 2).format()


def _objects(log: Log, newest: int = -1) -> Objects:
    """All objects but the trust root, which is given."""
    with tempfile.TemporaryDirectory() as place:
        folder = publish(log, Path(place), newest=newest)
        files = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
        return {name: path.read_bytes() for name, path in files.items() if name != layout.TRUST}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
