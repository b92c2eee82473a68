"""Verification of a disclosed record: the steps of a kit that can be made with one of its records.

The manifest is not there but for one entry, nor the hash trail and the intake report: steps 5 and 10 are
not made, and of step 6 only what the receipt says of itself and of the nonce.
"""

from collections.abc import Callable, Iterator
from functools import cached_property

from attestlayer.encoding import Hash
from attestlayer.errors import Reason, VerificationError
from attestlayer.kit.disclosure import Disclosure, parse_disclosure
from attestlayer.kit.manifest import CLIENT_NONCE, DISCLOSURE, RECEIPT, is_record
from attestlayer.verify.evidence import Evidence, Finding, Outcome
from attestlayer.verify.steps_kit import check_file, check_nonce_hash, mismatch


class DisclosureEvidence(Evidence):
    """A disclosed record under verification."""

    @cached_property
    def disclosure(self) -> Outcome[Disclosure]:
        """disclosure.json; home: step 2."""
        return self.parse(DISCLOSURE, parse_disclosure)

    def manifest_root(self) -> Hash:
        """The root that the record's way leads to, which step 4 holds against the receipt."""
        return self.disclosure.needed().root()


DisclosureCheck = Callable[[DisclosureEvidence], Iterator[Finding]]


def check_entry(evidence: DisclosureEvidence) -> Iterator[Finding]:
    """Step 2: the manifest's entry; the record that it names is there, and no other."""
    members = evidence.kit.members
    wanted = (RECEIPT, CLIENT_NONCE, evidence.disclosure.at_home().file.path)
    for name in sorted(set(wanted) - members.keys()):
        yield VerificationError(Reason.FILE_MISSING, f"{name} is missing", (name,))
    for name in filter(is_record, sorted(members.keys() - set(wanted))):
        yield VerificationError(Reason.FILE_UNEXPECTED, f"{name} is not the disclosed record", (name,))


def check_record(evidence: DisclosureEvidence) -> Iterator[Finding]:
    """Step 3: the record's size and SHA-256."""
    yield from check_file(evidence.kit, evidence.disclosure.needed().file)


def check_way(evidence: DisclosureEvidence) -> Iterator[Finding]:
    """Step 4: the way from the entry leads to the receipt's manifest root."""
    found, wanted = evidence.manifest_root(), evidence.receipt.needed().manifest_root
    if found != wanted:
        files = (DISCLOSURE, RECEIPT)
        yield mismatch(Reason.MANIFEST_ROOT_MISMATCH, "manifest root", found, wanted, files)


def check_receipt_alone(evidence: DisclosureEvidence) -> Iterator[Finding]:
    """Step 6: the receipt's form, and the nonce that it binds."""
    evidence.receipt.at_home()
    yield from check_nonce_hash(evidence)
