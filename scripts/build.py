"""Builds the functions' zips and the template that names them by their hashes.

A zip is a pure function of this repository: wheels as locked (versions and hashes) for Lambda's platform, our
sources, sorted names, one date, one mode. No compiled files: they would be this machine's Python's.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from template import load_template, package

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "functions"
DATE = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644 << 16

LARGEST = 200 * 1024 * 1024
"""Bytes of an unpacked zip: Lambda's limit is 250 MB (AWS Lambda quotas), and room is left below it."""

UNUSED = ("lxml",)
"""Packages that are never imported: pikepdf reads XMP metadata with lxml, and nothing here does."""

SITE, FONTS, SAMPLES = "site/", "issuer/adapters/binder/fonts/", "site/content/samples/"


@dataclass(frozen=True)
class Contents:
    """Contents of a zip in addition to our code: the packages of a lock, and folders for some functions."""

    lock: str
    fonts: bool = False
    site: bool = False


ZIPS = {
    "issue": Contents("function-issue", fonts=True),
    "log": Contents("function-log"),
    "site": Contents("function-log", site=True),
    "prove": Contents("function-prove"),
}
"""Each zip that functions run from. Only `issue` renders binders: typst is 80 MB. `site` writes the pages."""


@dataclass(frozen=True)
class Target:
    """The target of the wheels: a Python version and a platform, by uv's name (None: this machine)."""

    python: str
    platform: str | None


LAMBDA = Target("3.13", "aarch64-manylinux_2_34")
"""Lambda's Python 3.13: Amazon Linux 2023, glibc 2.34."""


def this_machine() -> Target:
    """The target of the local cloud, which runs functions with this machine's Python."""
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", None)


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the functions' zips and the packaged template.")
    parser.add_argument("--local", action="store_true", help="for this machine's Python")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="folder (dist)")
    arguments = parser.parse_args()
    build(this_machine() if arguments.local else LAMBDA, arguments.output)
    return 0


def build(target: Target, output: Path, *, level: int = 6) -> None:
    """Write the zips, unless they were built from the same inputs, and the packaged template."""
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
    """Write the zips and print sizes and hashes. Returns each one's object key, which contains its hash."""
    folder.mkdir(parents=True, exist_ok=True)
    packages = {lock: dict(installed(lock, target)) for lock in {each.lock for each in ZIPS.values()}}

    def write(name: str) -> str:
        members = packages[ZIPS[name].lock] | sources(ZIPS[name])
        unpacked = sum(map(len, members.values()))
        if unpacked > LARGEST:
            raise SystemExit(f"build: {name} unpacks to {unpacked} bytes, wanted {LARGEST} at most")
        path = folder / f"{name}.zip"
        write_zip(path, members, level)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        mb = f"{path.stat().st_size / 1e6:6.1f} MB zip {unpacked / 1e6:6.1f} MB unpacked"
        print(f"{name:10} {mb}  sha256 {digest}", flush=True)
        return f"functions/{name}-{digest[:32]}.zip"

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # zlib computes outside the interpreter's lock
        return dict(zip(ZIPS, pool.map(write, ZIPS), strict=True))


def inputs_of(target: Target, level: int) -> str:
    """A hash of everything that the zips are a function of."""
    digest = hashlib.sha256(repr((target, level)).encode())
    named = dict(files(ROOT / "functions", ROOT)) | dict(files(ROOT / "site", ROOT))
    for path in (*(ROOT / "infra/lock").glob("function-*.txt"), Path(__file__)):
        named[path.relative_to(ROOT).as_posix()] = path.read_bytes()
    for name in sorted(named):
        digest.update(f"{name} {hashlib.sha256(named[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


def installed(lock: str, target: Target) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the files that the wheels of a lock install."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--target", folder]
        command += ["--python", sys.executable, "--python-version", target.python, "--only-binary=:all:"]
        command += ["--python-platform", target.platform] if target.platform else []
        command += ["--no-deps", "--require-hashes", "-r", str(ROOT / "infra/lock" / f"{lock}.txt")]
        subprocess.run(command, check=True)
        for name, data in files(Path(folder), Path(folder)):
            if importable(name):
                yield name, data


def importable(name: str) -> bool:
    """Whether a file of an installation is the package's: no script, and no note of who installed it."""
    top, _, rest = name.partition("/")
    noted = top.endswith(".dist-info") and rest in ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
    return top not in ("bin", *UNUSED) and not noted


def sources(contents: Contents) -> dict[str, bytes]:
    """Our own files: the two packages, fonts where binders are rendered, the site where it is published."""
    members = dict(files(SOURCES / "attestlayer", SOURCES)) | dict(files(SOURCES / "issuer", SOURCES))
    if not contents.fonts:
        members = {name: data for name, data in members.items() if not name.startswith(FONTS)}
    if contents.site:
        members |= {n: d for n, d in files(ROOT / SITE, ROOT) if not n.startswith(SAMPLES)}
    return members


def files(folder: Path, root: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder, named from `root`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(root).as_posix(), path.read_bytes()


def write_zip(path: Path, members: dict[str, bytes], level: int) -> None:
    """Write a zip: sorted, deflated, one date and one mode, so that equal members make equal bytes."""
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
