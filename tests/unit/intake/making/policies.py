"""All drafts, and the bytes and file names they make."""

from pathlib import PurePosixPath

from attestlayer.canonical import format_json

from .drafting import Draft
from .policies_agent import TOOL_ACTION
from .policies_batch import PAYMENT_BATCH
from .policies_party import ICT_THIRD_PARTY, SECURITY_REVIEW
from .policies_person import AUTHORISED_SIGNATORY, CHANGE_APPROVAL
from .policies_wire import WIRE_TRANSFER

DRAFTS = (
    TOOL_ACTION,
    ICT_THIRD_PARTY,
    CHANGE_APPROVAL,
    AUTHORISED_SIGNATORY,
    PAYMENT_BATCH,
    WIRE_TRANSFER,
    SECURITY_REVIEW,
)


def policy_files() -> dict[PurePosixPath, bytes]:
    """Path below the policies' folder → canonical bytes."""
    return {_path(draft): format_json(draft.document()) for draft in DRAFTS}


def _path(draft: Draft) -> PurePosixPath:
    return PurePosixPath(draft.lane_id, draft.profile_id, f"{draft.version}.json")
