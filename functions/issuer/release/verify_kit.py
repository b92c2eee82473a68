"""verify-kit.zip: verifiers, trust root, specification and known kits, for somebody who has nothing else.

It is a canonical ZIP (REG-1.0 section 6.5), as kits are: the same parts make the same bytes.
"""

import io
from collections.abc import Mapping
from functools import lru_cache

from attestlayer.canonical import (
    Json,
    format_json,
    parse_json,
    take_array,
    take_members,
    take_object,
    take_string,
)
from attestlayer.cli.selftest import EXPECTED
from attestlayer.encoding import parse_base64, sha256
from attestlayer.kit.container import KitWriter
from attestlayer.kit.receipt import BOUNDARY
from attestlayer.log.trust import TrustRoot
from attestlayer.version import VERSION
from issuer.ports import ReleaseParts
from issuer.release.page import build_page
from issuer.release.single_file import make_single_file

README = "README.md"
_TRUST = "trust.json"
_VECTORS = "vectors"

_README = """\
# Verify kit {version}

Checks evidence kits that AttestLayer issued, without a network and without asking AttestLayer.

> {boundary}

## Whose signatures count

`trust.json` is the trust root of the registry **{origin}** as of {as_of}. The registry key that signed it is

    {verifier_key}
    key ID {kid}

A trust root vouches for itself only: compare this key with one that reached you another way, such as the
registry's front page read on another machine, or a letter. It stays the same when the trust root is renewed,
every day. Kits issued after that time verify too, but withdrawals and key events after it are not known here:
take the registry's current trust root for those, /v1/trust.json.

## With a browser alone

Open `verify.html` and drop the kit on it. Nothing leaves the machine: the page says how to see that for
yourself.

## With Python alone

Python 3.8 or newer, nothing installed, nothing fetched:

```sh
python3 -I -S verify.py trust trust.json    # whose keys are these? compare the registry key
python3 -I -S verify.py selftest            # does this verifier do what it should, on this machine?
python3 -I -S verify.py vectors/verified.zip --trust vectors/trust.json
python3 -I -S verify.py KIT                 # a ZIP or a folder, held against trust.json
python3 -I -S verify.py KIT --json          # for programs
```

The first line is `VERIFIED` (exit code 0), `NOT VERIFIED` (3) or `COULD NOT CHECK` (2).

`verify.py` is the command `attestlayer verify` in one readable file: its own modules, one behind the other.

## Known kits

`vectors/` holds kits of a registry that exists for tests only, its trust roots, and `expected.json`, which
says of each what a verifier has to answer. `verify.html` and other verifiers can be tried on them too.

{vectors}

## Files

SHA-256 of what is in this folder:

```text
{hashes}
```

`REG-1.0.md` is the specification: a verifier can be written from it alone.
"""


def make_verify_kit(parts: ReleaseParts, trust: TrustRoot) -> bytes:
    """The ZIP's bytes. Raises `BuildError`, `PageError` or `ValueError` if the parts don't fit together."""
    root = trust.format()
    files: dict[str, bytes] = {
        _TRUST: root,
        "verify.py": _verify_py(tuple(parts.sources.items())),
        "verify.html": build_page(parts.page, parts.style, parts.modules, root),
        "REG-1.0.md": parts.specification,
    }
    kits, vectors = _read_vectors(parts.vectors)
    files |= {f"{_VECTORS}/{name}": data for name, data in vectors.items()}
    # Last, since it lists the hashes of all other files.
    files[README] = _readme(files, trust, kits).encode()
    out = io.BytesIO()
    writer = KitWriter(out)
    for name in sorted(files):  # one order, one spelling: equal parts make equal bytes
        writer.add(name, files[name])
    writer.finish()
    return out.getvalue()


@lru_cache(maxsize=1)
def _verify_py(sources: tuple[tuple[str, str], ...]) -> bytes:
    """verify.py, kept for the process: it takes 0.2 s to build and is the same for every trust root."""
    return make_single_file(dict(sources), VERSION, BOUNDARY).encode()


def _read_vectors(data: bytes) -> tuple[list[Json], dict[str, bytes]]:
    """The expected results and the files of the known kits, from the one document that holds both."""
    members = take_object(parse_json(data), ("files", "kits"))
    kits = take_array(members, "kits")
    files = {EXPECTED: format_json({"schema": "attestlayer/expected/1", "kits": kits})}
    for item in take_array(members, "files"):
        file = take_object(item, ("base64", "name"))
        files[take_string(file, "name")] = parse_base64(take_string(file, "base64"))
    return kits, files


def _readme(files: Mapping[str, bytes], trust: TrustRoot, kits: list[Json]) -> str:
    table = ["| kit | verdict and reasons | what it is |", "|---|---|---|", *map(_row, kits)]
    return _README.format(
        version=VERSION,
        boundary=BOUNDARY,
        origin=trust.origin,
        as_of=trust.checkpoint.members()["timestamp"],
        verifier_key=trust.identity().format(),
        kid=trust.checkpoint.kid,
        vectors="\n".join(table),
        hashes="\n".join(f"{sha256(files[name]).hex()}  {name}" for name in sorted(files)),
    )


def _row(kit: Json) -> str:
    members = take_members(kit)
    said = ", ".join([take_string(members, "verdict"), *map(str, take_array(members, "reasons"))])
    return f"| `{take_string(members, 'kit')}` | {said} | {take_string(members, 'comment')} |"
