"""Kits as files and folders: one spelling of a ZIP, limits before reading, folders of members."""

import hashlib
import io
import os
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from attestlayer.encoding import sha256
from attestlayer.errors import CouldNotCheckError, Reason, Remark, VerificationError
from attestlayer.kit.container import Kit, KitWriter
from attestlayer.kit.contents import Contents, File
from attestlayer.kit.manifest import MANIFEST, README, RECEIPT, REGISTRY_RECEIPT
from attestlayer.kit.receipt import parse_receipt
from attestlayer.kit.zip_frame import read_frame
from attestlayer.reading import files
from attestlayer.reading.files import open_kit, read_trust
from attestlayer.verify.report import Verdict
from attestlayer.verify.verifier import explain, verify
from support.build import ISSUER, Delivered, Plan, Scenario, make, make_zip, open_zip
from support.packed import AMBIGUOUS, HONEST, Item, Maker, items, lay_out
from support.thorough import thorough
from support.tools import missing, require


def reason_of(data: bytes) -> Reason:
    with pytest.raises(VerificationError) as caught:
        open_zip(data)
    return caught.value.reason


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
        local = b"PK\3\4\x14\0\0\0\0\0\0\0\x21\x28" + crc + b"\1\0\0\0\1\0\0\0\1\0\0\0a"
        central = b"PK\1\2\x14\0\x14\0\0\0\0\0\0\0\x21\x28" + crc + b"\1\0\0\0\1\0\0\0\1\0" + bytes(16) + b"a"
        end = b"PK\5\6\0\0\0\0\1\0\1\0" + struct.pack("<LLH", len(central), len(local) + 1, 0)
        assert make_zip({"a": b"x"}) == local + b"x" + central + end

    def test_is_read_by_python(self) -> None:
        kit = make()
        with zipfile.ZipFile(io.BytesIO(kit.zip)) as archive:
            assert archive.testzip() is None
            assert {name: archive.read(name) for name in archive.namelist()} == kit.members
            assert archive.infolist()[0].date_time == (2000, 1, 1, 0, 0, 0)

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

    def test_of_its_members_is_not_called_repacked(self) -> None:
        assert not open_zip(make().zip).is_repacked

    @pytest.mark.parametrize("at", range(4, 30))
    def test_another_value_of_a_local_header_is_ambiguous_or_repacked(self, at: int) -> None:
        data = bytearray(make().zip)
        data[at] ^= 0x80
        if at in {4, 5, 10, 11, 12, 13}:  # version and time: no reader goes by them
            assert open_zip(bytes(data)).is_repacked
        else:
            assert reason_of(bytes(data)) == Reason.CONTAINER_AMBIGUOUS

    def test_cut_anywhere_is_incomplete(self) -> None:
        data = make_zip({README: b"content", RECEIPT: b"{}"})
        assert {reason_of(data[:at]) for at in range(4)} == {Reason.INPUT_NOT_A_KIT}
        assert {reason_of(data[:at]) for at in range(4, len(data))} == {Reason.CONTAINER_INCOMPLETE}

    def test_refuses_what_stands_before_it(self) -> None:
        assert reason_of(b"#!/bin/sh\n" + make().zip) == Reason.INPUT_NOT_A_KIT

    def test_empty_is_no_kit(self) -> None:
        # An end record alone (APPNOTE.TXT 4.3.16): a ZIP without a file.
        assert reason_of(b"PK\5\6" + bytes(18)) == Reason.INPUT_NOT_A_KIT

    def test_too_long_is_refused_before_it_is_read(self) -> None:
        # REG-1.0 section 6.2: 192 MiB.
        with pytest.raises(VerificationError) as caught:
            read_frame(b"", 192 * 1024 * 1024 + 1)
        assert caught.value.reason == Reason.CONTAINER_LIMIT_EXCEEDED

    def test_of_too_many_entries_is_refused(self) -> None:
        many = [Item(b"._%d" % n) for n in range(3101)]
        assert reason_of(lay_out(many)) == Reason.CONTAINER_LIMIT_EXCEEDED
        assert len(open_zip(lay_out([*many[:2000], *items(make().members)])).ignored) == 2000
        assert reason_of(lay_out([*many[:2001], *items(make().members)])) == Reason.CONTAINER_LIMIT_EXCEEDED

    def test_with_long_names_is_bounded(self) -> None:
        names = (b"%d" % n + b"/a" * 30_000 for n in range(80))
        assert reason_of(lay_out(Item(name) for name in names)) == Reason.CONTAINER_LIMIT_EXCEEDED
        names = (b"%d" % n + b"/a" * 30_000 for n in range(60))
        assert len(open_zip(lay_out(Item(name) for name in names)).unexpected) == 60

    def test_takes_records_of_100_mib_in_all(self) -> None:
        # REG-1.0 section 6.2: 100 MiB of records, 64 KiB of README.txt.
        half = bytes(50 * 1024 * 1024)
        both = {RECEIPT: b"{}", "records/001-a": half, "records/002-b": half}
        kit = open_zip(make_zip(both))
        assert kit.members["records/002-b"].size == len(half)
        more = make_zip({**both, "records/003-c": b"x"})
        with pytest.raises(VerificationError) as caught:
            open_zip(more)
        assert (caught.value.reason, caught.value.files) == (
            Reason.CONTAINER_LIMIT_EXCEEDED,
            ("records/003-c",),
        )
        assert open_zip(make_zip({README: bytes(65536)})).members[README].size == 65536
        assert reason_of(make_zip({README: bytes(65537)})) == Reason.CONTAINER_LIMIT_EXCEEDED

    def test_a_file_that_no_kit_has_can_be_of_any_size(self) -> None:
        kit = open_zip(make_zip({RECEIPT: b"{}", "zzz": bytes(20 * 1024 * 1024)}))
        assert kit.unexpected == ("zzz",)

    def test_a_member_that_no_kit_has_is_not_read(self) -> None:
        data = bytearray(make_zip({"zzz": b"content"}))
        data[data.index(b"content")] ^= 1
        assert open_zip(bytes(data)).unexpected == ("zzz",)

    @pytest.mark.parametrize("maker", [maker for _, maker in AMBIGUOUS.values()], ids=AMBIGUOUS)
    def test_a_whole_kit_packed_ambiguously_is_refused(self, maker: Maker) -> None:
        assert reason_of(maker(make().members)) == Reason.CONTAINER_AMBIGUOUS

    @pytest.mark.parametrize("maker", [maker for _, maker in HONEST.values()], ids=HONEST)
    def test_a_whole_kit_packed_again_is_verified(self, maker: Maker) -> None:
        kit = open_zip(maker(make().members))
        report = explain(kit, make().trust)
        assert report.verdict == Verdict.VERIFIED
        assert report.notes[0].remark == Remark.CONTAINER_REPACKED
        assert kit.sealed_digest() == make().kit().sealed_digest()

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

    def test_leftovers_are_ignored_and_listed(self, tmp_path: Path) -> None:
        kit = make()
        # REG-1.0 section 6.6: names of the first kind up to 1 MiB, of the second up to 4 KiB.
        large = dict.fromkeys((".DS_Store", "records/THUMBS.DB", "registry/._x"), bytes(1024 * 1024))
        small = dict.fromkeys(("desktop.ini", "records/~$x", "a:Zone.Identifier", ".~lock.x#"), bytes(4096))
        with open_kit(write(tmp_path, {**kit.members, **large, **small})) as opened:
            report = explain(opened, kit.trust)
        (note,) = report.notes
        assert note.remark == Remark.FILES_IGNORED
        assert set(note.files) == {*large, *small}
        assert report.issued

    def test_a_message_names_ten_ignored_files_and_the_number(self, tmp_path: Path) -> None:
        kit = make()
        names = [f"._{n:02}" for n in range(12)]
        with open_kit(write(tmp_path, {**kit.members, **dict.fromkeys(names, b"")})) as opened:
            (note,) = explain(opened, kit.trust).notes
        assert note.files == tuple(names)
        assert [name in note.message for name in names] == [True] * 10 + [False] * 2
        assert note.message.startswith("12 ")
        assert note.message.endswith(" and 2 more")

    @pytest.mark.parametrize(
        ("name", "size"),
        [
            ("._x", 1024 * 1024 + 1),
            ("desktop.ini", 4097),
            ("__MACOSX/x", 0),
            ("@eaDir/x", 0),
            ("@eaDir/.DS_Store", 0),
            ("x.lnk", 0),
            ("Icon", 0),
            ("DS_Store", 0),
            (".~lock.x", 0),
            ("~x", 0),
        ],
    )
    def test_what_no_system_leaves_is_unexpected(self, name: str, size: int, tmp_path: Path) -> None:
        kit = make()
        assert first(write(tmp_path, {**kit.members, name: bytes(size)}), kit) == (
            Reason.FILE_UNEXPECTED,
            (name,),
        )

    @pytest.mark.parametrize("count", [4000, thorough(60_000)])
    def test_thousands_of_leftovers_are_not_listed_to_the_end(
        self, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kit = make()
        write(tmp_path, kit.members)
        for n in range(count):
            os.close(os.open(tmp_path / f"._{n}", os.O_CREAT | os.O_WRONLY))
        opened: list[str] = []
        monkeypatch.setattr("attestlayer.reading.files.open_regular", opened.append)
        assert first(tmp_path, kit) == (Reason.CONTAINER_LIMIT_EXCEEDED, ())
        assert opened == []

    @pytest.mark.parametrize("swap", ["pipe", "link", "device"])
    def test_a_file_that_is_swapped_while_it_is_read_is_a_link(
        self, swap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kit = make()
        path = write(tmp_path / "kit", kit.members) / "receipt.json"
        (tmp_path / "receipt").write_bytes(kit.members[RECEIPT])
        listed = files.arrange

        def swapped(found: list[File]) -> Contents:
            path.unlink()
            if swap == "pipe":
                os.mkfifo(path)
            elif swap == "link":
                path.symlink_to(tmp_path / "receipt")
            else:
                path.symlink_to("/dev/zero")
            return listed(found)

        monkeypatch.setattr(files, "arrange", swapped)
        assert first(tmp_path / "kit", kit) == (Reason.CONTAINER_LINK, (RECEIPT,))

    def test_a_file_that_is_replaced_while_it_is_read_could_not_be_checked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kit = make()
        path = write(tmp_path / "kit", kit.members) / "receipt.json"
        listed = files.arrange

        def swapped(found: list[File]) -> Contents:
            path.rename(tmp_path / "old")  # so that the new file has another inode
            path.write_bytes(kit.members[RECEIPT])
            return listed(found)

        monkeypatch.setattr(files, "arrange", swapped)
        assert first(tmp_path / "kit", kit) == (Reason.INPUT_UNREADABLE, (RECEIPT,))

    def test_a_file_that_grows_or_shrinks_could_not_be_checked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kit = make()
        listed = files.arrange
        for change in (b"", b"longer" * 1000):
            path = write(tmp_path / "kit", kit.members) / "receipt.json"

            def changed(found: list[File], path: Path = path, change: bytes = change) -> Contents:
                path.write_bytes(change)
                return listed(found)

            monkeypatch.setattr(files, "arrange", changed)
            assert first(tmp_path / "kit", kit) == (Reason.INPUT_UNREADABLE, (RECEIPT,))

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
            assert tuple(map(os.fsencode, kit.unexpected)) == names

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
