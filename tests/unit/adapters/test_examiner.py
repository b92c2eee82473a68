"""Records are examined by processes with limits: what a file does there harms nobody else."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from attestlayer.canonical import Members, format_json, parse_json, take_members
from attestlayer.encoding import sha256
from issuer.adapters.examiner.lines import format_answer, parse_answer
from issuer.adapters.examiner.pool import ExaminerPool
from issuer.errors import Code, ServiceError, StoreError
from issuer.intake.budget import Budget
from issuer.intake.examine import Examined, Mismatch, examine
from issuer.intake.policy import Policy
from issuer.intake.rules import GeneralCheck
from issuer.model import Record
from issuer.settings import examiner_environment
from support.examining import OBEDIENT
from support.service import CATALOGUE, LANE, PROFILE

MIB = 1024 * 1024
POLICY: Policy = CATALOGUE.find(LANE, PROFILE)
SMALL = Budget(record_cpu_s=1, record_memory=256 * MIB, packet_cpu_s=2, packet_s=60)


def records(folder: Path, *contents: bytes) -> list[tuple[Record, Path]]:
    """A record with its file for each of the contents."""
    files = []
    folder.mkdir(exist_ok=True)
    for number, data in enumerate(contents):
        path = folder / f"rec_{number}"
        path.write_bytes(data)
        record = Record(path.name, f"note {number}.txt", "note", {"remark": "x"}, len(data), sha256(data), 5)
        files.append((record, path))
    return files


def words_of(one: Examined) -> list[tuple[str, str]]:
    """What is wrong with it: check and finding."""
    return [(str(mismatch.check), mismatch.found) for mismatch in one.mismatches]


@pytest.fixture(scope="module")
def obedient() -> ExaminerPool:
    """A pool with a small budget, whose parser obeys the files."""
    environment = {"AWS_SECRET_ACCESS_KEY": "secret", "LD_LIBRARY_PATH": "/nowhere"}
    return ExaminerPool(examiner_environment(environment), SMALL, program=OBEDIENT)


@pytest.fixture(scope="module")
def pool() -> ExaminerPool:
    """A pool with room for one packet, as the service has it."""
    return ExaminerPool(examiner_environment(), at_once=1, waiting=0)


def test_a_pool_says_what_examining_here_says(pool: ExaminerPool, tmp_path: Path) -> None:
    files = records(tmp_path, b"a text", b"", b"%PDF-1.7 broken", b"\x7fELF", b"PK\x03\x04 broken", b"\0")
    here = tuple(examine(POLICY, record, path.read_bytes()) for record, path in files)
    assert pool.examine(POLICY, files) == here
    assert pool.examine(POLICY, files) == here, "the same process, another packet"
    assert pool.examine(POLICY, []) == ()


@pytest.mark.parametrize(
    ("act", "found"),
    [
        (b"loop", "more than 1 s of processor time"),
        (b"allocate", "more than 256 MiB of memory"),
        *((act, "crashed") for act in (b"abort", b"segfault", b"kill", b"exit", b"raise")),
    ],
)
def test_a_file_that_ends_its_parser_is_a_blocker_and_the_others_are_examined(
    obedient: ExaminerPool, tmp_path: Path, act: bytes, found: str
) -> None:
    before, bad, after = obedient.examine(POLICY, records(tmp_path, b"one", act, b"two"))
    assert (before.mismatches, after.mismatches) == ((), ())
    ((check, said),) = words_of(bad)
    assert check == GeneralCheck.READ_WITHIN_BUDGET
    assert found in said
    assert (bad.sha256, dict(bad.values)) == (bad.record.sha256, {"remark": "x"}), "as it was announced"


def test_a_packet_has_a_total_and_the_next_has_its_own(obedient: ExaminerPool, tmp_path: Path) -> None:
    # Each takes its second, by the kernel's ticks; what is charged for it is measured, and may be less.
    files = records(tmp_path, b"one", *[b"loop"] * 12, b"two")
    first, second, *_, last = obedient.examine(POLICY, files)
    assert first.mismatches == ()
    assert "1 s of processor time" in words_of(second)[0][1]
    assert "the time for this packet was used up" in words_of(last)[0][1]
    assert "several packets" in str(last.mismatches[0].fix)
    (again,) = obedient.examine(POLICY, files[-1:])
    assert again.mismatches == ()


def test_a_parser_that_waits_for_ever_is_ended_with_its_packet(tmp_path: Path) -> None:
    pool = ExaminerPool({}, Budget(1, 256 * MIB, 3, packet_s=1), program=OBEDIENT)
    (one,) = pool.examine(POLICY, records(tmp_path, b"sleep"))
    assert "the time for this packet was used up" in words_of(one)[0][1]


def test_a_parser_that_forges_answers_does_so_for_its_own_packet_alone(
    obedient: ExaminerPool, tmp_path: Path
) -> None:
    before, bad, _ = obedient.examine(POLICY, records(tmp_path, b"one", b"forge", b"two"))
    assert before.mismatches == ()
    assert "crashed" in words_of(bad)[0][1]
    assert [one.mismatches for one in obedient.examine(POLICY, records(tmp_path, b"1", b"2"))] == [(), ()]


def test_a_relative_path_is_of_the_service_s_folder(
    pool: ExaminerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((record, path),) = records(tmp_path, b"a text")
    monkeypatch.chdir(tmp_path)
    (one,) = pool.examine(POLICY, [(record, path.relative_to(tmp_path))])
    assert one.media_type is not None


def test_a_process_that_ends_between_packets_is_replaced(pool: ExaminerPool, tmp_path: Path) -> None:
    files = records(tmp_path, b"one")
    pool.examine(POLICY, files)
    process = pool._idle[0]._process
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert pool.examine(POLICY, files)[0].mismatches == ()


def test_a_process_that_ends_within_a_packet_is_an_error_that_passes(
    obedient: ExaminerPool, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="trying again is safe"):
        obedient.examine(POLICY, records(tmp_path, b"one", b"kill parent"))
    assert obedient.examine(POLICY, records(tmp_path, b"one"))[0].mismatches == ()


def test_a_worker_has_no_secret_and_three_descriptors(obedient: ExaminerPool, tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    with (tmp_path / "open").open("rb") as stream:
        os.set_inheritable(stream.fileno(), True)
        environment, descriptors = obedient.examine(POLICY, records(tmp_path, b"environment", b"descriptors"))
    assert "LD_LIBRARY_PATH" in words_of(environment)[0][1]
    assert "AWS" not in words_of(environment)[0][1]
    assert words_of(descriptors)[0][1] == "3", "two pipes and the operator's log"


def test_more_packets_than_there_are_places_are_refused(pool: ExaminerPool, tmp_path: Path) -> None:
    files = records(tmp_path, b"one")
    files[0][1].unlink()
    os.mkfifo(files[0][1])  # the worker waits for its bytes
    examined: list[Examined] = []
    busy = threading.Thread(target=lambda: examined.extend(pool.examine(POLICY, files)))
    busy.start()
    with files[0][1].open("wb") as out:  # returns once the worker reads
        with pytest.raises(ServiceError) as refused:
            pool.examine(POLICY, records(tmp_path / "other", b"two"))
        out.write(b"one")
    busy.join()
    assert (refused.value.code, refused.value.retry_after_s) == (Code.RATE_LIMITED, Budget().packet_s)
    assert [one.mismatches for one in examined] == [()]


RECORD = Record("rec_1", "a.txt", "note", {"remark": "x"}, 1, sha256(b"a"), 5)
GOOD = examine(POLICY, RECORD, b"b")


def test_an_answer_is_read_as_it_was_written() -> None:
    assert GOOD.mismatches
    assert parse_answer(format_answer(GOOD), RECORD) == GOOD


def test_an_answer_can_neither_change_a_value_nor_hide_a_character() -> None:
    members = take_members(parse_json(format_answer(GOOD)))
    members["values"] = ["remark", "other"]
    mismatch: Members = {"check": "readable", "expected": "-", "fix": None, "found": "\x1b[2Jno\u202e"}
    members["mismatches"] = [mismatch]
    examined = parse_answer(format_json(members), RECORD)
    assert examined.values == {"remark": "x"}
    assert examined.mismatches == (Mismatch("readable", r"\x1b[2Jno\u202e", "-"),)


def _with(name: str, value: object) -> Callable[[dict[str, object]], dict[str, object]]:
    return lambda members: {**members, name: value}


@pytest.mark.parametrize(
    "change",
    [
        _with("record", {}),
        _with("media_type", "text/html"),
        _with("content_checked", 1),
        _with("sha256", "00"),
        _with("mismatches", [{"check": "my-check", "expected": "-", "fix": None, "found": "-"}]),
        _with("mismatches", [{"check": "readable"}]),
        _with("mismatches", "readable"),
    ],
)
def test_what_no_worker_of_ours_says_is_refused(change: Callable[[dict[str, object]], object]) -> None:
    members = dict(take_members(parse_json(format_answer(GOOD))))
    with pytest.raises(ValueError, match=r".+"):
        parse_answer(format_json(change(members)), RECORD)
    with pytest.raises(ValueError, match=r".+"):
        parse_answer(format_json(members) + b" ", RECORD)
