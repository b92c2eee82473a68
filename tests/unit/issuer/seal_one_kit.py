"""Seals and delivers one kit from fixed inputs, times and seeds; prints the SHA-256 of both ZIP files.

python seal_one_kit.py <empty folder>
"""

import hashlib
import sys
from pathlib import Path

from issuer.adapters.binder.renderer import TypstBinder
from issuer.kits.names import delivered_object, sealed_object
from issuer.log.face import read_latest
from support.log import TestLog
from support.service import TestService, nonce_of

NAMES = ("Überweisung İstanbul.txt", "ß ﬁ Å.TXT", "договор 契約 عقد.txt", "plain.txt")
"""Letters whose case and order depend on the locale, where anything asks it."""


def main(home: Path) -> None:
    service = TestService(TestLog(home), TypstBinder()).start()
    service.log.clock.time += 17
    packet = service.packet()
    for number, name in enumerate(NAMES):
        service.submit(packet.packet_id, name, f"record {number}\n".encode())
        service.log.clock.time += 3
    service.issue(packet, nonce=nonce_of("fixed", read_latest(service.ports.public)))
    service.round()
    service.deliver()
    issued = service.read(packet.packet_id).issued
    assert issued
    for name in (sealed_object(issued.kit_digest), delivered_object(issued.kit_id)):
        sys.stdout.write(hashlib.sha256((home / "private" / name).read_bytes()).hexdigest() + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
