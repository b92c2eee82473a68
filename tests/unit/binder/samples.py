"""Binders to render: fixed ones, and a record with any name."""

from dataclasses import replace
from typing import Any

from attestlayer.encoding import Hash, parse_time, sha256
from attestlayer.kit.intake import CheckResult, ReportCheck, ReportRecord
from issuer.model import Binder

BOUNDARY = "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee."


def hash_of(text: str) -> Hash:
    return sha256(text.encode())


def a_record(number: int, name: str = "Payment instruction.pdf", **metadata: str) -> ReportRecord:
    return ReportRecord(
        path=f"records/{number:03}-payment-instruction.pdf",
        name=name,
        record_type="payment-instruction",
        media_type="application/pdf",
        size=48_213 * number,
        metadata=metadata,
    )


CHECKS = (
    ReportCheck(
        rule="required-records",
        result=CheckResult.PASS,
        found="authority, instruction, approval",
        records=("records/001-payment-instruction.pdf", "records/002-payment-instruction.pdf"),
    ),
    ReportCheck(
        rule="window-covers-action",
        result=CheckResult.PASS,
        found="2026-01-01 to 2026-12-31 covers 2026-03-12",
        records=("records/001-payment-instruction.pdf",),
    ),
    ReportCheck(
        rule="freshness",
        result=CheckResult.NOTE,
        found="records/003 carries no date, so its age was not checked",
        records=("records/003-payment-instruction.pdf",),
    ),
    ReportCheck(rule="readable", result=CheckResult.PASS, found="", records=()),
)

SENTENCES = {
    "required-records": "Each required record type is there.",
    "window-covers-action": "The authority's time window covers the action.",
    "freshness": "Each record is dated within 90 days of the intake.",
    "readable": "Each file can be read.",
}

BINDER = Binder(
    verify_page="https://registry.attestlayer.com/verify.html",
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
    intake_policy_hash=hash_of("policy"),
    issued_at=parse_time("2026-03-14T09:26:53Z"),
    issuer_kid="kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    client_nonce_hash=hash_of("nonce"),
    nonce_checkpoint=hash_of("checkpoint"),
    supersedes=None,
    records=(
        a_record(
            1, "Authority to instruct payments.pdf", granted_by="Board of directors", valid_until="2026-12-31"
        ),
        a_record(2),
        a_record(3, "Settlement advice.pdf", reference="MT103 4471-A"),
    ),
    hashes=tuple(hash_of(f"record {number}") for number in (1, 2, 3)),
    checks=CHECKS,
    sentences=SENTENCES,
)


def with_records(*records: ReportRecord, **changes: Any) -> Binder:
    hashes = tuple(hash_of(record.path) for record in records)
    return replace(BINDER, records=records, hashes=hashes, **changes)


def with_names(*names: str) -> Binder:
    return with_records(*(a_record(n, name) for n, name in enumerate(names, 1)))
