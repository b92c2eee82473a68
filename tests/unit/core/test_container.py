"""Kits as files and folders: one spelling of a ZIP, limits before reading, folders of members."""

import hashlib
import io
import os
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from attestlayer.encoding import sha256
from attestlayer.errors import CouldNotCheckError, Reason, Remark, VerificationError
from attestlayer.kit.container import Kit, KitWriter
from attestlayer.kit.manifest import MANIFEST, README, RECEIPT, REGISTRY_RECEIPT
from attestlayer.kit.receipt import parse_receipt
from attestlayer.kit.zip_reader import read_zip
from attestlayer.reading.files import open_kit, read_trust
from attestlayer.verify.verifier import explain, verify
from support.build import ISSUER, Delivered, Plan, Scenario, make, make_zip, open_zip
from support.tools import missing, require


def reason_of(data: bytes) -> Reason:
    with pytest.raises(VerificationError) as caught:
        open_zip(data)
    return caught.value.reason


def zipped_by_python(members: dict[str, bytes], **options: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name), members[name])
    return out.getvalue()


def write(folder: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


class TestZip:
    def test_is_the_same_bytes_for_the_same_members(self) -> None:
        # Worked out by hand from APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16: one member "a" with content "x".
        crc = struct.pack("<L", 0x8CDC1683)  # CRC-32 of "x"
        local = b"PK\3\4\x14\0\0\0\0\0\0\0\x21\0" + crc + b"\1\0\0\0\1\0\0\0\1\0\0\0a"
        central = b"PK\1\2\x14\0\x14\0\0\0\0\0\0\0\x21\0" + crc + b"\1\0\0\0\1\0\0\0\1\0" + bytes(16) + b"a"
        end = b"PK\5\6\0\0\0\0\1\0\1\0" + struct.pack("<LLH", len(central), len(local) + 1, 0)
        assert make_zip({"a": b"x"}) == local + b"x" + central + end

    def test_is_read_by_python(self) -> None:
        kit = make()
        with zipfile.ZipFile(io.BytesIO(kit.zip)) as archive:
            assert archive.testzip() is None
            assert {name: archive.read(name) for name in archive.namelist()} == kit.members
            assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_zipped_again_by_python_is_not_canonical(self, method: int) -> None:
        assert (
            reason_of(zipped_by_python(make().members, compression=method)) == Reason.CONTAINER_NOT_CANONICAL
        )

    def test_zipped_again_by_zip_is_not_canonical(self, tmp_path: Path) -> None:
        tool = require("zip")
        folder = write(tmp_path / "kit", make().members)
        again = tmp_path / "again.zip"
        subprocess.run([tool, "-q", "-r", again, "."], cwd=folder, check=True)
        assert reason_of(again.read_bytes()) == Reason.CONTAINER_NOT_CANONICAL

    def test_without_its_registry_receipt_by_zip_has_the_leafs_digest(self, tmp_path: Path) -> None:
        tool = require("zip")
        kit = make()
        path = tmp_path / "kit.zip"
        path.write_bytes(kit.zip)
        subprocess.run([tool, "-q", "-d", path, REGISTRY_RECEIPT], check=True)
        assert hashlib.sha256(path.read_bytes()).digest() == kit.sealed.record.leaf.kit_digest

    def test_without_its_registry_receipt_has_the_leafs_digest(self) -> None:
        kit = make()
        members = {name: data for name, data in kit.members.items() if name != REGISTRY_RECEIPT}
        assert sha256(make_zip(members)) == kit.sealed.record.leaf.kit_digest == kit.kit().sealed_digest()

    @pytest.mark.parametrize(
        "name",
        ["a\n", "é", "", "a\x00b", "a" * 129, "a\x7f"],
        ids=["newline", "accent", "empty", "nul", "long", "del"],
    )
    def test_refuses_names_that_are_not_short_printable_ascii(self, name: str) -> None:
        assert reason_of(renamed("x" * len(name.encode()), name.encode())) == Reason.CONTAINER_NOT_CANONICAL

    def test_names_that_climb_are_unexpected(self) -> None:
        assert open_zip(make_zip({"../README.txt": b"", "/etc/x": b""})).unexpected == (
            "../README.txt",
            "/etc/x",
        )

    def test_refuses_a_member_twice(self) -> None:
        one = make_zip({README: b"x"})
        local = one[: one.index(b"PK\1\2")]
        assert reason_of(local + one) == Reason.CONTAINER_NOT_CANONICAL

    @pytest.mark.parametrize("at", range(4, 30))
    def test_refuses_every_other_value_of_a_header(self, at: int) -> None:
        data = bytearray(make_zip({README: b"content"}))
        data[at] ^= 0x80
        assert reason_of(bytes(data)) in {Reason.CONTAINER_NOT_CANONICAL, Reason.CONTAINER_LIMIT_EXCEEDED}

    @pytest.mark.parametrize("cut", range(1, 80))
    def test_refuses_a_zip_that_is_cut(self, cut: int) -> None:
        data = make_zip({README: b"content", RECEIPT: b"{}"})
        wanted = Reason.INPUT_NOT_A_KIT if cut >= len(data) - 3 else Reason.CONTAINER_NOT_CANONICAL
        assert reason_of(data[:-cut]) == wanted

    def test_refuses_what_stands_before_it(self) -> None:
        assert reason_of(b"#!/bin/sh\n" + make().zip) == Reason.INPUT_NOT_A_KIT

    def test_refuses_a_comment(self) -> None:
        data = make_zip({README: b"content"})
        assert reason_of(data[:-2] + b"\2\0hi") == Reason.CONTAINER_NOT_CANONICAL

    def test_refuses_zip64_sizes_before_reading(self) -> None:
        data = bytearray(make_zip({README: b""}))
        data[18:26] = b"\xff" * 8
        assert reason_of(bytes(data)) == Reason.CONTAINER_LIMIT_EXCEEDED

    def test_refuses_records_of_over_100_mib_in_all_before_reading(self) -> None:
        # REG-1.0 section 6: 100 MiB of records in all.
        data = bytearray(make_zip({"records/001-a": b"x" * 10, "records/002-b": b""}))
        at = data.index(b"PK\3\4", 4)
        data[at + 18 : at + 26] = (100 * 1024 * 1024 - 9).to_bytes(4, "little") * 2
        assert reason_of(bytes(data)) == Reason.CONTAINER_LIMIT_EXCEEDED

    def test_refuses_more_bytes_than_a_zip_without_zip64_can_hold(self) -> None:
        # Each of these members is within its limit; all of them are not, and are not read.
        headers = b"".join(header(f"x{n:03}", 16 * 1024 * 1024) for n in range(40))
        stream = Holes(headers, 16 * 1024 * 1024)
        with pytest.raises(VerificationError) as caught:
            read_zip(stream)  # type: ignore[arg-type]
        assert caught.value.reason == Reason.CONTAINER_LIMIT_EXCEEDED

    def test_refuses_members_out_of_order_though_its_directory_agrees(self) -> None:
        pairs = [("b", b"2"), ("a", b"1")]
        assert reason_of(joined(pairs)) == Reason.CONTAINER_NOT_CANONICAL
        assert joined(sorted(pairs)) == make_zip(dict(pairs))

    def test_refuses_a_member_twice_though_its_directory_agrees(self) -> None:
        assert reason_of(joined([(README, b"1"), (README, b"2")])) == Reason.CONTAINER_NOT_CANONICAL

    def test_refuses_a_checksum_that_is_not_the_contents(self) -> None:
        data = make_zip({README: b"content"})
        crc = struct.pack("<L", zlib.crc32(b"content"))
        assert data.count(crc) == 2  # local header and directory agree with each other
        assert reason_of(data.replace(crc, bytes(4))) == Reason.CONTAINER_NOT_CANONICAL

    def test_refuses_a_zip_cut_anywhere(self) -> None:
        data = make_zip({README: b"content", RECEIPT: b"{}"})
        assert {reason_of(data[:at]) for at in range(4)} == {Reason.INPUT_NOT_A_KIT}
        assert {reason_of(data[:at]) for at in range(4, len(data))} == {Reason.CONTAINER_NOT_CANONICAL}

    def test_takes_a_record_larger_than_any_other_member_may_be(self) -> None:
        # REG-1.0 section 6: 16 MiB is the limit of members that are no records.
        data = bytes(16 * 1024 * 1024 + 1)
        assert open_zip(make_zip({"records/001-a": data})).members["records/001-a"].size == len(data)
        assert reason_of(make_zip({README: data})) == Reason.CONTAINER_LIMIT_EXCEEDED
        assert open_zip(make_zip({README: data[1:]})).members[README].size == 16 * 1024 * 1024

    def test_keeps_no_record_in_memory(self) -> None:
        assert sorted(make().kit().documents) == sorted(
            name for name in make().members if not name.startswith(("records/", "README", "binder"))
        )

    def test_a_writer_takes_no_name_twice(self) -> None:
        writer = KitWriter(io.BytesIO())
        writer.add("a", b"")
        with pytest.raises(ValueError, match="not in byte order"):
            writer.add("a", b"")

    def test_writer_refuses_members_out_of_order(self) -> None:
        writer = KitWriter(io.BytesIO())
        writer.add("b", b"")
        with pytest.raises(ValueError, match="not in byte order"):
            writer.add("a", b"")


def joined(pairs: list[tuple[str, bytes]]) -> bytes:
    """A ZIP of these members in this order, canonical in everything else."""
    locals_, central = b"", b""
    for name, data in pairs:
        one = make_zip({name: data})
        start = one.index(b"PK\1\2")
        entry = bytearray(one[start : one.index(b"PK\5\6")])
        entry[42:46] = struct.pack("<L", len(locals_))  # APPNOTE 4.3.12: offset of the local header
        locals_, central = locals_ + one[:start], central + bytes(entry)
    count = len(pairs)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(central), len(locals_), 0)
    return locals_ + central + end


