"""The local server as a program: its port, its end, the log beside it."""

import io
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from handlers.client import ORIGIN, running
from issuer.adapters.system import SystemClock
from issuer.bootstrap.home import initialise_home
from issuer.errors import Code, ServiceError, StoreError
from issuer.local.application import make_server
from issuer.local.schedule import Ticker
from issuer.log import face
from issuer.settings import Settings


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    service = initialise_home(Settings(tmp_path / "home", 1), ORIGIN)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=f"port {port} of 127.0.0.1 is in use") as raised:
            make_server(service, "127.0.0.1", port)
        assert raised.value.code is Code.PORT_IN_USE


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "", "a" * 300, "ä\0"])
def test_a_host_that_is_not_ours_is_told(tmp_path: Path, host: str) -> None:
    service = initialise_home(Settings(tmp_path / "home", 1), ORIGIN)
    with pytest.raises(ServiceError) as raised:
        make_server(service, host, 0)
    assert raised.value.code in (Code.INVALID_REQUEST, Code.PORT_IN_USE)


def test_the_port_is_free_again_after_the_end(tmp_path: Path) -> None:
    with running(tmp_path / "home") as site:
        port = int(site.url.rpartition(":")[2])
        assert site.raw("GET", "/v1/stats").status == 200
    server = make_server(initialise_home(Settings(tmp_path / "home", 1), ORIGIN), "127.0.0.1", port)
    server.close()
    server.close()
    server.run()


def test_the_log_runs_beside_the_server(tmp_path: Path) -> None:
    with running(tmp_path / "home", ticking=True) as site:
        seen = set()
        deadline = site.service.clock.now() + 20
        while len(seen) < 3 and site.service.clock.now() < deadline:
            latest = face.read_latest(site.service.public)
            assert latest
            seen.add(latest.sequence)
            site.service.clock.sleep(0.05)
        assert len(seen) >= 3
        assert latest.timestamp <= site.service.clock.now()


def ticked(made: list[object], rounds: int) -> str:
    """What a ticker tells whose rounds answer or raise what `made` holds, over so many rounds."""
    out, done, left = io.StringIO(), threading.Event(), list(made)

    def sequence(event: object, context: object) -> dict[str, object]:
        del event, context
        found = left.pop(0)
        if not left:
            done.set()
        if isinstance(found, Exception):
            raise found
        return {"outcome": "published", "sequence": found, "leaves": 2}

    def deliver(event: object, context: object) -> dict[str, object]:
        del event, context
        return {"delivered": ["kit_1"], "failed": [["leaf", "the disk is full"]]}

    ticker = Ticker(1, SystemClock(), out=out, handlers=(sequence, deliver))
    ticker.start()
    assert done.wait(20)
    ticker.close()
    ticker.close()
    assert rounds == len(made)
    return out.getvalue()


def test_a_ticker_tells_one_line_a_round_and_survives_failures() -> None:
    told = ticked([7, StoreError("the disk is full"), ZeroDivisionError("x"), 8], 4).splitlines()
    assert "checkpoint 7 published; new leaves: 2; kits delivered: kit_1" in told[0]
    assert "not delivered, leaf leaf: the disk is full" in told[0]
    assert told[1].endswith(
        "round failed, trying again: Storage failed; doing it again is safe: the disk is full"
    )
    assert told[2].endswith("round failed, trying again: ZeroDivisionError: x")
    assert "checkpoint 8" in told[3]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_and_the_home_stays_whole(tmp_path: Path, number: int) -> None:
    initialise_home(Settings(tmp_path / "home", 1), ORIGIN)
    code = (
        "import sys; from pathlib import Path; from issuer.bootstrap.home import open_home;"
        "from issuer.settings import Settings; from issuer.local.application import make_server;"
        "server = make_server(open_home(Settings(Path(sys.argv[1]), 1)), '127.0.0.1', 0);"
        "print(server.url, flush=True); server.run(); print('ended', flush=True)"
    )
    functions = Path(__file__).parents[2] / "functions"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(functions)},
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/v1/stats", timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=40)
    assert (process.returncode, out) == (0, "ended\n"), err
    assert "checkpoint" in err
    service = initialise_home(Settings(tmp_path / "home", 1), ORIGIN)
    assert service.sequencer.run().checkpoint
