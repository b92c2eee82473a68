"""The CDN's function, run by a JavaScript engine over many requests at once."""

import json
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.tools import require

ROOT = Path(__file__).parents[2]
FUNCTION = ROOT / "infra/cdn/viewer-request.js"
NODE_ENGINE = ROOT / "infra/cdn/engine.mjs"
NJS_ENGINE = ROOT / "tests/infra/engine.njs.js"


@dataclass(frozen=True, slots=True)
class Viewed:
    """What a viewer asked: `query` is None if the target had no question mark."""

    method: str
    path: str
    query: str | None = None

    def event(self, request_id: str) -> dict[str, Any]:
        """The event that CloudFront makes of it (its version 1.0); `rawQuery` is for the engines here."""
        return {
            "version": "1.0",
            "context": {"eventType": "viewer-request", "requestId": request_id},
            "viewer": {"ip": "192.0.2.1"},
            "request": {
                "method": self.method,
                "uri": self.path,
                "querystring": {},
                "headers": {"host": {"value": "registry.example.org"}},
                "cookies": {},
            },
            "rawQuery": self.query,
        }


def run_node(requests: Iterable[Viewed], request_id: str, function: Path = FUNCTION) -> list[dict[str, Any]]:
    """The function's answers under node, in a context without clock, chance, timers and network."""
    return _run([str(require("node")), str(NODE_ENGINE), str(function)], requests, request_id)


def run_njs(requests: Iterable[Viewed], request_id: str, folder: Path) -> list[dict[str, Any]]:
    """The function's answers under njs, whose language is smaller. `folder` takes the joined program."""
    program = folder / "program.js"
    program.write_text(FUNCTION.read_text(encoding="utf-8") + NJS_ENGINE.read_text(encoding="utf-8"))
    return _run([str(require("njs")), str(program)], requests, request_id)


def _run(command: list[str], requests: Iterable[Viewed], request_id: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryFile("w+") as events:  # njs reads a file, not a pipe
        events.writelines(json.dumps(request.event(request_id)) + "\n" for request in requests)
        events.seek(0)
        done = subprocess.run(command, stdin=events, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]  # noqa: TID251
