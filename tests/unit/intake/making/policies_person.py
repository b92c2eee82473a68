"""Drafts of lanes ID-01 and HUMAN-01: a person, the authority, the approval."""

from .drafting import (
    FILLED,
    LETTER,
    SCAN,
    TIME,
    Draft,
    Record,
    choice,
    day,
    json_object,
    names_the,
    reference,
    relation,
    text,
    time,
)

AUTHORISED_SIGNATORY = Draft(
    "ID-01",
    "Identity and authority of a person",
    "authorised-signatory",
    "Authorised signatory of a company",
    "Who a signatory is by reference, without any private credentials; for what the company gave authority "
    "and for how "
    "long; and how, by whom and when that authority was issued.",
    [
        Record(
            "identity-reference",
            "Identity reference",
            "A reference to an identity that was checked elsewhere: register extract, result of an "
            "identity check, staff "
            "register entry. No passport copies, passwords or private keys.",
            "Ask for the register extract or the result of the identity check; not for the identity "
            "document itself.",
            [
                reference("holder_reference", "Reference of the person", json="/holder_reference"),
                text("holder", "Name of the person", json="/holder"),
                text("source", "Register or service that it refers to", json="/source"),
            ],
            types="PDF DOCX JSON",
            count=(1, 3),
            max_age=365,
            schema={
                **json_object(
                    "holder_reference holder source",
                    {"holder_reference": FILLED, "holder": FILLED, "source": FILLED},
                ),
                "not": {
                    "anyOf": [
                        {"required": ["password"]},
                        {"required": ["private_key"]},
                        {"required": ["secret"]},
                        {"required": ["d"]},
                    ]
                },
            },
        ),
        Record(
            "authority-scope",
            "Scope of the authority",
            "What the person may sign, with limits and dates: power of attorney, board resolution, "
            "signature list.",
            "Ask the company secretary for the resolution or power of attorney in force.",
            [
                reference("holder_reference", "Reference of the person"),
                reference("authority_reference", "Reference of the authority"),
                text("granted_by", "Who granted it"),
                day("valid_from", "First day on which it is in force"),
                day("valid_until", "Last day on which it is in force"),
            ],
            types=SCAN,
            count=(1, 3),
            max_age=400,
        ),
        Record(
            "issuance-trail",
            "Issuance trail",
            "How the authority came to be issued: request, checks, decision and hand-over, with who and "
            "when.",
            "Export the steps from the register or ticket: who did what and when.",
            [
                reference("authority_reference", "Reference of the authority"),
                text("issued_by", "Who issued it"),
                day("issued_on", "When it was issued"),
                choice("method", "How", "in-person video remote-signature registry-entry"),
            ],
            types="PDF DOCX CSV XLSX EML TXT",
            count=(1, 5),
            columns=("step", "at", "by", "what"),
        ),
        Record(
            "specimen-signature",
            "Specimen signature",
            "The signature card or mark that counterparties compare.",
            "Keep one card for each form of signature.",
            [reference("holder_reference", "Reference of the person")],
            types="PDF PNG JPEG",
            count=(0, 3),
        ),
        Record(
            "revocation-note",
            "Change or revocation note",
            "Later changes of the authority: narrowed, suspended, ended.",
            "Put surplus notes into one document.",
            [
                reference("authority_reference", "Reference of the authority"),
                day("noted_on", "Date of the note"),
            ],
            types=LETTER,
            count=(0, 10),
        ),
    ],
    [
        names_the("authority-scope", "holder_reference", "identity-reference.holder_reference", "person"),
        names_the("specimen-signature", "holder_reference", "identity-reference.holder_reference", "person"),
        names_the(
            "issuance-trail", "authority_reference", "authority-scope.authority_reference", "authority"
        ),
        names_the(
            "revocation-note", "authority_reference", "authority-scope.authority_reference", "authority"
        ),
        relation(
            "window-covers",
            "issued-within-its-window",
            (
                "The authority was issued on a day on which it is in force.",
                "Correct the dates, or submit the trail of this issue of the authority.",
            ),
            severity="note",
            each="issuance-trail.issued_on",
            from_="authority-scope.valid_from",
            until="authority-scope.valid_until",
        ),
        relation(
            "different-value",
            "holder-is-not-issuer",
            (
                "Nobody issued the authority to himself or herself.",
                "Submit the trail that names the person or office that issued the authority.",
            ),
            each="issuance-trail.issued_by",
            matches="identity-reference.holder",
        ),
        relation(
            "not-before",
            "revocation-after-issue",
            (
                "No change or revocation is dated before the issue.",
                "Correct the dates, or submit the note that belongs to this issue of the authority.",
            ),
            each="revocation-note.noted_on",
            than="issuance-trail.issued_on",
        ),
    ],
)

