"""What examining a record may cost, and what is wrong with a record that costs more."""

from dataclasses import dataclass
from enum import StrEnum

from issuer.intake.examine import Mismatch
from issuer.intake.rules import GeneralCheck
from issuer.model import Record

_MIB = 1024 * 1024
_DIVIDE = (
    "Put right what else was found first. If this stays, print the largest files to PDF again, make scans "
    "smaller, or divide the records among several packets."
)


@dataclass(frozen=True, slots=True)
class Budget:
    """CPU seconds and bytes of memory for one record; CPU and elapsed seconds for all records of a packet.

    The API answers within 29 s (infra/template.yaml), of which issuing needs some after its records are read.
    """

    record_cpu_s: int = 10
    record_memory: int = 512 * _MIB
    packet_cpu_s: int = 15
    packet_s: int = 20


class Overrun(StrEnum):
    """Why a record was given up: its CPU time, its memory, its reader's crash, its packet's total."""

    TIME = "time"
    MEMORY = "memory"
    CRASH = "crash"
    PACKET = "packet"


def overrun_mismatch(overrun: Overrun, budget: Budget) -> Mismatch:
    """What the rule about the budget says of a record that was given up."""
    memory = f"{budget.record_memory // _MIB} MiB of memory"
    found, expected, fix = {
        Overrun.TIME: (
            f"reading it took more than {budget.record_cpu_s} s of processor time",
            f"a file that is read in {budget.record_cpu_s} s of processor time",
            None,
        ),
        Overrun.MEMORY: (
            f"reading it took more than {memory}",
            f"a file that is read with {memory}",
            None,
        ),
        Overrun.CRASH: (
            "the program that reads it crashed on it",
            "a file that can be read to its end",
            None,
        ),
        Overrun.PACKET: (
            "it was not read to its end: the time for this packet was used up",
            f"records that take {budget.packet_s} s in all, and {budget.packet_cpu_s} s of processor time",
            _DIVIDE,
        ),
    }[overrun]
    return Mismatch(GeneralCheck.READ_WITHIN_BUDGET, found, expected, fix)


def upload_mismatch(record: Record) -> Mismatch:
    """What the rule about uploads says of a record that was announced, and whose bytes are not there."""
    found = "it was announced and is not uploaded"
    return Mismatch(GeneralCheck.UPLOADED, found, f"its {record.size} bytes")