def renamed(placeholder: str, name: bytes) -> bytes:
    data = make_zip({placeholder or "x": b"content"})
    if not name:
        return data.replace(b"\1\0\0\0x", b"\0\0\0\0", 1)
    return data.replace(placeholder.encode(), name)


def header(name: str, size: int) -> bytes:
    """A local header whose content is zeros of that size."""
    crc = _zeros_crc(size)
    fixed = b"PK\3\4\x14\0\0\0\0\0\0\0\x21\0" + struct.pack("<LLLHH", crc, size, size, len(name), 0)
    return fixed + name.encode()


def _zeros_crc(size: int) -> int:
    return zlib.crc32(bytes(size))


class Holes(io.RawIOBase):
    """A ZIP of equally long headers, each followed by `size` zeros, made while it is read."""

    def __init__(self, headers: bytes, size: int) -> None:
        self.headers, self.size, self.at = headers, size, 0
        self.step = len(header("x000", 0)) + size

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (self.at if whence == 1 else 0)
        return self.at

    def tell(self) -> int:
        return self.at

    def read(self, size: int = -1) -> bytes:
        number, within = divmod(self.at, self.step)
        length = self.step - self.size
        part = self.headers[number * length : (number + 1) * length][within : within + size]
        data = part or bytes(min(size, self.step - within))
        self.at += len(data)
        return data


