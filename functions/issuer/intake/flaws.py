"""A flaw of a file, and what recognising a file came to."""

from dataclasses import dataclass

from issuer.intake.flaw_kinds import FlawKind
from issuer.intake.media import MediaType
from issuer.intake.rules import GeneralCheck
from issuer.intake.values import show


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a file. `found` says what and where ("it …"), `fix` what to do about it."""

    kind: FlawKind
    found: str
    fix: str

    @property
    def check(self) -> GeneralCheck:
        """The rule that it breaks."""
        return self.kind.check

    @classmethod
    def of(cls, kind: FlawKind, *details: object) -> "Flaw":
        """A flaw of a kind, with the details that the kind's words ask for."""
        return cls(kind, kind.value.found.format(*details), kind.value.fix)

    @property
    def wanted(self) -> str:
        """What is wanted instead."""
        return self.kind.value.wanted

    def in_archive(self, name: str) -> "Flaw":
        """The flaw as the archive's that has the file."""
        fix = f"Unpack the archive, put this file right, and pack it again. {self.fix}"
        return Flaw(self.kind, f"holds {show(name)}, which {self.found}", fix)

    def in_mail(self, name: str) -> "Flaw":
        """The flaw as the message's that has the attachment: a mail that was received stays as it is."""
        fix = (
            "A received mail can't be changed: print it as PDF, and upload its attachments as records of "
            f"their own. For this one: {self.fix}"
        )
        return Flaw(self.kind, f"has the attachment {show(name)}, which {self.found}", fix)

    def in_document(self, name: str) -> "Flaw":
        """The flaw as the document's in which the file is embedded."""
        fix = "Open the document, delete the embedded file, save it, and upload that; or print it as PDF."
        return Flaw(self.kind, f"holds the embedded file {show(name)}, which {self.found}", fix)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is. `media_type` is None if that can't be said; `flaws` are all that was found wrong.

    `notes` are flaws that block nothing: their rules are notes in every policy.
    """

    media_type: MediaType | None
    flaws: tuple[Flaw, ...] = ()
    notes: tuple[Flaw, ...] = ()


def refused(kind: FlawKind, *details: object) -> Recognised:
    """A file of no accepted type, or of none that can be told, with its flaw."""
    return Recognised(None, (Flaw.of(kind, *details),))


def judged(media_type: MediaType, flaw: Flaw | None) -> Recognised:
    """A file of an accepted type, with its flaw if it has one."""
    return Recognised(media_type, (flaw,) if flaw else ())
