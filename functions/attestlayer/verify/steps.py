"""The fifteen steps of verification in one table, where a new check gets its place (REG-1.0 section 12.4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from attestlayer.verify.evidence import Evidence
from attestlayer.verify.report import Observation
from attestlayer.verify.steps_kit import (
    check_container,
    check_disclosed_members,
    check_files,
    check_issuer_key,
    check_kit_digest,
    check_leaf,
    check_listed_members,
    check_manifest_root,
    check_receipt,
    check_receipt_alone,
    check_receipt_signature,
    check_trail,
)
from attestlayer.verify.steps_registry import (
    check_audit_path,
    check_checkpoint,
    check_leaf_hash,
    check_merge_time,
    check_nonce_time,
    check_notices,
    check_receipt_origin,
    check_witnesses,
)

Check = Callable[[Evidence], Iterator[Observation]]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its checks of a kit, of a disclosed record and of a registry receipt by itself.

    Each check is one part of the step (section 12.3) and runs whatever the part before it came to. A step
    without a check for a kind of evidence is not checked; neither is one that `needs_trust`, by a JWKS alone.
    """

    name: str
    kit: tuple[Check, ...]
    record: tuple[Check, ...] = ()
    receipt: tuple[Check, ...] = ()
    needs_trust: bool = False


# A disclosed record comes without the manifest, the hash trail and the intake report of its kit: steps 5 and
# 10 can't be made, and step 6 only of the receipt and its nonce. A registry receipt has no file to check.
STEPS = (
    Step("container", (check_container,), (check_container,)),
    Step("manifest", (check_listed_members,), (check_disclosed_members,)),
    Step("files", (check_files,), (check_files,)),
    Step("manifest root", (check_manifest_root,), (check_manifest_root,)),
    Step("hash trail", (check_trail,)),
    Step("receipt", (check_receipt,), (check_receipt_alone,)),
    Step("issuer key", (check_issuer_key,), (check_issuer_key,)),
    Step("receipt signature", (check_receipt_signature,), (check_receipt_signature,)),
    Step("leaf", (check_leaf,), (check_leaf,), (check_leaf_hash,)),
    Step("kit digest", (check_kit_digest,)),
    Step("inclusion", (check_audit_path,), (check_audit_path,), (check_audit_path,)),
    Step(
        "checkpoint",
        (check_checkpoint, check_receipt_origin),
        (check_checkpoint, check_receipt_origin),
        (check_checkpoint,),
    ),
    Step("witnesses", (check_witnesses,), (check_witnesses,), (check_witnesses,), needs_trust=True),
    Step(
        "times",
        (check_nonce_time, check_merge_time),
        (check_nonce_time, check_merge_time),
        (check_merge_time,),
    ),
    Step("notices", (check_notices,), (check_notices,), (check_notices,), needs_trust=True),
)
"""Steps 1 … 15."""

SEALED = (*(step.kit for step in STEPS[:10]), (check_nonce_time,))
"""The checks of a sealed kit whose leaf is not in the log yet: steps 1–10 and the nonce's half of 14."""
