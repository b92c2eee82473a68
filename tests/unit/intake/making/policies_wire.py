"""Drafts of lane PAY-01: one payment."""

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

WIRE_TRANSFER = Draft(
    *_LANE,
    "wire-transfer",
    "Single high-value wire transfer",
    "One payment order from mandate to settlement: who could give it, what was ordered, how the payee's "
    "details were "
    "checked, who approved it, what the bank executed and how it settled.",
    [
        Record(
            "authority",
            "Payment mandate",
            "What gives the approvers power over the account: bank mandate, board resolution or delegation "
            "of "
            "authority, with its limit and its dates.",
            "Ask the client's company secretary or treasurer for the mandate in force on the day of the "
            "payment.",
            [
                reference("reference", "Reference of the mandate or resolution"),
                text("granted_by", "Who granted it, such as the board"),
                day("valid_from", "First day on which it is in force"),
                day("valid_until", "Last day on which it is in force, if it has one", required=False),
                amount("limit", "Largest single payment that it allows"),
                currency("currency", "Currency of the limit"),
            ],
            types=SCAN,
            count=(1, 3),
            max_age=400,
        ),
        Record(
            "payment-instruction",
            "Payment instruction",
            "The order as given to the bank or payment system: payer, payee, amount, currency, date, "
            "purpose.",
            "Export the payment order from the bank portal or treasury system, as PDF or JSON.",
            [
                reference("reference", "Reference of the payment", json="/reference"),
                amount("amount", "Amount", json="/amount"),
                currency("currency", "Currency", json="/currency"),
                text("requested_by", "Who entered or requested the payment", json="/requested_by"),
                time("requested_at", "When it was entered", json="/requested_at"),
            ],
            types="PDF DOCX XLSX JSON EML",
            schema=json_object(
                "reference amount currency requested_by requested_at debtor creditor purpose",
                {
                    "reference": FILLED,
                    "amount": {"type": "string", "format": "amount"},
                    "currency": {"type": "string", "pattern": "^[A-Z][A-Z0-9]{2,7}$"},
                    "requested_by": FILLED,
                    "requested_at": {"type": "string", "format": "date-time"},
                    "debtor": json_object("name account", {"name": FILLED, "account": FILLED}),
                    "creditor": json_object("name account", {"name": FILLED, "account": FILLED}),
                    "purpose": FILLED,
                },
            ),
        ),
        Record(
            "payee-check",
            "Check of the payee's bank details",
            "How the payee's account was confirmed by a way other than the message that gave it: a call "
            "back to a "
            "known number, a confirmation-of-payee answer, a meeting.",
            "Ask whoever called the payee back for the note of that call, or export the "
            "confirmation-of-payee answer.",
            [
                reference("payment_reference", "Reference of the payment"),
                text("checked_by", "Who made the check"),
                time("checked_at", "When it was made"),
                choice("method", "How", "call-back confirmation-of-payee in-person earlier-payment"),
            ],
            types=LETTER + " JSON",
            count=(1, 5),
        ),
        Record(
            "approval",
            "Approval of the payment",
            "One approver's yes to this payment: signed form, mail, or the entry of the approval system. "
            "One file for "
            "each approver.",
            "Ask each of the two approvers for a signed form, the approval mail, or the system's entry of "
            "the approval.",
            [
                reference("payment_reference", "Reference of the payment"),
                text("approver", "Name of the approver"),
                time("approved_at", "When it was approved"),
                choice("signal", "How it was given", "signature mail system-entry"),
            ],
            types=LETTER + " JSON",
            count=(2, 8),
        ),
        Record(
            "execution-record",
            "Execution record of the bank",
            "The bank's confirmation that it sent the payment: payment advice, MT103 or pacs.008 copy, "
            "debit advice.",
            "Download the payment confirmation or debit advice from the bank portal.",
            [
                reference("payment_reference", "Reference of the payment"),
                reference("bank_reference", "The bank's own reference, such as the UETR"),
                time("executed_at", "When the bank executed it"),
                amount("amount", "Amount executed"),
                currency("currency", "Currency executed"),
            ],
            types="PDF TXT PNG JPEG JSON EML",
            count=(1, 3),
        ),
        Record(
            "settlement-record",
            "Settlement record",
            "Where the money ended: the account statement with the booking, or the correspondent's credit "
            "confirmation.",
            "Export the account statement of the value date, as CSV or PDF.",
            [
                reference("payment_reference", "Reference of the payment"),
                day("settled_on", "Value date"),
                choice("status", "How it ended", "settled returned amended recalled"),
            ],
            types="PDF CSV XLSX",
            count=(1, 5),
            columns=("booking_date", "value_date", "reference", "amount", "currency"),
        ),
        Record(
            "change-note",
            "Change or incident note",
            "What was changed, returned, recalled or went wrong, and what was done. Needed if the payment "
            "did not "
            "settle as ordered.",
            "Remove the surplus notes, or put them into one document.",
            [
                reference("payment_reference", "Reference of the payment"),
                day("noted_on", "Date of the note"),
            ],
            types=LETTER,
            count=(0, 20),
        ),
        Record(
            "supporting-document",
            "Supporting document",
            "What the payment is for: invoice, contract page, closing statement.",
            "Remove the surplus documents, or put them into one archive.",
            [text("describes", "What it is", required=False)],
            types="PDF DOCX XLSX PNG JPEG CSV TXT EML ZIP",
            count=(0, 30),
            megabytes=50,
        ),
    ],
    [
        names_the("payee-check", "payment_reference", "payment-instruction.reference", "payment"),
        names_the("approval", "payment_reference", "payment-instruction.reference", "payment"),
        names_the("execution-record", "payment_reference", "payment-instruction.reference", "payment"),
        names_the("settlement-record", "payment_reference", "payment-instruction.reference", "payment"),
        names_the("change-note", "payment_reference", "payment-instruction.reference", "payment"),
        relation(
            "window-covers",
            "authority-covers-execution",
            (
                "The payment was executed while the mandate was in force.",
                "Submit the mandate that was in force on the day of execution, or correct its dates.",
            ),
            each="execution-record.executed_at",
            from_="authority.valid_from",
            until="authority.valid_until",
        ),
        relation(
            "limit-covers",
            "authority-limit-covers-amount",
            (
                "The amount is within the limit of the mandate.",
                "Submit the mandate or special resolution that allows this amount, or correct the values.",
            ),
            each="payment-instruction.amount",
            limit="authority.limit",
        ),
        relation(
            "same-value",
            "authority-currency-is-payment-currency",
            (
                "The limit of the mandate is stated in the currency of the payment.",
                "Submit the page of the mandate that states the limit in this currency, or its equivalent.",
            ),
            each="payment-instruction.currency",
            matches="authority.currency",
        ),
        relation(
            "at-least-n-distinct",
            "two-approvers",
            (
                "Two different people approved the payment.",
                "Submit the approval of a second person; two approvals by one person count once.",
            ),
            each="approval.approver",
            least=2,
        ),
        relation(
            "different-value",
            "approver-is-not-requester",
            (
                "Nobody who requested the payment counts as its approver.",
                "Submit the approval of a person other than the one who entered the payment.",
            ),
            each="approval.approver",
            matches="payment-instruction.requested_by",
        ),
        relation(
            "not-before",
            "execution-after-approvals",
            (
                "The bank executed the payment after every approval.",
                "Check the times and their offsets from UTC; move a late approval into a change note.",
            ),
            each="execution-record.executed_at",
            than="approval.approved_at",
        ),
        relation(
            "not-before",
            "execution-after-payee-check",
            (
                "The payee's details were checked before the bank executed the payment.",
                "Check the times and their offsets from UTC, or submit the check that was made before.",
            ),
            each="execution-record.executed_at",
            than="payee-check.checked_at",
        ),
        relation(
            "same-value",
            "executed-amount-is-instructed-amount",
            (
                "The bank executed the amount that was ordered.",
                "Correct the values, or submit the instruction as amended together with a change note.",
            ),
            each="execution-record.amount",
            matches="payment-instruction.amount",
        ),
        relation(
            "same-value",
            "executed-currency-is-instructed-currency",
            (
                "The bank executed the payment in the currency that was ordered.",
                "Correct the values, or submit the instruction as amended together with a change note.",
            ),
            each="execution-record.currency",
            matches="payment-instruction.currency",
        ),
        relation(
            "not-before",
            "settlement-after-execution",
            (
                "The value date is not before the day of execution.",
                "Check both dates on the bank's documents; a back-valued booking is a note for the reviewer.",
            ),
            severity="note",
            each="settlement-record.settled_on",
            than="execution-record.executed_at",
        ),
        relation(
            "required-when",
            "change-note-if-not-settled-as-ordered",
            (
                "A payment that was returned, amended or recalled comes with a change or incident note.",
                "Write down what happened and what was done, and upload it as a change note.",
            ),
            each="settlement-record.status",
            values=["returned", "amended", "recalled"],
            needs="change-note",
        ),
    ],
)
