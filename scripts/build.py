"""Builds the functions' zips and the template that names them by their hashes.

A zip is a pure function of this repository: wheels as locked (versions and hashes) for Lambda's platform, our
sources, sorted names, one date, one mode. No compiled files: they would be this machine's Python's.
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from template import load_template, package

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "functions"
DATE = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644 << 16

LARGEST = 200 * 1024 * 1024
"""Bytes of an unpacked zip: Lambda's limit is 250 MB (AWS Lambda quotas), and room is left below it."""

FUNCTIONS = {
    "issue": "function-issue",
    "sequence": "function-log",
    "deliver": "function-log",
    "index": "function-log",
    "release": "function-log",
    "notify": "function-log",
    "publish": "function-log",
    "maintain": "function-log",
    "initialise": "function-log",
    "prove": "function-prove",
}
"""Each function and the lock of what it imports. Only `issue` renders binders: typst is 80 MB."""

SAMPLES = "site/content/samples/"
FONTS = "issuer/adapters/binder/fonts/"
PUBLISHING = ("publish", "initialise", "release")
"""Functions that write the site's pages."""


@dataclass(frozen=True)
class Target:
    """What the wheels are for."""

    python: str
    platforms: tuple[str, ...]


GLIBC = range(34, 16, -1)
"""Minor versions of the C library, newest first. Lambda's Python 3.13: Amazon Linux 2023, glibc 2.34."""


def platforms(machine: str) -> tuple[str, ...]:
    """Tags of wheels that run there (PEP 600); pip takes each by itself."""
    return (*(f"manylinux_2_{minor}_{machine}" for minor in GLIBC), f"manylinux2014_{machine}")


LAMBDA = Target("3.13", platforms("aarch64"))


def this_machine() -> Target:
    """For the local cloud, which runs functions with this machine's Python."""
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", platforms(platform.machine()))


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the functions' zips and the packaged template.")
    parser.add_argument("--local", action="store_true", help="for this machine's Python")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder (dist)")
    arguments = parser.parse_args()
    build(this_machine() if arguments.local else LAMBDA, arguments.output)
    return 0


def build(target: Target, output: Path, *, level: int = 6) -> None:
    """Write the zips, unless they are of just these inputs, and the packaged template."""
    stamp, inputs = output / "stamp.json", inputs_of(target, level)
    output.mkdir(parents=True, exist_ok=True)
    known = json.loads(stamp.read_text()) if stamp.exists() else {}
    if known.get("inputs") == inputs:
        print(f"build: the zips of {output} are up to date", flush=True)
    else:
        stamp.unlink(missing_ok=True)
        known = {"inputs": inputs, "keys": build_zips(target, output / "functions", level)}
        stamp.write_text(json.dumps(known))
    text = json.dumps(package(load_template(), known["keys"]), indent=1, ensure_ascii=False) + "\n"
    (output / "template.json").write_text(text, encoding="utf-8")
    print(f"template   sha256 {hashlib.sha256(text.encode()).hexdigest()}", flush=True)


def build_zips(target: Target, folder: Path, level: int) -> dict[str, str]:
    """Write the zips; print sizes and hashes. Each function's key, which names the zip by its hash."""
    folder.mkdir(parents=True, exist_ok=True)
    keys: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as downloads:
        wheels = {lock: download(lock, target, Path(downloads)) for lock in sorted(set(FUNCTIONS.values()))}
    for name, lock in FUNCTIONS.items():
        members = wheels[lock] | sources(name)
        unpacked = sum(map(len, members.values()))
        if unpacked > LARGEST:
            raise SystemExit(f"build: {name} unpacks to {unpacked} bytes, wanted {LARGEST} at most")
        path = folder / f"{name}.zip"
        write_zip(path, members, level)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        keys[name] = f"functions/{name}-{digest[:32]}.zip"
        mb = f"{path.stat().st_size / 1e6:6.1f} MB zip {unpacked / 1e6:6.1f} MB unpacked"
        print(f"{name:10} {mb}  sha256 {digest}", flush=True)
    return keys


def inputs_of(target: Target, level: int) -> str:
    """A hash of everything that the zips are a function of."""
    digest = hashlib.sha256(repr((target, level)).encode())
    named = dict(files(ROOT / "functions", ROOT)) | dict(files(ROOT / "site", ROOT))
    for path in (*(ROOT / "infra/lock").glob("function-*.txt"), Path(__file__)):
        named[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    for name in sorted(named):
        digest.update(f"{name} {hashlib.sha256(named[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


def download(lock: str, target: Target, folder: Path) -> dict[str, bytes]:
    """The unpacked wheels of a lock: name to bytes."""
    into = folder / lock
    options = [
        "--only-binary=:all:",
        "--implementation",
        "cp",
        "--python-version",
        target.python,
        "--no-deps",
    ]
    for each in target.platforms:
        options += ["--platform", each]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "-r", str(ROOT / "infra/lock" / f"{lock}.txt"), "--dest", str(into)]
    subprocess.run(command + options, check=True)
    members: dict[str, bytes] = {}
    for wheel in sorted(into.iterdir()):
        for name, data in unpack(wheel):
            if members.setdefault(name, data) != data:
                raise SystemExit(f"build: two packages of {lock} hold different files {name}")
    return members


def unpack(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Importable files of a wheel (PEP 427): not its scripts, headers, or tests' caches."""
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            name = info.filename
            top, _, rest = name.partition("/")
            if top.endswith(".data"):
                scheme, _, name = rest.partition("/")
                if scheme not in ("purelib", "platlib"):
                    continue
            if not name.endswith(("/", ".pyc")):
                yield name, archive.read(info)


def sources(function: str) -> dict[str, bytes]:
    """Our own files: the two packages, fonts where binders are rendered, the site where it is published."""
    members = {}
    for folder in (SOURCES / "attestlayer", SOURCES / "issuer"):
        members.update(files(folder, SOURCES))
    if function != "issue":
        members = {name: data for name, data in members.items() if not name.startswith(FONTS)}
    if function in PUBLISHING:
        members.update(files(ROOT / "site", ROOT))
        members = {name: data for name, data in members.items() if not name.startswith(SAMPLES)}
    return members


def files(folder: Path, root: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder, named from `root`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(root).as_posix(), path.read_bytes()


def write_zip(path: Path, members: dict[str, bytes], level: int) -> None:
    """Deflated, by name, all of one date and mode."""
    unfinished = path.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, DATE)
            info.create_system = 3
            info.external_attr = MODE
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, members[name])
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
