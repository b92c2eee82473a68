"""Local doubles of the cloud, as programs of their own on 127.0.0.1 (`scripts/servers` installs them).

ministack is a real server for what the adapters promise: conditional writes, checksums, transactions and
their tokens. moto is not (tests/contract/factories says where), but it is another reading of the same API.
"""

import atexit
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from support.tools import missing

REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""What the clients in this process need: servers here know no real account."""

MINISTACK, MOTO = "ministack", "moto"

_BIN = Path(__file__).parents[2] / ".venv-servers" / "bin"
_STARTING_S = 30
_running: dict[tuple[int, str], str] = {}


def server_url(name: str) -> str:
    """Where the server `name` answers; started once a process. Without it, the test is skipped or fails."""
    for variable, value in CREDENTIALS.items():
        os.environ[variable] = value  # noqa: TID251
    for (_, running), url in _running.items():  # a forked child uses its parent's
        if running == name:
            return url
    url = os.environ.get(_started(name)) or _start(name)  # noqa: TID251
    _running[os.getpid(), name] = url
    os.environ[_started(name)] = url  # noqa: TID251
    return url


_STARTED = "ATTESTLAYER_TESTS_"


def _started(name: str) -> str:
    """The variable that tells a process of ours, a racer, which server to race for."""
    return f"{_STARTED}{name.upper()}"


def running_servers() -> dict[str, str]:
    """Those variables, for a process that does not get this one's environment."""
    return {name: value for name, value in os.environ.items() if name.startswith(_STARTED)}  # noqa: TID251


def know_servers(told: dict[str, str]) -> None:
    """Use these servers in this process."""
    os.environ.update(told)  # noqa: TID251


def _start(name: str) -> str:
    program = _BIN / {MINISTACK: "ministack", MOTO: "moto_server"}[name]
    if not program.exists():
        missing(f"{name} is not installed: run scripts/servers")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [str(program)] if name == MINISTACK else [str(program), "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        arguments,
        env={
            "PATH": os.environ["PATH"],  # noqa: TID251
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "ERROR",
            **CREDENTIALS,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    atexit.register(_stop, process, os.getpid())
    _wait(process, url)
    return url


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    until = time.monotonic() + _STARTING_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it answered")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer within {_STARTING_S} s")


def _stop(process: "subprocess.Popen[bytes]", owner: int) -> None:
    if os.getpid() == owner:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
