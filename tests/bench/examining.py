"""What examining records costs here and in the examining process: `python tests/bench/examining.py`.

First packets of samples: milliseconds each, here without limits, and by the pool with them. Then single
files, the largest good ones and some of the worst: CPU seconds and peak memory (MiB) in a process without
limits, then elapsed seconds and peak of the worker with them, and what it says.
"""

import base64
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("functions", "tests")]

from attestlayer.encoding import sha256  # noqa: E402
from issuer.adapters.examiner.pool import ExaminerPool  # noqa: E402
from issuer.intake.examine import Examined, examine  # noqa: E402
from issuer.model import Record  # noqa: E402
from issuer.settings import examiner_environment  # noqa: E402
from support.service import CATALOGUE, LANE, PROFILE  # noqa: E402

MIB = 1024 * 1024
POLICY = CATALOGUE.find(LANE, PROFILE)
LINE = b"The quick brown fox jumps over the lazy dog, again and again, and again.\n"


def text(length: int) -> bytes:
    return (LINE * (length // len(LINE) + 1))[:length]


def wide_text(length: int) -> bytes:
    """A text with one character beyond the BMP: four bytes a character once decoded."""
    return "\U0001f600".encode() + text(length - 4)


def mail(length: int) -> bytes:
    body = base64.encodebytes(random.Random(1).randbytes(length * 57 // 80))
    head = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
    kind = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return (head + kind + body)[:length]


def pdf(catalogue: bytes, stream: bytes = b"") -> bytes:
    """A PDF of one page."""
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalogue + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out, at = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(bodies, 1):
        at.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in at)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(at) + 1, start)
    return bytes(out) + end


def stored(count: int, length: int) -> bytes:
    """A ZIP archive of texts that are not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.txt", text(length))
    return out.getvalue()


def slow_catalogue() -> bytes:
    """Large objects in the catalogue, which a parser may build whole."""
    return pdf(b"".join(b"/X%d [" % j + b"<</K[0 0 0 0 0 0 0 0 0 0]>>" * 65_000 + b"]" for j in range(4)))


CASES: dict[str, Callable[[], tuple[str, bytes]]] = {
    "TXT 100 MiB": lambda: ("a.txt", text(100 * MIB)),
    "TXT 100 MiB, wide": lambda: ("a.txt", wide_text(100 * MIB)),
    "CSV 100 MiB": lambda: ("a.csv", b"a,b,c\n" + b"1,two,3.00\n" * (100 * MIB // 11 - 1)),
    "JSON 10 MiB": lambda: ("a.json", b"[" + b"[0]," * (10 * MIB // 4 - 1) + b"0]"),
    "EML 25 MiB": lambda: ("a.eml", mail(25 * MIB)),
    "ZIP 95 MiB": lambda: ("a.zip", stored(5, 19 * MIB)),
    "PDF 95 MiB": lambda: ("a.pdf", pdf(b"", random.Random(1).randbytes(95 * MIB))),
    "PDF, slow catalogue": lambda: ("a.pdf", slow_catalogue()),
}


def file_of(folder: Path, name: str, data: bytes) -> tuple[Record, Path]:
    path = folder / name
    path.write_bytes(data)
    return Record("rec_1", name, "note", {}, len(data), sha256(data), 5), path


def said(examined: Examined) -> str:
    wrong = ", ".join(f"{one.check}: it {one.found}" for one in examined.mismatches)
    return wrong or f"{examined.media_type}"


_ALONE = """
import json, resource, sys
sys.path[:0] = {paths!r}
from bench.examining import POLICY, CASES, file_of, said, examine
from pathlib import Path
record, path = file_of(Path(sys.argv[1]), *CASES[sys.argv[2]]())
import issuer.intake.recognise
before = resource.getrusage(resource.RUSAGE_SELF)
examined = examine(POLICY, record, path.read_bytes())
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                  after.ru_maxrss / 1024, said(examined)]))
"""


def alone(case: str, folder: Path) -> tuple[float, float, str]:
    """CPU seconds, peak MiB and finding in a process without limits."""
    paths = [str(ROOT / part) for part in ("functions", "tests")]
    done = subprocess.run(
        [sys.executable, "-c", _ALONE.format(paths=paths), str(folder), case],
        capture_output=True,
        text=True,
        check=True,
    )
    cpu, peak, finding = json.loads(done.stdout)  # noqa: TID251
    return cpu, peak, finding


def peak_of_workers(over: threading.Event) -> float:
    """The largest peak (MiB) of the processes that the pool's processes have, until the event."""
    largest = 0.0
    while not over.wait(0.01):
        for child in Path("/proc/self").glob("task/*/children"):
            for process in child.read_text().split():
                try:
                    workers = Path(f"/proc/{process}/task/{process}/children").read_text().split()
                    status = [Path(f"/proc/{worker}/status").read_text() for worker in workers]
                except OSError:
                    continue
                peaks = [int(each.split("VmHWM:")[1].split()[0]) / 1024 for each in status if "VmHWM" in each]
                largest = max([largest, *peaks])
    return largest


def limited(pool: ExaminerPool, case: str, folder: Path) -> tuple[float, float, str]:
    """Elapsed seconds, peak MiB and finding by the pool."""
    files = [file_of(folder, *CASES[case]())]
    over, peaks = threading.Event(), list[float]()
    watch = threading.Thread(target=lambda: peaks.append(peak_of_workers(over)))
    watch.start()
    start = time.perf_counter()
    (examined,) = pool.examine(POLICY, files)
    elapsed = time.perf_counter() - start
    over.set()
    watch.join()
    return elapsed, peaks[0], said(examined)


def packets(pool: ExaminerPool) -> None:
    """Print what packets of samples take."""
    from unit.intake.packets import SAMPLES, SETS, examined_samples

    sets = []
    for name in SETS:
        policy, examined = examined_samples(name)
        sets.append((policy, [(one.record, SAMPLES / name / one.record.name) for one in examined]))
    start = time.perf_counter()
    pool.examine(*sets[0])
    print(f"first packet, with the start of its process  {(time.perf_counter() - start) * 1000:7.1f} ms")
    here, there = [], []
    for policy, files in sets * 5:
        start = time.perf_counter()
        direct = tuple(examine(policy, record, path.read_bytes()) for record, path in files)
        middle = time.perf_counter()
        assert pool.examine(policy, files) == direct
        here.append((middle - start) * 1000)
        there.append((time.perf_counter() - middle) * 1000)
    print(f"packet of {len(files)} samples, here                   {statistics.median(here):7.1f} ms")
    print(f"packet of {len(files)} samples, by the pool            {statistics.median(there):7.1f} ms")


def main(arguments: list[str]) -> None:
    pool = ExaminerPool(examiner_environment(dict(os.environ)))  # noqa: TID251
    packets(pool)
    print(f"{'':22} {'CPU s':>6} {'MiB':>6}   {'limited s':>9} {'MiB':>6}")
    for case in arguments or CASES:
        with tempfile.TemporaryDirectory(prefix="attestlayer-bench-") as folder:
            cpu, peak, before = alone(case, Path(folder))
            elapsed, bounded, after = limited(pool, case, Path(folder))
        print(f"{case:22} {cpu:6.2f} {peak:6.0f}   {elapsed:9.2f} {bounded:6.0f}   {before} | {after}"[:200])


if __name__ == "__main__":
    main(sys.argv[1:])
