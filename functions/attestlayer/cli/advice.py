"""The meaning of each reason and remark for a reviewer, and the next step: one closed table for each."""

from attestlayer.errors import Reason, Remark

_ALTERED = "Ask whoever gave you the kit for the original delivered file, and check that."
_REPORT = "Don't rely on the kit, and report it to security@attestlayer.com."
_UPDATE = (
    "Update the trust root and check again: run `attestlayer trust update`, or take the registry's current "
    "/v1/trust.json."
)
_OTHER_REGISTRY = "Check that your trust root is of the registry that should hold this kit."

ADVICE: dict[Reason, str] = {
    Reason.INPUT_NOT_A_KIT: "This is neither a folder nor a ZIP file. Check that you picked the kit itself.",
    Reason.INPUT_UNREADABLE: "The input could not be read. Check its name, its permissions and its length.",
    Reason.SCHEMA_NEWER: "A document is of a newer format than this verifier knows. Update the verifier.",
    Reason.TRUST_ROOT_UNUSABLE: (
        "Without a usable trust root nothing can be checked. Get the registry's /v1/trust.json, compare the "
        "registry key that `attestlayer trust FILE` shows with one that reached you another way, then run "
        "`attestlayer trust --install FILE` or name it with --trust."
    ),
    Reason.TRUST_ROOT_OUTDATED: (
        "The kit is newer than your trust root, which can't know a key or an incident that was published "
        f"since. {_UPDATE}"
    ),
    Reason.REGISTRY_UNREACHABLE: (
        "The registry did not answer, or its answer could not be used. Check the URL and try again, or "
        "verify offline, without --registry."
    ),
    Reason.REGISTRY_STALE: (
        "What the registry answered does not show its present state: it is a frozen copy, the log stands "
        "still, or a clock is wrong. Try again, or verify offline, without --registry."
    ),
    Reason.CONTAINER_INCOMPLETE: (
        "The end of the ZIP is missing, as after an interrupted download. Download it again, and check that."
    ),
    Reason.CONTAINER_AMBIGUOUS: (
        "Programs could find different files in this ZIP, so it is not read. This says nothing about the "
        "files themselves: unpack it into an empty folder and check the folder."
    ),
    Reason.CONTAINER_LIMIT_EXCEEDED: (
        f"The kit contains a file that is too large, or too many files. {_ALTERED}"
    ),
    Reason.CONTAINER_LINK: (
        "The folder holds a link or a device where only files can be. Unpack the original ZIP into an empty "
        "folder and check that."
    ),
    Reason.FILE_UNEXPECTED: (
        "Something was added that was not issued. If you put it there, take it out and check again; "
        "otherwise ask for the original."
    ),
    Reason.MANIFEST_MALFORMED: f"The list of the kit's files has been altered or is damaged. {_ALTERED}",
    Reason.FILE_MISSING: f"A file that was issued is not there. {_ALTERED}",
    Reason.FILE_SIZE_MISMATCH: f"A file is not the one issued: its length changed. {_ALTERED}",
    Reason.FILE_HASH_MISMATCH: f"A file is not the one issued: its content changed. {_ALTERED}",
    Reason.MANIFEST_ROOT_MISMATCH: f"The receipt was made for another list of files. {_ALTERED}",
    Reason.TRAIL_MALFORMED: f"The hash trail has been altered or is damaged. {_ALTERED}",
    Reason.TRAIL_CHAIN_BROKEN: f"An event of the hash trail was changed, added or taken out. {_ALTERED}",
    Reason.TRAIL_EVENT_MISMATCH: (
        f"The hash trail describes different files or checks from those in the kit. {_ALTERED}"
    ),
    Reason.TRAIL_TIME_MISMATCH: f"The hash trail's times are impossible in their order. {_REPORT}",
    Reason.RECEIPT_MALFORMED: f"The receipt has been altered or is damaged. {_ALTERED}",
    Reason.RECEIPT_MANIFEST_MISMATCH: f"The receipt was made for another manifest. {_ALTERED}",
    Reason.RECEIPT_TRAIL_MISMATCH: f"The receipt was made for another hash trail. {_ALTERED}",
    Reason.RECEIPT_POLICY_MISMATCH: f"The receipt was made under another intake policy. {_ALTERED}",
    Reason.RECEIPT_NONCE_MISMATCH: f"The receipt was made for another client nonce. {_ALTERED}",
    Reason.KIT_ID_MISMATCH: f"Documents of different kits were mixed. {_ALTERED}",
    Reason.REPORT_MALFORMED: f"The intake report has been altered or is damaged. {_ALTERED}",
    Reason.REPORT_RECORDS_MISMATCH: (
        f"The intake report lists different records from those in the kit. {_ALTERED}"
    ),
    Reason.ISSUER_KEY_UNKNOWN: (
        f"The receipt is signed by a key that your trust root does not know. {_UPDATE} If the key stays "
        "unknown, the kit is not AttestLayer's."
    ),
    Reason.ISSUER_KEY_NOT_VALID: f"The receipt is dated outside its key's time. {_REPORT}",
    Reason.ISSUER_KEY_REVOKED: (
        "The issuer key was revoked, so its signature shows nothing. Ask AttestLayer to reissue the kit."
    ),
    Reason.RECEIPT_SIGNATURE_INVALID: f"AttestLayer did not sign this receipt as it stands. {_REPORT}",
    Reason.REGISTRY_RECEIPT_MISSING: (
        "The kit lacks its proof from the public registry: it may not have been delivered yet. Ask for the "
        "delivered kit."
    ),
    Reason.REGISTRY_RECEIPT_MALFORMED: f"The registry receipt has been altered or is damaged. {_ALTERED}",
    Reason.LEAF_MALFORMED: f"The registry's entry can't be read. {_ALTERED}",
    Reason.LEAF_MISMATCH: f"The registry entry belongs to a different kit. {_ALTERED}",
    Reason.LEAF_HASH_MISMATCH: f"The registry's entry was changed after its hash was made. {_ALTERED}",
    Reason.KIT_DIGEST_MISMATCH: (
        f"The kit as a whole is not the one in the registry, whatever its parts say. {_ALTERED}"
    ),
    Reason.INCLUSION_PROOF_INVALID: (
        "The proof does not show the kit's entry in the registry. Fetch the registry receipt of its leaf "
        "hash from the registry; if that fails too, report it to security@attestlayer.com."
    ),
    Reason.CHECKPOINT_MALFORMED: f"The checkpoint has been altered or is damaged. {_ALTERED}",
    Reason.CHECKPOINT_SIGNATURE_INVALID: f"The registry did not sign this checkpoint as it stands. {_REPORT}",
    Reason.CHECKPOINT_CONFLICT: (
        "The registry's key signed two logs that contradict each other. Keep the kit and the trust root "
        "unchanged: together they are evidence. Report both to security@attestlayer.com."
    ),
    Reason.NOTE_MALFORMED: f"The signed tree head can't be read. {_ALTERED}",
    Reason.NOTE_MISMATCH: f"The checkpoint's two forms say different things. {_REPORT}",
    Reason.NOTE_SIGNATURE_INVALID: f"The signed tree head lacks a valid signature of the registry. {_REPORT}",
    Reason.ORIGIN_MISMATCH: f"The kit and your trust root belong to different registries. {_OTHER_REGISTRY}",
    Reason.REGISTRY_KEY_UNKNOWN: (
        f"The checkpoint is signed by a key that your trust root does not know. {_UPDATE} If the key stays "
        "unknown, the checkpoint is not the registry's."
    ),
    Reason.REGISTRY_KEY_NOT_VALID: f"The checkpoint is dated outside its key's time. {_REPORT}",
    Reason.REGISTRY_KEY_REVOKED: (
        "The registry key was revoked, and no witnesses show that the checkpoint is older than that. "
        "Ask AttestLayer to reissue the kit."
    ),
    Reason.WITNESS_QUORUM_NOT_MET: (
        "Too few independent witnesses saw this checkpoint, so it could be shown to you alone. Update the "
        "trust root and check again; if it stays so, report it to security@attestlayer.com."
    ),
    Reason.WITNESS_SIGNATURE_INVALID: f"A witness did not sign this checkpoint as it stands. {_REPORT}",
    Reason.NONCE_MALFORMED: f"The client's nonce has been altered or is damaged. {_ALTERED}",
    Reason.NONCE_CHECKPOINT_MISMATCH: f"The client's nonce names another checkpoint. {_ALTERED}",
    Reason.NONCE_CHECKPOINT_INVALID: (
        "The checkpoint that the client's nonce names is not signed by a key that your trust root knows for "
        f"its time. {_OTHER_REGISTRY} If it is, update it and check again."
    ),
    Reason.ISSUED_BEFORE_NONCE: f"The kit is dated before something that it contains: backdated. {_REPORT}",
    Reason.ISSUED_AFTER_CHECKPOINT: f"The kit is dated after the log held it: forward-dated. {_REPORT}",
    Reason.LATE_MERGE_UNEXPLAINED: (
        f"The entry was added to the log later than promised. A public incident may say why. {_UPDATE} If "
        "none does, report it to security@attestlayer.com."
    ),
    Reason.KIT_WITHDRAWN: (
        "AttestLayer issued this kit and withdrew it later. Don't rely on it; ask for the one that takes its "
        "place."
    ),
}
"""For every `Reason`: what it means, then what to do."""

REMARK_ADVICE: dict[Remark, str] = {
    Remark.NOT_BEFORE_NOT_SHOWN: "The kit was made before its checkpoint; how long before is not shown.",
    Remark.LATE_MERGE: "The registry was late and said so in public; the kit itself is sound.",
    Remark.SUPERSEDED: "A newer kit takes this one's place. Ask for that one if you need the latest.",
    Remark.WITHDRAWAL_UNKNOWN: (
        "This check cannot see withdrawals or key revocations published after that time. For an up-to-date "
        "answer, update the trust root: run `attestlayer trust update`, or take the registry's current "
        "/v1/trust.json."
    ),
    Remark.TRUST_ROOT_OLD: (
        "The registry renews it every day. Update it: run `attestlayer trust update`, or take the registry's "
        "current /v1/trust.json."
    ),
    Remark.FILES_IGNORED: "Operating systems and programs leave such files. They are no part of the kit.",
    Remark.CONTAINER_REPACKED: "The files are what was checked: how a ZIP packs them makes no difference.",
}
"""For every `Remark`: what follows from it."""