class TestFolder:
    def test_of_the_members_is_verified(self, tmp_path: Path) -> None:
        kit = make()
        with open_kit(write(tmp_path, kit.members)) as opened:
            assert verify(opened, kit.trust) == verify(kit.kit(), kit.trust)

    def test_empty_folders_are_ignored(self, tmp_path: Path) -> None:
        kit = make()
        (write(tmp_path, kit.members) / "records" / "empty" / "deeper").mkdir(parents=True)
        with open_kit(tmp_path) as opened:
            verify(opened, kit.trust)

    def test_litter_is_ignored_and_listed(self, tmp_path: Path) -> None:
        kit = make()
        litter = {
            ".DS_Store": b"x",
            "records/Thumbs.db": b"x",
            "desktop.ini": b"",
            "registry/._x": b"\0" * 65536,
        }
        with open_kit(write(tmp_path, {**kit.members, **litter})) as opened:
            report = explain(opened, kit.trust)
        (note,) = report.notes
        assert note.remark == Remark.FILES_IGNORED
        assert all(name in note.message for name in litter)
        assert report.issued

    def test_large_litter_is_not_ignored(self, tmp_path: Path) -> None:
        kit = make()
        assert first(write(tmp_path, {**kit.members, "._x": b"\0" * 65537}), kit) == (
            Reason.FILE_UNEXPECTED,
            ("._x",),
        )

    def test_an_extra_file_fails_and_is_named(self, tmp_path: Path) -> None:
        kit = make()
        assert first(write(tmp_path, {**kit.members, "records/notes.txt": b""}), kit) == (
            Reason.FILE_UNEXPECTED,
            ("records/notes.txt",),
        )

    def test_several_unlisted_files_are_reported_in_order(self, tmp_path: Path) -> None:
        kit = make()
        names = [f"records/{n:03}-x" for n in range(2, 12)]
        with open_kit(write(tmp_path, {**kit.members, **dict.fromkeys(names, b"")})) as opened:
            report = explain(opened, kit.trust)
        assert [failure.files for failure in report.steps[1].failures] == [(name,) for name in names]

    def test_every_missing_file_is_missed(self, tmp_path: Path) -> None:
        kit = make()
        for n, gone in enumerate(kit.members):
            members = {name: data for name, data in kit.members.items() if name != gone}
            wanted = Reason.REGISTRY_RECEIPT_MISSING if gone == REGISTRY_RECEIPT else Reason.FILE_MISSING
            assert first(write(tmp_path / str(n), members), kit) == (wanted, (gone,))

    def test_a_link_is_refused(self, tmp_path: Path) -> None:
        kit = make()
        folder = write(tmp_path / "kit", kit.members)
        (tmp_path / "readme").write_bytes(kit.members[README])
        (folder / README).unlink()
        (folder / README).symlink_to(tmp_path / "readme")
        assert first(folder, kit) == (Reason.CONTAINER_LINK, (README,))

    def test_a_link_to_a_folder_is_refused(self, tmp_path: Path) -> None:
        kit = make()
        folder = write(tmp_path / "kit", kit.members)
        (folder / "records").rename(tmp_path / "records")
        (folder / "records").symlink_to(tmp_path / "records")
        assert first(folder, kit) == (Reason.CONTAINER_LINK, ("records",))

    def test_a_pipe_is_refused_and_not_read(self, tmp_path: Path) -> None:
        kit = make()
        os.mkfifo(write(tmp_path, kit.members) / "pipe")
        assert first(tmp_path, kit) == (Reason.CONTAINER_LINK, ("pipe",))

    def test_names_that_are_no_text_are_unexpected(self, tmp_path: Path) -> None:
        kit = make()
        write(tmp_path, kit.members)
        try:
            Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).write_bytes(b"")
        except OSError:
            missing("a file system that takes names that are no text")
        reason, (name,) = first(tmp_path, kit)
        assert (reason, os.fsencode(name)) == (Reason.FILE_UNEXPECTED, b"caf\xe9")

    def test_names_come_in_the_order_of_their_bytes_even_those_that_are_no_text(self, tmp_path: Path) -> None:
        names = (b"a", "\uff61".encode(), "\U0001f600".encode(), b"\xff")
        try:
            for name in names:
                Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
        except OSError:
            missing("a file system that takes names that are no text")
        with open_kit(tmp_path) as kit:
            assert tuple(map(os.fsencode, kit.members)) == tuple(map(os.fsencode, kit.unexpected)) == names

    def test_folders_in_folders_without_end_are_could_not_check(self, tmp_path: Path) -> None:
        depth = 3000
        here = os.open(tmp_path, os.O_RDONLY)
        try:
            for _ in range(depth):
                os.mkdir("d", dir_fd=here)
                inner = os.open("d", os.O_RDONLY, dir_fd=here)
                os.close(here)
                here = inner
        finally:
            os.close(here)
        try:
            with pytest.raises(CouldNotCheckError) as caught, open_kit(tmp_path):
                pass
            assert caught.value.reason == Reason.INPUT_UNREADABLE
        finally:
            subprocess.run([require("rm"), "-rf", tmp_path / "d"], check=True)

    def test_an_absent_path_could_not_be_checked(self, tmp_path: Path) -> None:
        with pytest.raises(CouldNotCheckError) as caught, open_kit(tmp_path / "nothing"):
            pass
        assert caught.value.reason == Reason.INPUT_UNREADABLE

    def test_an_empty_folder_misses_its_manifest(self, tmp_path: Path) -> None:
        with open_kit(tmp_path) as opened:
            report = explain(opened, make().trust)
        assert MANIFEST in {name for failure in report.steps[1].failures for name in failure.files}


