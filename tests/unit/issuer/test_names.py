"""Names of records in a kit."""

import pytest

from attestlayer.kit.manifest import is_record
from issuer.intake.media import MediaType, named_type
from issuer.kits.names import record_path


@pytest.mark.parametrize(
    ("name", "media_type", "path"),
    [
        ("Letter.pdf", MediaType.PDF, "records/007-letter.pdf"),
        ("photo.JPEG", MediaType.JPEG, "records/007-photo.jpeg"),
        ("letter", MediaType.PDF, "records/007-letter.pdf"),
        ("letter.", MediaType.DOCX, "records/007-letter.docx"),
        ("report v1.2", MediaType.PDF, "records/007-report-v1-2.pdf"),
        ("mail from example.com", MediaType.PDF, "records/007-mail-from-example-com.pdf"),
        ("server.log", MediaType.TXT, "records/007-server-log.txt"),
        (".txt", MediaType.TXT, "records/007-txt.txt"),
        ("relevé", MediaType.XLSX, "records/007-releve.xlsx"),
        ("未上传", MediaType.CSV, "records/007-record.csv"),
        (r"C:\Users\a\scan", MediaType.PNG, "records/007-scan.png"),
        ("said to be.docx", MediaType.PDF, "records/007-said-to-be.docx"),  # `name-agrees` says so
    ],
)
def test_a_record_has_the_ending_of_its_name_or_of_its_type(
    name: str, media_type: MediaType, path: str
) -> None:
    assert record_path(7, name, str(media_type)) == path
    assert is_record(path)


@pytest.mark.parametrize("media_type", MediaType)
def test_each_media_type_has_an_ending_that_names_it(media_type: MediaType) -> None:
    path = record_path(1, "letter", str(media_type))
    assert is_record(path)
    assert named_type(path) is media_type
