"""Real browsers for tests: Chromium and Firefox without a window, driven through `tests/js/driver.mjs`.

A test takes the fixture `browser` (one run with each) or `chromium`; `browser.open(url)` gives a `Page`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.tools import missing, require

JS = Path(__file__).parent.parent / "js"
PROGRAMS = {"chromium": ("chromium", "chromium-browser"), "firefox": ("firefox", "firefox-esr")}

_NO_REGISTRY = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "ENOTCACHED")


@dataclass(frozen=True)
class Page:
    """A tab. Selectors are CSS; `code` is JavaScript."""

    browser: "Browser"
    id: int

    def evaluate(self, code: str, argument: object = None) -> Any:
        """What the body of an async function returns, as JSON; it sees `argument`."""
        return self._ask("evaluate", code=code, argument=argument)

    def wait_for(self, expression: str, timeout_s: float = 60) -> None:
        """Wait until an expression is true. Raises `BrowserError` if it takes too long."""
        self._ask("wait", code=expression, timeout_s=timeout_s)

    def text(self, selector: str) -> str:
        """The text of the first such element as it is seen, or an empty one."""
        return str(self.evaluate("return document.querySelector(argument)?.innerText ?? ''", selector))

    def goto(self, url: str) -> None:
        """Open another address in this tab."""
        self._ask("goto", url=url)

    def upload(self, selector: str, *paths: Path) -> None:
        """Pick files, or one folder, in a file input."""
        self._ask("upload", selector=selector, paths=[str(path) for path in paths])

    def drag(self, selector: str, *paths: Path) -> None:
        """Drop files or folders from the desktop: in Chromium as a person does, in Firefox as entries."""
        self._ask("drag", selector=selector, paths=[str(path) for path in paths])

    def click(self, selector: str) -> None:
        """Click an element."""
        self._ask("click", selector=selector)

    def press(self, key: str) -> None:
        """Press a key, as `Tab` or `Enter`."""
        self._ask("press", key=key)

    def resize(self, width: int, height: int) -> None:
        """Change the window's size, in CSS pixels."""
        self._ask("size", width=width, height=height)

    def shade(self, *, dark: bool) -> None:
        """Prefer a dark or a light scheme (in Firefox this changes nothing)."""
        self._ask("shade", dark=dark)

    def media(self, kind: str) -> None:
        """Show the page as `print` or `screen` media."""
        self._ask("media", type=kind)

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """A PNG of the page."""
        self._ask("screenshot", path=str(path), whole=whole)

    def pdf(self, path: Path) -> None:
        """The page as it is printed."""
        self._ask("pdf", path=str(path))

    def requests(self) -> list[str]:
        """Every address asked for since the tab was opened."""
        return list(self._ask("requests"))

    def errors(self) -> list[str]:
        """Uncaught errors, and errors and warnings of the console, since the tab was opened."""
        return list(self._ask("errors"))

    def forget(self) -> None:
        """Forget requests and errors so far: a test that provokes some says so."""
        self._ask("forget")

    def axe(self) -> list[dict[str, Any]]:
        """What axe-core finds: WCAG 2.2 A and AA, and its best practices."""
        return list(self._ask("axe"))

    def memory(self) -> int:
        """Bytes on the heap after a collection. Chromium only."""
        return int(self._ask("memory"))

    def close(self) -> None:
        """Close the tab."""
        self._ask("close")

    def _ask(self, command: str, **given: object) -> Any:
        return self.browser.ask(command, page=self.id, **given)


class BrowserError(AssertionError):
    """The browser could not do what it was asked."""


class Browser:
    """A running browser. `name`: chromium or firefox."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name = name
        self._process = process
        self.version = str(self._answer())

    def open(
        self, url: str, *, width: int = 1200, height: int = 900, dark: bool = False, scripts: bool = True
    ) -> Page:
        """A new tab with this address, loaded."""
        options = {"width": width, "height": height, "dark": dark, "scripts": scripts}
        return Page(self, int(self.ask("open", url=url, **options)))

    def ask(self, command: str, **given: object) -> Any:
        """One command of the driver. Raises `BrowserError`."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"command": command, **given}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise BrowserError(f"the driver of {self.name} ended: {self._process.wait()}")
        answer: Mapping[str, Any] = json.loads(line)  # noqa: TID251
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer["result"]


def install_packages() -> None:
    """The locked packages of tests/js, installed once; several processes of pytest take turns."""
    npm = require("npm")
    lock, stamp = JS / "package-lock.json", JS / "node_modules" / ".stamp"
    with (JS / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
            return
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts"], cwd=JS, capture_output=True, text=True, check=False
        )
        if done.returncode and any(sign in done.stderr for sign in _NO_REGISTRY):
            missing(f"npm packages of tests/js are not there and can't be fetched: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        stamp.write_bytes(lock.read_bytes())


@contextmanager
def running_browser(name: str, place: Path) -> Iterator[Browser]:
    """A browser, closed at the end; `place`: an empty folder for its profile."""
    program = _program(PROGRAMS[name])
    install_packages()
    with (
        # Not below `place`: Chromium puts a socket there, whose path may have 107 bytes (unix(7)).
        tempfile.TemporaryDirectory() as scratch,
        subprocess.Popen(
            [require("node"), str(JS / "driver.mjs"), name, str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOME": str(place), "TMPDIR": scratch},  # noqa: TID251
        ) as process,
    ):
        try:
            yield Browser(name, process)
        finally:
            assert process.stdin
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait(timeout=60)


def _program(names: Sequence[str]) -> Path:
    return require(next((name for name in names if shutil.which(name)), names[0]))
