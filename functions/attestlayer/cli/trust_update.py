"""`trust update` and `trust --install`: a trust root takes the place of an earlier one (REG-1.0 section 9.7).

A file is replaced in one step, after all checks. A changed log's identity or witness policy is confirmed by a
person: at the terminal, or with `--accept` and the name of what changed.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attestlayer.cli.command import Output, Surroundings
from attestlayer.cli.text import age_words
from attestlayer.cli.trust import trust_answer
from attestlayer.errors import CouldNotCheckError, Reason, VerificationError
from attestlayer.log.promises import TRUST_ROOT_FROZEN_S
from attestlayer.log.trust import TrustRoot
from attestlayer.log.update import Change, changes_of, check_update
from attestlayer.reading.files import read_trust, replace_file
from attestlayer.reading.public_log import is_url, open_public_log
from attestlayer.visible import visible

_NOT_SHOWN = (
    "That its tree extends the old one was not shown: that takes the registry's tiles, which `attestlayer "
    "trust update` without a file reads."
)


def install_trust(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """`trust FILE`, with `--install` put in the default place."""
    trust, said = read_trust(arguments.file), ""
    if arguments.install:
        place = around.default_trust()
        old = read_trust(place) if os.path.lexists(place) else None
        said = _replace(old, trust, place, arguments.accept, "installed")
        if old and old.hash() != trust.hash():
            said = f"{said} {_NOT_SHOWN}"
    return trust_answer(trust, arguments.file, around, said)


def update_trust(arguments: argparse.Namespace, around: Surroundings) -> Output:
    """`trust update [URL|FILE]`: renews a trust root from its registry, a mirror or a file."""
    place: Path = arguments.trust or around.default_trust()
    if not os.path.lexists(place):
        message = "there is no trust root to update: install one with `attestlayer trust --install FILE`"
        raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, f"{place}: {message}")
    old = read_trust(place)
    source: str = arguments.source or f"https://{old.origin}/v1/trust.json"
    with _not_done("updated"):
        new = open_public_log(source).trust_root(old) if is_url(source) else read_trust(Path(source))
    said = [_replace(old, new, place, arguments.accept, "updated")]
    if not is_url(source):
        said.append(_NOT_SHOWN)
    if (age := around.now - new.checkpoint.timestamp) > TRUST_ROOT_FROZEN_S:
        said.append(
            f"It was made {age_words(age)}, though a registry renews it every day: {source} is a frozen "
            "copy, or the log stands still."
        )
    return trust_answer(new, place, around, " ".join(said))


def _replace(old: TrustRoot | None, new: TrustRoot, place: Path, accepted: Sequence[str], done: str) -> str:
    """Write `new` to `place` if it may take the place of `old`; says what was done.

    Raises `VerificationError` if it may not, `OSError`.
    """
    if old and old.hash() == new.hash():
        return f"{place} holds this trust root already."
    if old:
        with _not_done(done):
            check_update(old, new)
            _confirm(changes_of(old, new), accepted)
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_file(place, new.format())
    return f"{done.capitalize()}: {place}."


@contextmanager
def _not_done(done: str) -> Iterator[None]:
    """What goes wrong is told as what was not done."""
    try:
        yield
    except VerificationError as error:
        raise type(error)(error.reason, f"not {done}: {error}") from error


def _confirm(changes: Sequence[Change], accepted: Sequence[str]) -> None:
    """Raises `CouldNotCheckError` unless every change is accepted by its name, or a person says yes."""
    for change in changes:
        if change.name not in accepted and not ask(change.question()):
            raise CouldNotCheckError(Reason.TRUST_ROOT_UNUSABLE, change.question())


def ask(question: str) -> bool:
    """Ask at the terminal; no without one."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{visible(question)}\nIs this the change that was announced? Type yes: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == "yes"
