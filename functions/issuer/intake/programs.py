"""What a computer would run: told by first bytes, by names, and inside documents of another kind."""

import re

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.flaws import Flaw
from issuer.intake.media import extension
from issuer.intake.values import show

# The first bytes of what a computer would run. They prove no whole program, but no accepted type begins so.
_MAGIC = (
    (b"\x7fELF", "a program (ELF)"),  # System V ABI, chapter 4, e_ident
    # Mach-O (mach-o/loader.h): 32 and 64 bit, in either byte order; then archives for several processors
    # (mach-o/fat.h), the first of whose magics Java class files share (JVM specification section 4.1).
    (b"\xfe\xed\xfa\xce", "a program (Mach-O)"),
    (b"\xfe\xed\xfa\xcf", "a program (Mach-O)"),
    (b"\xce\xfa\xed\xfe", "a program (Mach-O)"),
    (b"\xcf\xfa\xed\xfe", "a program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "a program (Mach-O or Java class)"),
    (b"\xca\xfe\xba\xbf", "a program (Mach-O)"),
    (b"\0asm", "a program (WebAssembly)"),  # WebAssembly core specification section 5.5.16
    (b"dex\n", "a program (Android)"),
    (b"\x4c\0\0\0\x01\x14\x02\0", "a Windows shortcut, which can start a program"),  # MS-SHLLINK section 2.1
    (b"ITSF\x03\0\0\0", "a Windows help file, which can run scripts"),
    # "#!" of execve(2); editors on Windows write a byte order mark before it, which a shell may still take.
    (b"#!", "a script that a computer would run"),
    (b"\xef\xbb\xbf#!", "a script that a computer would run"),
)
_EXTENSIONS = frozenset(
    (
        *("apk", "bat", "chm", "cmd", "cpl", "dll", "exe", "hta", "jar", "jnlp", "js", "jse", "lnk", "msc"),
        *("msi", "pif", "ps1", "psm1", "reg", "scr", "sct", "sh", "sys", "vb", "vbe", "vbs", "wsf", "wsh"),
    )
)
_DOMAIN_EXTENSIONS = frozenset({"app", "com"})
"""Endings of programs that names of companies have as well: there the content decides."""
_MARKS_MAX = 10_000  # PE marks in one file that are looked at; a document with one program has one
_STUB = b"MZ\x90\0\x03\0\0\0"  # what linkers write
_PE_REACH = 4096  # bytes before the PE mark in which its header begins
# An embedded file of an OLE package (MS-OLEDS section 2.3.6) has its name, with a zero, before its bytes.
_NAME_END = re.compile(rb"\.(?:" + "|".join(sorted(_EXTENSIONS)).encode() + rb")\0", re.IGNORECASE)
_NAME_MAX = 120
_PACKAGE = "\1Ole10Native".encode("utf-16-le")


def program_flaw(name: str, data: bytes) -> Flaw | None:
    """Whether a file begins as a program or script, or is named as one, or None."""
    for magic, description in _MAGIC:
        if data.startswith(magic):
            return Flaw.of(FlawKind.PROGRAM, description)
    # "MZ" alone may begin a text; a Windows program has zero bytes in its header (PE format, MS-DOS stub).
    if data.startswith(b"MZ") and b"\0" in data[:1024]:
        return Flaw.of(FlawKind.PROGRAM, "a program (Windows)")
    if extension(name) in _EXTENSIONS:
        return Flaw.of(FlawKind.NAMED_PROGRAM, extension(name))
    return None


def named_by_domain(name: str) -> bool:
    """Whether a file whose content nobody knows has an ending that programs and domains share."""
    return extension(name) in _DOMAIN_EXTENSIONS


def is_program_name(name: str) -> bool:
    """Whether a file of this name would be run when it is opened."""
    return extension(name) in _EXTENSIONS | _DOMAIN_EXTENSIONS


def held_program(data: bytes) -> Flaw | None:
    """Whether a file that is not taken apart, such as OLE, holds a Windows program, or None. O(size)."""
    if _PACKAGE in data:
        end = _NAME_END.search(data)
        if end:
            name = data[max(0, end.start() - _NAME_MAX) : end.end() - 1].rpartition(b"\0")[2]
            return Flaw.of(FlawKind.HOLDS_PROGRAM, show(name.decode("latin-1").strip()))
    for number, mark in enumerate(re.finditer(rb"PE\0\0", data)):
        if number == _MARKS_MAX:
            break
        if _begins_program(data, mark.start()):
            return Flaw.of(FlawKind.HOLDS_PROGRAM, f"Windows, at byte {mark.start()}")
    return None


def _begins_program(data: bytes, mark: int) -> bool:
    """Whether an MS-DOS header before `mark` points at it (PE format, section "Signature")."""
    start = mark
    for _ in range(8):
        start = data.rfind(b"MZ", max(0, mark - _PE_REACH), start)
        if start < 0:
            return False
        # The usual stub is enough: of a damaged header, too, nobody wants the program behind it.
        if (
            data.startswith(_STUB, start)
            or int.from_bytes(data[start + 60 : start + 64], "little") == mark - start
        ):
            return True
    return False
