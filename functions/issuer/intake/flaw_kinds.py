"""Everything that can be wrong with a file: one closed table, each kind with its rule and its own words."""

from dataclasses import dataclass
from enum import Enum

from issuer.intake.media import MAX_JSON_SIZE, MAX_MAIL_SIZE, MAX_SIZE, MediaType, list_labels
from issuer.intake.rules import GeneralCheck
from issuer.intake.values import show

_MIB = 1024 * 1024
ACCEPTED = f"a file of type {list_labels(tuple(MediaType))}"
"""What is wanted in place of a type that no policy asks for; a record type knows it more closely."""
_WHOLE = "a whole file that opens"
_PROGRAMS = "records only, no programs or scripts"
_AGAIN = "Get the file again from where it came from: export, scan or download it once more"


@dataclass(frozen=True, slots=True)
class Words:
    """A flaw's rule and words. `found` is half a sentence ("it …"); `{}` in it takes details."""

    check: GeneralCheck
    found: str
    wanted: str
    fix: str


class FlawKind(Enum):
    """Everything that the intake knows to be wrong with a file, whatever the policy. The list is closed."""

    EMPTY = Words(
        GeneralCheck.NOT_EMPTY,
        "is empty (0 bytes)",
        "a file with content",
        "Export or scan the record again and upload the file with its content.",
    )
    BLANK = Words(
        GeneralCheck.NOT_EMPTY,
        "contains nothing but white space",
        "a file with content",
        "Export the record again, check that it shows text when you open it, and upload that.",
    )
    EMPTY_ARCHIVE = Words(
        GeneralCheck.NOT_EMPTY,
        "is an archive without any file",
        "an archive with files in it",
        "Pack the records into it again, or upload them one by one.",
    )
    TOO_LARGE = Words(
        GeneralCheck.NOT_TOO_LARGE,
        "has {} bytes",
        f"at most {MAX_SIZE // _MIB} MiB",
        "Split the record, or export it at a lower resolution, and upload the parts.",
    )
    JSON_TOO_LARGE = Words(
        GeneralCheck.NOT_TOO_LARGE,
        "is JSON of {} bytes",
        f"JSON of at most {MAX_JSON_SIZE // _MIB} MiB",
        "Export a shorter period or fewer members, or upload it as several files.",
    )
    MAIL_TOO_LARGE = Words(
        GeneralCheck.NOT_TOO_LARGE,
        "is a mail message of {} bytes",
        f"a mail message of at most {MAX_MAIL_SIZE // _MIB} MiB",
        "Print the message as PDF, and upload its attachments as records of their own.",
    )
    XML_TOO_LARGE = Words(
        GeneralCheck.NOT_TOO_LARGE,
        "is XML of {} bytes",
        "XML of at most 32 MiB",
        "Export a shorter period, and upload it as several files.",
    )
    # What is not an accepted type: each with its way to one.
    UNKNOWN_TYPE = Words(
        GeneralCheck.RECOGNISED,
        "is of a type that is not known",
        ACCEPTED,
        "Open it in the program that made it and save or print it as PDF, or export it as CSV or plain text.",
    )
    OTHER_TYPE = Words(
        GeneralCheck.RECOGNISED,
        "is of type {}",
        ACCEPTED,
        "Open it in the program that made it and save or print it as PDF, or export it as CSV or plain text.",
    )
    NOT_AS_NAMED = Words(
        GeneralCheck.READABLE,
        "is named .{} and is neither that nor any other accepted type",
        _WHOLE,
        "It may be damaged, encrypted or wrongly named. Open it on your side: if it does not open, get it "
        "again from where it came from; if it does, save or print it as PDF.",
    )
    HEIC = Words(
        GeneralCheck.RECOGNISED,
        "is a photo in the format HEIC (iPhone) or AVIF",
        ACCEPTED,
        "Export it as JPEG or PNG. On a Mac: Preview, File, Export. On an iPhone: Settings, Camera, Formats, "
        "Most Compatible, for new photos; old ones become JPEG when you mail them to yourself.",
    )
    TIFF = Words(
        GeneralCheck.RECOGNISED,
        "is a TIFF picture",
        ACCEPTED,
        "Save it as PDF: choose PDF in the scanner's settings, or open the picture and print it as PDF, with "
        "all of its pages.",
    )
    OTHER_PICTURE = Words(
        GeneralCheck.RECOGNISED,
        "is a picture of type {}",
        ACCEPTED,
        "Open it and save it as PNG or JPEG.",
    )
    FILM = Words(
        GeneralCheck.RECOGNISED,
        "is a film or sound recording ({})",
        ACCEPTED,
        "Submit a transcript or a description as PDF, or single pictures as PNG or JPEG.",
    )
    PRESENTATION = Words(
        GeneralCheck.RECOGNISED,
        "is a PowerPoint presentation",
        ACCEPTED,
        "Save it as PDF: in PowerPoint, File, Export or Save as, PDF.",
    )
    OPEN_DOCUMENT = Words(
        GeneralCheck.RECOGNISED,
        "is an OpenDocument file (LibreOffice: {})",
        ACCEPTED,
        "Save it as PDF, a text also as DOCX and a table also as XLSX: in LibreOffice, File, Export as PDF "
        "or Save as.",
    )
    IWORK = Words(
        GeneralCheck.RECOGNISED,
        "is a file of Apple's Pages, Numbers or Keynote",
        ACCEPTED,
        "Export it as PDF, DOCX or XLSX: in its program, File, Export to.",
    )
    OLD_OFFICE = Words(
        GeneralCheck.RECOGNISED,
        "is an Office file of the old kind ({})",
        ACCEPTED,
        "Open it and save it as DOCX or XLSX, or as PDF. A message saved by Outlook (MSG): save it as EML, "
        "or print it as PDF.",
    )
    OTHER_OFFICE = Words(
        GeneralCheck.RECOGNISED,
        "is an Office file of another kind than a document or workbook ({})",
        ACCEPTED,
        "Open it in its program and save it as PDF, DOCX or XLSX.",
    )
    HTML = Words(
        GeneralCheck.RECOGNISED,
        "is a web page (HTML), whatever its name says",
        ACCEPTED,
        "Open it and print it as PDF. A table that a web application calls XLS: open it in Excel and save it "
        "as XLSX or CSV.",
    )
    XML = Words(
        GeneralCheck.RECOGNISED,
        "is XML with the root element {}, which is no ISO 20022 message",
        ACCEPTED,
        "Print or export it as PDF from the program that shows it. Where a ZIP is accepted, you may put the "
        "XML into it as well.",
    )
    MARKUP = Words(
        GeneralCheck.RECOGNISED,
        "is {}",
        ACCEPTED,
        "Open it and save or print it as PDF.",
    )
    SIGNED_ENVELOPE = Words(
        GeneralCheck.RECOGNISED,
        "is a signed envelope (P7M or P7S)",
        ACCEPTED,
        "Take the document out with your signing program and upload that. Where a ZIP is accepted, put the "
        "envelope into it as well.",
    )
    OTHER_ARCHIVE = Words(
        GeneralCheck.RECOGNISED,
        "is an archive of type {}",
        ACCEPTED,
        "Unpack it and upload the files, or pack them again as ZIP.",
    )
    # What is broken, or opens to less than it should.
    DAMAGED = Words(GeneralCheck.READABLE, "is damaged and can't be read", _WHOLE, f"{_AGAIN}.")
    PDF_CUT = Words(
        GeneralCheck.READABLE,
        "is a PDF that breaks off before its end",
        "a whole PDF",
        f"{_AGAIN}, and wait until it is complete.",
    )
    PDF_DAMAGED = Words(
        GeneralCheck.READABLE,
        "is a PDF that is damaged and can't be read",
        "a PDF that opens",
        f"{_AGAIN}. If it opens on your side, print it as PDF from there.",
    )
    PDF_PAGES_LOST = Words(
        GeneralCheck.READABLE,
        "is a PDF that has lost pages, or what was on them: {}",
        "a PDF with all of its pages",
        f"{_AGAIN}. Don't repair this one: what is lost can't be restored.",
    )
    PDF_NO_PAGES = Words(GeneralCheck.READABLE, "is a PDF without pages", "a PDF with pages", f"{_AGAIN}.")
    PICTURE_DAMAGED = Words(
        GeneralCheck.READABLE,
        "is a {} that is damaged or breaks off before its end",
        "a whole picture",
        f"{_AGAIN}. Don't save this one again: what is lost can't be restored.",
    )
    OFFICE_DAMAGED = Words(
        GeneralCheck.READABLE,
        "is an Office file ({}) whose part {} is damaged or cut off",
        "a document that opens without repair",
        "Open it in Office. If it does not open, get an earlier copy or export it again; if it does, save it "
        "under another name, check that nothing is missing, and upload that.",
    )
    OFFICE_NO_MAIN_PART = Words(
        GeneralCheck.READABLE,
        "is an Office file without its main part",
        "a DOCX or XLSX that opens",
        f"{_AGAIN}; an archive of several documents has no file {show('[Content_Types].xml')}.",
    )
    ZIP_DAMAGED = Words(
        GeneralCheck.READABLE,
        "is a ZIP-based file that is damaged or cut off",
        "an archive that unpacks",
        f"{_AGAIN}, or pack the files again.",
    )
    MEMBER_DAMAGED = Words(
        GeneralCheck.READABLE,
        "holds {}, which is damaged",
        "an archive whose files all unpack",
        "Pack the files again from the originals.",
    )
    MEMBER_PACKING = Words(
        GeneralCheck.READABLE,
        "holds {}, which is packed in an unusual way",
        "an archive that Windows and macOS unpack without another program",
        "Pack the files again with the system's own command: Windows, Send to, Compressed folder; macOS, "
        "Compress.",
    )
    MEMBER_OUTSIDE = Words(
        GeneralCheck.READABLE,
        "holds {}, which is a link or would unpack outside its folder",
        "an archive of plain files",
        "Put the file itself in place of the link, and pack the folder again.",
    )
    MEMBER_TWICE = Words(
        GeneralCheck.READABLE,
        "holds {} more than once, so that two programs may show two different files",
        "an archive with each name once",
        "Unpack it, give the files different names, and pack them again.",
    )
    MEMBER_HIDDEN = Words(
        GeneralCheck.READABLE,
        "holds a file that its list does not name, so that two programs may show different files",
        "an archive whose list names every file",
        "Unpack it and pack the files again into a new archive.",
    )
    MEMBER_TWO_NAMES = Words(
        GeneralCheck.READABLE,
        "holds {}, which it names {} in another place",
        "an archive with one name for each file",
        "Unpack it and pack the files again into a new archive.",
    )
    JSON_BROKEN = Words(
        GeneralCheck.READABLE,
        "does not parse as JSON: {}",
        "one value of JSON",
        "Export it again; if it was written by hand, put right the place named here.",
    )
    JSON_LINES = Words(
        GeneralCheck.READABLE,
        "holds several values of JSON, one after another (JSON Lines)",
        "one value of JSON",
        "Put the values into one array. Where plain text is accepted, name the file .txt instead.",
    )
    JSON_TWICE = Words(
        GeneralCheck.READABLE,
        "is JSON that names {} twice in one object, so that two programs may read two values",
        "JSON with each name once",
        "Remove one of the two, or export it again.",
    )
    JSON_ENCODING = Words(
        GeneralCheck.READABLE,
        "is JSON in an encoding that can't be told",
        "JSON in UTF-8",
        "Export it in UTF-8, or open it in an editor and save it as UTF-8.",
    )
    CSV_OPEN_QUOTE = Words(
        GeneralCheck.READABLE,
        "is a table that ends inside a quoted cell: a quotation mark is never closed",
        "a whole table",
        "Export the table again: it may be cut off. If it was written by hand, close the quotation mark.",
    )
    XML_BROKEN = Words(
        GeneralCheck.READABLE,
        "is XML that does not parse: {}",
        "a whole XML document",
        f"{_AGAIN}.",
    )
    NO_MAIL = Words(
        GeneralCheck.READABLE,
        "is no mail message: it has no lines that say from whom, to whom or when",
        "a mail message with its header",
        "Save the message again from the mail program, as EML, or print it as PDF.",
    )
    EMPTY_MAIL = Words(
        GeneralCheck.READABLE,
        "is a mail message that breaks off before its content",
        "a whole mail message",
        "Save the message again from the mail program, as EML, or print it as PDF.",
    )
    # What is encrypted.
    PDF_ENCRYPTED = Words(
        GeneralCheck.NOT_ENCRYPTED,
        "is a PDF that opens only with a password or certificate",
        "a PDF that opens without a password",
        "Open it and print it as PDF, or save it without the password; a reviewer has no way to enter it.",
    )
    PDF_FILES_ENCRYPTED = Words(
        GeneralCheck.NOT_ENCRYPTED,
        "is a PDF whose embedded files open only with a password",
        "a PDF that opens without a password, with all that is in it",
        "Open it with its password, save the embedded files, and upload them and a PDF without them.",
    )
    OFFICE_ENCRYPTED = Words(
        GeneralCheck.NOT_ENCRYPTED,
        "is an Office file that is protected by a password",
        "a file that opens without a password",
        "In Office: File, Info, Protect, Encrypt with password; empty the password, save, and upload that.",
    )
    MEMBER_ENCRYPTED = Words(
        GeneralCheck.NOT_ENCRYPTED,
        "holds the encrypted file {}",
        "an archive without a password",
        "Unpack it with its password and pack the files again without one.",
    )
    ENCRYPTED_TEXT = Words(
        GeneralCheck.NOT_ENCRYPTED,
        "holds an encrypted text ({})",
        "a text that opens without a key",
        "Decrypt it and upload the plain text, or a PDF of it.",
    )
    ENCRYPTED_MAIL = Words(
        GeneralCheck.NOT_ENCRYPTED,
        "is a mail message that is encrypted",
        "a message that opens without a key",
        "Open it in the mail program that has the key and print it as PDF.",
    )
    ENCRYPTED_ENVELOPE = Words(
        GeneralCheck.NOT_ENCRYPTED,
        "is an encrypted envelope (P7M)",
        "a file that opens without a key",
        "Decrypt it and upload the document that is inside.",
    )
    # What runs.
    PROGRAM = Words(
        GeneralCheck.NO_EXECUTABLES,
        "is {}",
        _PROGRAMS,
        "Remove the program; if it is what the record is about, submit a description or a listing as PDF.",
    )
    NAMED_PROGRAM = Words(
        GeneralCheck.NO_EXECUTABLES,
        "is named as a program or script (.{})",
        _PROGRAMS,
        "Remove it. If it is a text, save it with the ending .txt; if a document, give it its own ending.",
    )
    HOLDS_PROGRAM = Words(
        GeneralCheck.NO_EXECUTABLES,
        "holds a program ({})",
        _PROGRAMS,
        "Open the document, delete the embedded file, save it, and upload that; or print it as PDF.",
    )
    STARTS_PROGRAM = Words(
        GeneralCheck.NO_EXECUTABLES,
        "is a PDF that starts a program or opens another file ({})",
        _PROGRAMS,
        "Print it as PDF, which leaves such actions out, and upload that.",
    )
    MACROS = Words(
        GeneralCheck.NO_MACROS,
        "is an Office file with macros",
        "an Office file without macros",
        "Save it as DOCX or XLSX without macros, or print it as PDF.",
    )
    # What is an archive in an archive, or grows.
    NESTED_ARCHIVE = Words(
        GeneralCheck.NO_NESTED_ARCHIVES,
        "is an archive itself",
        "an archive that holds no other archive",
        "Unpack the inner archive and put its files into the outer one, or upload them as records.",
    )
    CLOSED_ARCHIVE = Words(
        GeneralCheck.NO_NESTED_ARCHIVES,
        "is an archive that is not looked into ({})",
        "files, or a ZIP of files",
        "Unpack it and upload its files as records, or pack them as ZIP.",
    )
    EXPANDS = Words(
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
        "{}",
        "a file that unpacks to a usual size",
        "Upload the files themselves instead of the archive, or split it.",
    )
    XML_EXPANDS = Words(
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
        "has XML with a document type declaration, which can make a short text expand without bound",
        "XML without a document type declaration",
        "Export it again from the program that made it, or print it as PDF.",
    )
    PICTURE_EXPANDS = Words(
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
        "is a {} of more than {}",
        "a picture of at most 100 million pixels and 100 passes",
        "Save it at a lower resolution, or scan it again at 300 dpi.",
    )
    PDF_EXPANDS = Words(
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
        "is a PDF {}",
        "a PDF of a usual structure",
        "Print it as PDF again, or split it into parts of fewer pages.",
    )
    MAIL_EXPANDS = Words(
        GeneralCheck.EXPANDS_WITHIN_BOUNDS,
        "is a mail message of {}",
        "a mail message of a usual structure",
        "Print the message as PDF, and upload its attachments as records of their own.",
    )
    # Notes: they block nothing.
    ENCODING = Words(
        GeneralCheck.TEXT_IN_UTF_8,
        "is text in {}",
        "a text in UTF-8",
        "Nothing has to be done. A reader whose program shows wrong letters chooses the encoding named here.",
    )
    DOCUMENT_SCRIPT = Words(
        GeneralCheck.NO_DOCUMENT_SCRIPTS,
        "is a PDF with JavaScript, as forms have it",
        "a PDF whose view depends on nothing but its pages",
        "Nothing has to be done if it is a form. Print it as PDF if the reader should see one fixed view.",
    )

    @property
    def check(self) -> GeneralCheck:
        """The rule that a file with this flaw breaks."""
        return self.value.check
