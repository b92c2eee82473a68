"""Drafts of lane PAY-01: a batch of payments."""

from .drafting import (
    FILLED,
    LETTER,
    SCAN,
    Draft,
    Record,
    amount,
    choice,
    currency,
    day,
    json_object,
    names_the,
    reference,
    relation,
    text,
    time,
)

_LANE = ("PAY-01", "High-value payment or movement of funds")

PAYMENT_BATCH = Draft(
    *_LANE,
    "payment-batch",
    "Batch of payments released as one file",
    "A payroll or supplier run from mandate to the bank's answer: the file that was released with its "
    "control totals, "
    "who approved it, what the bank took and which lines it did not.",
    [
        Record(
            "authority",
            "Payment mandate",
            "What gives the approvers power to release batches from the account, with its limit and its "
            "dates.",
            "Ask the client's company secretary or treasurer for the mandate in force on the day of release.",
            [
                reference("reference", "Reference of the mandate or resolution"),
                text("granted_by", "Who granted it, such as the board"),
                day("valid_from", "First day on which it is in force"),
                day("valid_until", "Last day on which it is in force, if it has one", required=False),
                amount("limit", "Largest batch total that it allows"),
                currency("currency", "Currency of the limit"),
            ],
            types=SCAN,
            count=(1, 3),
            max_age=400,
        ),
        Record(
            "batch-file",
            "Batch of payments",
            "The lines that were released, one payment a row, as exported from the payroll, ledger or "
            "treasury system.",
            "Export the batch as released, as CSV; XLSX or PDF if the system has no CSV.",
            [
                reference("batch_reference", "Reference of the batch"),
                amount("total", "Control total"),
                currency("currency", "Currency"),
                text("prepared_by", "Who prepared the batch"),
                time("prepared_at", "When it was prepared"),
            ],
            types="CSV XLSX PDF",
            columns=("line", "payee", "account", "amount", "currency", "reference"),
        ),
        Record(
            "approval",
            "Approval of the batch",
            "One approver's yes to this batch and its control total. One file for each approver.",
            "Ask each of the two approvers for a signed form, the approval mail, or the system's entry of "
            "the approval.",
            [
                reference("batch_reference", "Reference of the batch"),
                amount("total", "Control total that was approved"),
                text("approver", "Name of the approver"),
                time("approved_at", "When it was approved"),
            ],
            types=LETTER + " JSON",
            count=(2, 8),
        ),
        Record(
            "bank-acknowledgement",
            "Acknowledgement of the bank",
            "The bank's status report on the file (such as pain.002): received, number and total of lines "
            "taken.",
            "Download the status report of the file from the bank portal.",
            [
                reference("batch_reference", "Reference of the batch"),
                time("acknowledged_at", "When the bank answered"),
                choice("status", "What the bank took", "all-lines some-lines"),
            ],
            types="PDF TXT JSON CSV PNG JPEG",
            count=(1, 5),
            schema=json_object(
                "batch_reference acknowledged_at status lines_received lines_accepted",
                {
                    "batch_reference": FILLED,
                    "acknowledged_at": {"type": "string", "format": "date-time"},
                    "status": FILLED,
                    "lines_received": {"type": "integer", "minimum": 1},
                    "lines_accepted": {"type": "integer", "minimum": 0},
                },
            ),
        ),
        Record(
            "settlement-record",
            "Settlement record",
            "The account statement with the booking of the batch.",
            "Export the account statement of the value date, as CSV or PDF.",
            [reference("batch_reference", "Reference of the batch"), day("settled_on", "Value date")],
            types="PDF CSV XLSX",
            count=(1, 5),
            columns=("booking_date", "value_date", "reference", "amount", "currency"),
        ),
        Record(
            "rejected-lines-note",
            "Note on rejected lines",
            "Which lines the bank did not take, why, and what was done about each. Needed if it took only "
            "some.",
            "Remove the surplus notes, or put them into one document.",
            [reference("batch_reference", "Reference of the batch")],
            types=LETTER + " XLSX CSV",
            count=(0, 10),
        ),
    ],
    [
        names_the("approval", "batch_reference", "batch-file.batch_reference", "batch"),
        names_the("bank-acknowledgement", "batch_reference", "batch-file.batch_reference", "batch"),
        names_the("settlement-record", "batch_reference", "batch-file.batch_reference", "batch"),
        names_the("rejected-lines-note", "batch_reference", "batch-file.batch_reference", "batch"),
        relation(
            "window-covers",
            "authority-covers-release",
            (
                "The batch was approved while the mandate was in force.",
                "Submit the mandate that was in force on the day of release, or correct its dates.",
            ),
            each="approval.approved_at",
            from_="authority.valid_from",
            until="authority.valid_until",
        ),
        relation(
            "limit-covers",
            "authority-limit-covers-total",
            (
                "The control total is within the limit of the mandate.",
                "Submit the mandate or special resolution that allows this total, or correct the values.",
            ),
            each="batch-file.total",
            limit="authority.limit",
        ),
        relation(
            "same-value",
            "authority-currency-is-batch-currency",
            (
                "The limit of the mandate is stated in the currency of the batch.",
                "Submit the page of the mandate that states the limit in this currency.",
            ),
            each="batch-file.currency",
            matches="authority.currency",
        ),
        relation(
            "same-value",
            "approved-total-is-batch-total",
            (
                "Each approver approved the control total of this batch.",
                "Submit the approval of the batch as it was released, with this control total.",
            ),
            each="approval.total",
            matches="batch-file.total",
        ),
        relation(
            "at-least-n-distinct",
            "two-approvers",
            (
                "Two different people approved the batch.",
                "Submit the approval of a second person; two approvals by one person count once.",
            ),
            each="approval.approver",
            least=2,
        ),
        relation(
            "different-value",
            "approver-is-not-preparer",
            (
                "Nobody who prepared the batch counts as its approver.",
                "Submit the approval of a person other than the one who prepared the batch.",
            ),
            each="approval.approver",
            matches="batch-file.prepared_by",
        ),
        relation(
            "not-before",
            "acknowledged-after-approvals",
            (
                "The bank's answer is not before any approval.",
                "Check the times and their offsets from UTC, or submit the answer to this file.",
            ),
            each="bank-acknowledgement.acknowledged_at",
            than="approval.approved_at",
        ),
        relation(
            "required-when",
            "note-if-lines-were-rejected",
            (
                "If the bank took only some lines, a note says which it did not take.",
                "List the lines that were not taken with reason and follow-up, and upload it as that note.",
            ),
            each="bank-acknowledgement.status",
            values=["some-lines"],
            needs="rejected-lines-note",
        ),
    ],
)
