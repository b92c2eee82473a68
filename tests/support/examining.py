"""Examiners for tests: one in the test's own process, and a parser that does what a file tells it."""

from collections.abc import Sequence
from pathlib import Path

from issuer.adapters.examiner.pool import PROGRAM
from issuer.intake.examine import Examined, examine
from issuer.intake.policy import Policy
from issuer.model import Record


class ExaminerHere:
    """Examines as the worker does, here."""

    def examine(self, policy: Policy, files: Sequence[tuple[Record, Path]]) -> tuple[Examined, ...]:
        """Each record with its file."""
        return tuple(examine(policy, record, path.read_bytes()) for record, path in files)


OBEDIENT = PROGRAM.replace(
    "main(sys.argv[1:])",
    """
import ctypes, os, signal, time
from dataclasses import replace
from issuer.adapters.examiner import worker
from issuer.intake.examine import Mismatch

def loop():
    while True:
        pass

def allocate():
    held = []
    while True:
        held.append(bytearray(1024 * 1024))

def forge():
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"A{}\\n")
        except OSError:
            pass
    os.write(1, b"A{}\\n")

def kill_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)

acts = {
    b"loop": loop,
    b"allocate": allocate,
    b"abort": os.abort,
    b"segfault": lambda: ctypes.string_at(0),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"exit": lambda: os._exit(0),
    b"raise": lambda: 1 // 0,
    b"forge": forge,
    b"kill parent": kill_parent,
    b"sleep": lambda: time.sleep(600),
}
real = worker.examine

def obey(policy, record, data):
    acts.get(data, lambda: None)()
    examined = real(policy, record, data)
    if data not in words:
        return examined
    return replace(examined, mismatches=(Mismatch("readable", words[data](), "-"),))

def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True

words = {
    b"environment": lambda: repr(sorted(os.environ)),
    b"descriptors": lambda: str(sum(map(is_open, range(256)))),
}

worker.examine = obey
main(sys.argv[1:])
""",
)
"""A parser that does what a file tells it: the worst that a hostile file could make of a real one."""