def first(folder: Path, kit: Delivered) -> tuple[Reason, tuple[str, ...]]:
    """Reason and files of the first failure."""
    with pytest.raises(VerificationError) as caught, open_kit(folder) as opened:
        verify(opened, kit.trust)
    return caught.value.reason, caught.value.files


class TestWithOtherTools:
    def test_openssl_verifies_the_receipts_signature(self, tmp_path: Path) -> None:
        tool = require("openssl")
        receipt = parse_receipt(make().members[RECEIPT])
        # RFC 8410 section 10.1: SubjectPublicKeyInfo of an Ed25519 key is this prefix and the key.
        info = bytes.fromhex("302a300506032b6570032100") + ISSUER.public.data
        import base64

        pem = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(info).decode()}\n-----END PUBLIC KEY-----\n"
        (tmp_path / "k.pem").write_text(pem)
        (tmp_path / "tbs").write_bytes(receipt.signed_bytes())
        (tmp_path / "sig").write_bytes(receipt.signature)
        command = [
            tool,
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "k.pem",
            "-rawin",
            "-in",
            "tbs",
            "-sigfile",
            "sig",
        ]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
        (tmp_path / "tbs").write_bytes(receipt.signed_bytes() + b" ")
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0

    def test_sha256sum_of_the_files_is_what_documents_name(self, tmp_path: Path) -> None:
        tool = require("sha256sum")
        kit = make(Scenario(plan=Plan(binder=b"%PDF-1.7 longer\n")))
        folder = write(tmp_path, kit.members)
        done = subprocess.run(
            [tool, RECEIPT, MANIFEST], cwd=folder, check=True, capture_output=True, text=True
        )
        statement, manifest = (line.split()[0] for line in done.stdout.splitlines())
        assert statement == kit.sealed.record.leaf.statement_hash.hex()
        assert manifest == kit.sealed.receipt.manifest_sha256.hex()


def test_a_trust_root_is_read_from_its_file(tmp_path: Path) -> None:
    trust = make().trust
    (tmp_path / "trust.json").write_bytes(trust.format())
    assert read_trust(tmp_path / "trust.json") == trust


def test_an_absent_trust_root_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheckError) as caught:
        read_trust(tmp_path / "trust.json")
    assert caught.value.reason == Reason.TRUST_ROOT_UNUSABLE


def test_members_are_read_again_from_the_zip() -> None:
    kit: Kit = make().kit()
    assert b"".join(kit.members[README].chunks()) == make().members[README]
