"""Binders to render: fixed ones, and a record with any name."""

from dataclasses import replace
from hashlib import sha256

from issuer.model import Binder, BinderCheck, BinderRecord

BOUNDARY = "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."


def hexadecimal(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def a_record(number: int, name: str = "Payment instruction.pdf", **metadata: str) -> BinderRecord:
    return BinderRecord(
        path=f"records/{number:03}-payment-instruction.pdf",
        name=name,
        record_type="payment-instruction",
        media_type="application/pdf",
        size=48_213 * number,
        sha256=hexadecimal(f"record {number}"),
        metadata=metadata,
    )


CHECKS = (
    BinderCheck(
        rule="required-records",
        sentence="Each required record type is there.",
        result="pass",
        found="authority, instruction, approval",
        records=("records/001-payment-instruction.pdf", "records/002-payment-instruction.pdf"),
    ),
    BinderCheck(
        rule="window-covers-action",
        sentence="The authority's time window covers the action.",
        result="pass",
        found="2026-01-01 to 2026-12-31 covers 2026-03-12",
        records=("records/001-payment-instruction.pdf",),
    ),
    BinderCheck(
        rule="freshness",
        sentence="Each record is dated within 90 days of the intake.",
        result="note",
        found="records/003 carries no date, so its age was not checked",
        records=("records/003-payment-instruction.pdf",),
    ),
    BinderCheck(rule="readable", sentence="Each file can be read.", result="pass", found="", records=()),
)

BINDER = Binder(
    kit_id="kit_01JPA7D2M4X8Q9V6T3R5W1Y0ZC",
    origin="registry.attestlayer.com",
    lane_id="PAY-01",
    lane_title="High-value payments",
    profile_id="wire-transfer",
    profile_title="Wire transfer with dual approval",
    profile_summary=(
        "Records of one high-value movement of funds: who held the authority, the instruction, the "
        "approvals, and the execution and settlement record."
    ),
    intake_policy_hash=hexadecimal("policy"),
    issued_at="2026-03-14T09:26:53Z",
    merge_by="2026-03-14T09:36:53Z",
    issuer_kid="kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    client_nonce_hash=hexadecimal("nonce"),
    nonce_checkpoint=hexadecimal("checkpoint"),
    supersedes=None,
    boundary=BOUNDARY,
    records=(
        a_record(
            1, "Authority to instruct payments.pdf", granted_by="Board of directors", valid_until="2026-12-31"
        ),
        a_record(2),
        a_record(3, "Settlement advice.pdf", reference="MT103 4471-A"),
    ),
    checks=CHECKS,
)


def with_names(*names: str) -> Binder:
    return replace(BINDER, records=tuple(a_record(n, name) for n, name in enumerate(names, 1)))
