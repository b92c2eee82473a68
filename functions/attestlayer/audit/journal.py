"""The file that keeps an audit's state: read once, replaced atomically at intervals. Does I/O."""

import time
from collections.abc import Callable
from pathlib import Path

from attestlayer.audit.sample import Sample
from attestlayer.audit.state import MAX_STATE, AuditState, parse_state
from attestlayer.encoding import shown
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.reading.files import open_regular, replace_file

EVERY_S = 15.0
"""Seconds of work that a killed audit loses at most, in addition to one tile; more if writing is slow."""

_SHARE = 20  # writing takes at most a twentieth of the time


class Journal:
    """An audit's state in a file. `before`: its state when it was opened, or None for a new file.

    `sample`: what of the earlier runs this one looks at again.
    """

    def __init__(
        self,
        path: Path,
        registry: str,
        trust: str | None,
        clock: Callable[[], float] = time.monotonic,
        every_s: float = EVERY_S,
        sample: Sample = Sample(),  # noqa: B008 - frozen
    ) -> None:
        """Read the file, if there is one. Raises `CouldNotCheckError` unless it is this audit's."""
        self.path, self.registry, self.trust, self.sample = path, registry, trust, sample
        self._clock, self._every_s = clock, every_s
        self._latest: AuditState | None = None
        self._due = clock() + every_s
        self.before = self._read()
        if self.before:
            self._check(self.before)

    def mark(self, state: AuditState) -> None:
        """Take the newest state; it is written if the interval has passed."""
        self._latest = state
        if self._clock() >= self._due:
            self.save()

    def save(self) -> None:
        """Write the newest state: a reader of the file finds the previous one or this. Raises `OSError`."""
        if self._latest is None:
            return
        started = self._clock()
        replace_file(self.path, self._latest.format())
        self._latest = None
        now = self._clock()
        # Writing a large state takes long: the share bounds what saving costs, whatever the size.
        self._due = now + max(self._every_s, _SHARE * (now - started))

    def _read(self) -> AuditState | None:
        try:
            with open_regular(self.path) as file:
                data = file.read(MAX_STATE + 1)
        except FileNotFoundError:
            return None
        try:
            return parse_state(data)
        except CouldNotCheckError:
            raise
        except (ValueError, VerificationError) as error:
            raise _unusable(f"{self.path} is no audit state: {error}") from error

    def _check(self, state: AuditState) -> None:
        if state.registry != self.registry:
            other, wanted = shown(state.registry), shown(self.registry)
            raise _unusable(f"{self.path} is the state of an audit of {other}, wanted {wanted}")
        if state.trust != self.trust:
            other, wanted = _root(state.trust), _root(self.trust)
            raise _unusable(f"{self.path} is the state of an audit with {other}, wanted {wanted}")


def _root(trust: str | None) -> str:
    return "no trust root" if trust is None else f"a trust root of {shown(trust)}"


def _unusable(message: str) -> CouldNotCheckError:
    return CouldNotCheckError(Reason.INPUT_UNREADABLE, message)
