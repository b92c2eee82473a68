"""The modules of which a run enters a function: how many places a reader has to visit to follow it.

    python tests/bench/entered.py verify | audit | issue | round | deliver

Prints the modules, most entered first, with the number of calls. Imports are not counted.
"""

import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("functions", "tests")]

from attestlayer.cli.main import main  # noqa: E402
from issuer.log.face import read_trust_root  # noqa: E402
from support.build import make  # noqa: E402
from support.log import TestLog  # noqa: E402
from support.service import TestService  # noqa: E402

FUNCTIONS = f"{ROOT / 'functions'}/"


def entered(run: Callable[[], object]) -> Counter[str]:
    """The project's modules of which `run` calls a function, in any thread."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(FUNCTIONS) and code.co_name != "<module>":
            calls[code.co_filename.removeprefix(FUNCTIONS).removesuffix(".py").replace("/", ".")] += 1

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return calls


def verify(home: Path) -> Callable[[], object]:
    """`attestlayer verify KIT --trust T`."""
    kit = make()
    (home / "kit.zip").write_bytes(kit.zip)
    (home / "trust.json").write_bytes(kit.trust.format())
    return lambda: _command("verify", str(home / "kit.zip"), "--trust", str(home / "trust.json"))


def audit(home: Path) -> Callable[[], object]:
    """`attestlayer audit DIR --trust T` of a log with a delivered kit."""
    service = _service(home)
    service.issue(service.packet(b"a record\n"))
    service.round_and_deliver()
    (home / "trust.json").write_bytes(read_trust_root(service.ports.public).format())
    return lambda: _command("audit", str(service.log.home / "registry"), "--trust", str(home / "trust.json"))


def issue(home: Path) -> Callable[[], object]:
    """A packet that passes, from the claim of its key to the stored answer."""
    service = _service(home)
    packet = service.packet(b"a record\n")
    return lambda: service.issue(packet)


def round_of_log(home: Path) -> Callable[[], object]:
    """A round of the log with one leaf."""
    service = _service(home)
    service.issue(service.packet(b"a record\n"))
    return service.round


def deliver(home: Path) -> Callable[[], object]:
    """The delivery of one kit after its round."""
    service = _service(home)
    service.issue(service.packet(b"a record\n"))
    service.round()
    return service.deliver


RUNS = {"verify": verify, "audit": audit, "issue": issue, "round": round_of_log, "deliver": deliver}


def _service(home: Path) -> TestService:
    return TestService(TestLog(home / "home")).start()


def _command(*arguments: str) -> None:
    with redirect_stdout(StringIO()):
        code = main(arguments)
    assert code in {0, 1}, code


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        counts = entered(RUNS[sys.argv[1]](Path(folder)))
    for module, count in counts.most_common():
        print(f"{count:8} {module}")
    print(f"{len(counts):8} modules")