CHANGE_APPROVAL = Draft(
    "HUMAN-01",
    "Human approval or change",
    "change-approval",
    "Approval of a change by a person",
    "A change that a person let go ahead: what was to be changed, where and why, who approved it and with "
    "what authority, "
    "when and by what signal, and what was then done.",
    [
        Record(
            "change-request",
            "Change request",
            "What is to be changed, where, why, with which risk and which way back.",
            "Export the change ticket with its description, scope, risk and rollback plan.",
            [
                reference("change_reference", "Reference of the change", json="/change_reference"),
                text("requested_by", "Who asked for it", json="/requested_by"),
                time("requested_at", "When", json="/requested_at"),
                text("scope", "Systems or places it touches", json="/scope"),
            ],
            types="PDF DOCX JSON EML TXT",
            schema=json_object(
                "change_reference requested_by requested_at scope description rollback",
                {
                    "change_reference": FILLED,
                    "requested_by": FILLED,
                    "requested_at": TIME,
                    "scope": FILLED,
                    "description": FILLED,
                    "rollback": FILLED,
                },
            ),
        ),
        Record(
            "approver-authority",
            "Authority of the approver",
            "Why this person may approve such a change: role description, delegation, change board's terms.",
            "Ask for the delegation or terms of reference that name the approver's role.",
            [
                text("approver", "Name of the approver"),
                text("role", "Role that the authority comes with"),
                day("valid_from", "First day on which it is in force"),
                day("valid_until", "Last day on which it is in force, if it has one", required=False),
            ],
            types=SCAN,
            count=(1, 8),
            max_age=730,
        ),
        Record(
            "approval",
            "Approval",
            "The approver's yes: signed form, mail, entry of the ticket system, minutes of the change board.",
            "Ask the approver for the mail, the signed form or the ticket's entry of the approval.",
            [
                reference("change_reference", "Reference of the change"),
                text("approver", "Name of the approver"),
                time("approved_at", "When"),
                choice("signal", "How it was given", "signature mail system-entry minutes"),
            ],
            types=LETTER + " JSON",
            count=(1, 8),
        ),
        Record(
            "action-context",
            "Record of what was done",
            "What was carried out, where, by whom and when, with the result.",
            "Export the implementation log or work order with times and result.",
            [
                reference("change_reference", "Reference of the change"),
                text("performed_by", "Who carried it out"),
                time("performed_at", "When it began"),
                choice("result", "How it ended", "done rolled-back partly-done"),
            ],
            types="PDF DOCX TXT CSV XLSX JSON ZIP",
            count=(1, 10),
            columns=("at", "by", "what", "result"),
        ),
        Record(
            "follow-up-note",
            "Follow-up note",
            "What was found and done after a change that was rolled back or done in part.",
            "Put surplus notes into one document.",
            [reference("change_reference", "Reference of the change")],
            types=LETTER,
            count=(0, 10),
        ),
    ],
    [
        names_the("approval", "change_reference", "change-request.change_reference", "change"),
        names_the("action-context", "change_reference", "change-request.change_reference", "change"),
        names_the("follow-up-note", "change_reference", "change-request.change_reference", "change"),
        relation(
            "same-value",
            "authority-for-each-approver",
            (
                "For each approver there is a record of the authority.",
                "Submit the delegation or role description of each person who approved.",
            ),
            each="approval.approver",
            matches="approver-authority.approver",
        ),
        relation(
            "different-value",
            "approver-is-not-requester",
            (
                "Nobody who asked for the change counts as its approver.",
                "Submit the approval of a person other than the one who asked for the change.",
            ),
            each="approval.approver",
            matches="change-request.requested_by",
        ),
        relation(
            "window-covers",
            "authority-covers-approval",
            (
                "The approval was given while the approver's authority was in force.",
                "Submit the authority in force on the day of the approval, or correct its dates.",
            ),
            each="approval.approved_at",
            from_="approver-authority.valid_from",
            until="approver-authority.valid_until",
        ),
        relation(
            "not-before",
            "approval-after-request",
            (
                "No approval is before the request.",
                "Check the times and their offsets from UTC, or submit the approval of this request.",
            ),
            each="approval.approved_at",
            than="change-request.requested_at",
        ),
        relation(
            "not-before",
            "action-after-approval",
            (
                "The change was carried out after every approval.",
                "Check the times and their offsets from UTC; an emergency change is a note for the reviewer.",
            ),
            severity="note",
            each="action-context.performed_at",
            than="approval.approved_at",
        ),
        relation(
            "required-when",
            "follow-up-if-not-done",
            (
                "A change that was rolled back or done in part comes with a follow-up note.",
                "Write down what happened and what is planned, and upload it as a follow-up note.",
            ),
            each="action-context.result",
            values=["rolled-back", "partly-done"],
            needs="follow-up-note",
        ),
    ],
)
