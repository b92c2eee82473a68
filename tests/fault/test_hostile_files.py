"""A client uploads the worst files, many packets at once.

The service answers everybody else, rounds go on, processes stay few and small, and nothing is left on disk.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.client import Got, Site, newcomer, running
from issuer.adapters.examiner.pool import AT_ONCE, WAITING, ExaminerPool
from issuer.bootstrap import process
from issuer.intake.budget import Budget
from support.examining import OBEDIENT
from support.thorough import thorough

BUDGET = Budget(record_cpu_s=1, record_memory=256 * 1024 * 1024, packet_cpu_s=1, packet_s=120)
WORST = (b"allocate", b"segfault", b"kill", b"exit", b"loop")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A server whose parser obeys the files, and whose records have a small budget."""
    with running(tmp_path / "home") as server:
        service = replace(server.service, examiner=ExaminerPool({}, BUDGET, program=OBEDIENT))
        process.use(service)
        yield newcomer(service, server.url)


def hostile_packet(site: Site) -> str:
    """A packet of the worst files."""
    packet_id = site.open()
    for number, data in enumerate(WORST):
        site.submit(packet_id, f"{number}.txt", "supporting-document", data)
    return packet_id


def descendants(pid: str = "self") -> list[str]:
    """The processes that a process started, and theirs. They may end while they are listed."""
    found: list[str] = []
    for children in Path("/proc", pid).glob("task/*/children"):
        try:
            listed = children.read_text().split()
        except OSError:
            continue
        found += [*listed, *(each for child in listed for each in descendants(child))]
    return found


@pytest.mark.parametrize("packets", [4, thorough(50)])
def test_other_calls_and_rounds_go_on_under_the_worst_files(site: Site, packets: int) -> None:
    other = newcomer(site.service, site.url)
    hostile = [newcomer(site.service, site.url) for _ in range(packets)]
    packet_ids = [hostile_packet(each) for each in hostile]
    before, most, rounds = len(descendants()), 0, 0
    with ThreadPoolExecutor(packets) as attackers:
        answers = [
            attackers.submit(one.call, "POST", f"/v1/packets/{packet_id}/check")
            for one, packet_id in zip(hostile, packet_ids, strict=True)
        ]
        while not all(answer.done() for answer in answers) or not rounds:
            assert other.call("GET", "/v1/workspace").status == 200
            site.service.sequencer.run()
            most, rounds = max(most, len(descendants()) - before), rounds + 1
            threading.Event().wait(0.05)
    got = [answer.result() for answer in answers]
    assert most <= 2 * AT_ONCE, "for each packet that is examined a process and its worker"
    assert sum(each.status == 200 for each in got) >= min(packets, AT_ONCE + WAITING)
    for each in got:
        check_answer(each)
    assert list(site.service.scratch.path.iterdir()) == []
    packet_id = other.open()
    other.fill(packet_id)
    assert other.issue(packet_id).json["outcome"] == "PASS"
    other.publish()
    assert other.packet(packet_id)["state"] == "issued"


def check_answer(got: Got) -> None:
    """Check that an attacker is told what is wrong with each file, or to come again."""
    if got.status == 429:
        assert int(got.headers["Retry-After"]) > 0
        return
    assert (got.status, got.json["outcome"]) == (200, "FAIL"), got
    named = {each["rule"] for each in got.json["blockers"]}
    assert "read-within-budget" in named
    text = got.body.decode()
    assert all(f"{number}.txt" in text for number in range(len(WORST)))
