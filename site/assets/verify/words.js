// The verifier's words: made by scripts/make-verifier-words from the Python core's tables. Don't edit.

export const REASONS = [
  "input-not-a-kit",
  "input-unreadable",
  "container-incomplete",
  "schema-newer",
  "trust-root-unusable",
  "trust-root-outdated",
  "registry-unreachable",
  "registry-stale",
  "container-ambiguous",
  "container-limit-exceeded",
  "container-link",
  "file-unexpected",
  "manifest-malformed",
  "file-missing",
  "file-size-mismatch",
  "file-hash-mismatch",
  "manifest-root-mismatch",
  "trail-malformed",
  "trail-chain-broken",
  "trail-event-mismatch",
  "trail-time-mismatch",
  "receipt-malformed",
  "receipt-manifest-mismatch",
  "receipt-trail-mismatch",
  "receipt-policy-mismatch",
  "receipt-nonce-mismatch",
  "kit-id-mismatch",
  "report-malformed",
  "report-records-mismatch",
  "issuer-key-unknown",
  "issuer-key-not-valid",
  "issuer-key-revoked",
  "receipt-signature-invalid",
  "registry-receipt-missing",
  "registry-receipt-malformed",
  "leaf-malformed",
  "leaf-mismatch",
  "leaf-hash-mismatch",
  "kit-digest-mismatch",
  "inclusion-proof-invalid",
  "checkpoint-malformed",
  "checkpoint-signature-invalid",
  "checkpoint-conflict",
  "note-malformed",
  "note-mismatch",
  "note-signature-invalid",
  "origin-mismatch",
  "registry-key-unknown",
  "registry-key-not-valid",
  "registry-key-revoked",
  "witness-quorum-not-met",
  "witness-signature-invalid",
  "nonce-malformed",
  "nonce-checkpoint-mismatch",
  "nonce-checkpoint-invalid",
  "issued-before-nonce",
  "issued-after-checkpoint",
  "late-merge-unexplained",
  "kit-withdrawn"
];

export const COULD_NOT_CHECK = [
  "input-not-a-kit",
  "input-unreadable",
  "container-incomplete",
  "schema-newer",
  "trust-root-unusable",
  "trust-root-outdated",
  "registry-unreachable",
  "registry-stale"
];

export const REMARKS = [
  "not-before-not-shown",
  "late-merge",
  "superseded",
  "withdrawal-unknown",
  "trust-root-old",
  "files-ignored",
  "container-repacked"
];

export const ADVICE = {
  "input-not-a-kit": "This is neither a folder nor a ZIP file. Check that you picked the kit itself.",
  "input-unreadable": "The input could not be read. Check its name, its permissions and its length.",
  "container-incomplete": "The end of the ZIP is missing, as after an interrupted download. Download it again, and check that.",
  "schema-newer": "A document is of a newer format than this verifier knows. Update the verifier.",
  "trust-root-unusable": "Without a usable trust root nothing can be checked. Get the registry's /v1/trust.json, compare the registry key that `attestlayer trust FILE` shows with one that reached you another way, then run `attestlayer trust --install FILE` or name it with --trust.",
  "trust-root-outdated": "The kit is newer than your trust root, which can't know a key or an incident that was published since. Update the trust root and check again: run `attestlayer trust update`, or take the registry's current /v1/trust.json.",
  "registry-unreachable": "The registry did not answer, or its answer could not be used. Check the URL and try again, or verify offline, without --registry.",
  "registry-stale": "What the registry answered does not show its present state: it is a frozen copy, the log stands still, or a clock is wrong. Try again, or verify offline, without --registry.",
  "container-ambiguous": "Programs could find different files in this ZIP, so it is not read. This says nothing about the files themselves: unpack it into an empty folder and check the folder.",
  "container-limit-exceeded": "The kit contains a file that is too large, or too many files. Ask whoever gave you the kit for the original delivered file, and check that.",
  "container-link": "The folder holds a link or a device where only files can be. Unpack the original ZIP into an empty folder and check that.",
  "file-unexpected": "Something was added that was not issued. If you put it there, take it out and check again; otherwise ask for the original.",
  "manifest-malformed": "The list of the kit's files has been altered or is damaged. Ask whoever gave you the kit for the original delivered file, and check that.",
  "file-missing": "A file that was issued is not there. Ask whoever gave you the kit for the original delivered file, and check that.",
  "file-size-mismatch": "A file is not the one issued: its length changed. Ask whoever gave you the kit for the original delivered file, and check that.",
  "file-hash-mismatch": "A file is not the one issued: its content changed. Ask whoever gave you the kit for the original delivered file, and check that.",
  "manifest-root-mismatch": "The receipt was made for another list of files. Ask whoever gave you the kit for the original delivered file, and check that.",
  "trail-malformed": "The hash trail has been altered or is damaged. Ask whoever gave you the kit for the original delivered file, and check that.",
  "trail-chain-broken": "An event of the hash trail was changed, added or taken out. Ask whoever gave you the kit for the original delivered file, and check that.",
  "trail-event-mismatch": "The hash trail describes different files or checks from those in the kit. Ask whoever gave you the kit for the original delivered file, and check that.",
  "trail-time-mismatch": "The hash trail's times are impossible in their order. Don't rely on the kit, and report it to security@attestlayer.com.",
  "receipt-malformed": "The receipt has been altered or is damaged. Ask whoever gave you the kit for the original delivered file, and check that.",
  "receipt-manifest-mismatch": "The receipt was made for another manifest. Ask whoever gave you the kit for the original delivered file, and check that.",
  "receipt-trail-mismatch": "The receipt was made for another hash trail. Ask whoever gave you the kit for the original delivered file, and check that.",
  "receipt-policy-mismatch": "The receipt was made under another intake policy. Ask whoever gave you the kit for the original delivered file, and check that.",
  "receipt-nonce-mismatch": "The receipt was made for another client nonce. Ask whoever gave you the kit for the original delivered file, and check that.",
  "kit-id-mismatch": "Documents of different kits were mixed. Ask whoever gave you the kit for the original delivered file, and check that.",
  "report-malformed": "The intake report has been altered or is damaged. Ask whoever gave you the kit for the original delivered file, and check that.",
  "report-records-mismatch": "The intake report lists different records from those in the kit. Ask whoever gave you the kit for the original delivered file, and check that.",
  "issuer-key-unknown": "The receipt is signed by a key that your trust root does not know. Update the trust root and check again: run `attestlayer trust update`, or take the registry's current /v1/trust.json. If the key stays unknown, the kit is not AttestLayer's.",
  "issuer-key-not-valid": "The receipt is dated outside its key's time. Don't rely on the kit, and report it to security@attestlayer.com.",
  "issuer-key-revoked": "The issuer key was revoked, so its signature shows nothing. Ask AttestLayer to reissue the kit.",
  "receipt-signature-invalid": "AttestLayer did not sign this receipt as it stands. Don't rely on the kit, and report it to security@attestlayer.com.",
  "registry-receipt-missing": "The kit lacks its proof from the public registry: it may not have been delivered yet. Ask for the delivered kit.",
  "registry-receipt-malformed": "The registry receipt has been altered or is damaged. Ask whoever gave you the kit for the original delivered file, and check that.",
  "leaf-malformed": "The registry's entry can't be read. Ask whoever gave you the kit for the original delivered file, and check that.",
  "leaf-mismatch": "The registry entry belongs to a different kit. Ask whoever gave you the kit for the original delivered file, and check that.",
  "leaf-hash-mismatch": "The registry's entry was changed after its hash was made. Ask whoever gave you the kit for the original delivered file, and check that.",
  "kit-digest-mismatch": "The kit as a whole is not the one in the registry, whatever its parts say. Ask whoever gave you the kit for the original delivered file, and check that.",
  "inclusion-proof-invalid": "The proof does not show the kit's entry in the registry. Fetch the registry receipt of its leaf hash from the registry; if that fails too, report it to security@attestlayer.com.",
  "checkpoint-malformed": "The checkpoint has been altered or is damaged. Ask whoever gave you the kit for the original delivered file, and check that.",
  "checkpoint-signature-invalid": "The registry did not sign this checkpoint as it stands. Don't rely on the kit, and report it to security@attestlayer.com.",
  "checkpoint-conflict": "The registry's key signed two logs that contradict each other. Keep the kit and the trust root unchanged: together they are evidence. Report both to security@attestlayer.com.",
  "note-malformed": "The signed tree head can't be read. Ask whoever gave you the kit for the original delivered file, and check that.",
  "note-mismatch": "The checkpoint's two forms say different things. Don't rely on the kit, and report it to security@attestlayer.com.",
  "note-signature-invalid": "The signed tree head lacks a valid signature of the registry. Don't rely on the kit, and report it to security@attestlayer.com.",
  "origin-mismatch": "The kit and your trust root belong to different registries. Check that your trust root is of the registry that should hold this kit.",
  "registry-key-unknown": "The checkpoint is signed by a key that your trust root does not know. Update the trust root and check again: run `attestlayer trust update`, or take the registry's current /v1/trust.json. If the key stays unknown, the checkpoint is not the registry's.",
  "registry-key-not-valid": "The checkpoint is dated outside its key's time. Don't rely on the kit, and report it to security@attestlayer.com.",
  "registry-key-revoked": "The registry key was revoked, and no witnesses show that the checkpoint is older than that. Ask AttestLayer to reissue the kit.",
  "witness-quorum-not-met": "Too few independent witnesses saw this checkpoint, so it could be shown to you alone. Update the trust root and check again; if it stays so, report it to security@attestlayer.com.",
  "witness-signature-invalid": "A witness did not sign this checkpoint as it stands. Don't rely on the kit, and report it to security@attestlayer.com.",
  "nonce-malformed": "The client's nonce has been altered or is damaged. Ask whoever gave you the kit for the original delivered file, and check that.",
  "nonce-checkpoint-mismatch": "The client's nonce names another checkpoint. Ask whoever gave you the kit for the original delivered file, and check that.",
  "nonce-checkpoint-invalid": "The checkpoint that the client's nonce names is not signed by a key that your trust root knows for its time. Check that your trust root is of the registry that should hold this kit. If it is, update it and check again.",
  "issued-before-nonce": "The kit is dated before something that it contains: backdated. Don't rely on the kit, and report it to security@attestlayer.com.",
  "issued-after-checkpoint": "The kit is dated after the log held it: forward-dated. Don't rely on the kit, and report it to security@attestlayer.com.",
  "late-merge-unexplained": "The entry was added to the log later than promised. A public incident may say why. Update the trust root and check again: run `attestlayer trust update`, or take the registry's current /v1/trust.json. If none does, report it to security@attestlayer.com.",
  "kit-withdrawn": "AttestLayer issued this kit and withdrew it later. Don't rely on it; ask for the one that takes its place."
};

export const REMARK_ADVICE = {
  "not-before-not-shown": "The kit was made before its checkpoint; how long before is not shown.",
  "late-merge": "The registry was late and said so in public; the kit itself is sound.",
  "superseded": "A newer kit takes this one's place. Ask for that one if you need the latest.",
  "withdrawal-unknown": "This check cannot see withdrawals or key revocations published after that time. For an up-to-date answer, update the trust root: run `attestlayer trust update`, or take the registry's current /v1/trust.json.",
  "trust-root-old": "The registry renews it every day. Update it: run `attestlayer trust update`, or take the registry's current /v1/trust.json.",
  "files-ignored": "Operating systems and programs leave such files. They are no part of the kit.",
  "container-repacked": "The files are what was checked: how a ZIP packs them makes no difference."
};

export const PROVES = [
  "files match the manifest",
  "manifest matches the receipt",
  "receipt key ID matches a public key",
  "receipt signature verifies",
  "the kit has not been modified since issuance"
];

export const RECEIPT_PROVES = [
  "the entry is in the public registry",
  "the registry's key signed the checkpoint holding it"
];

export const RECORD_PROVES = [
  "the record is one of the kit's, byte for byte",
  "receipt key ID matches a public key",
  "receipt signature verifies",
  "the kit's entry is in the public registry"
];

export const DOES_NOT_PROVE = [
  "company compliance status",
  "company security status",
  "controls are operating effectively",
  "a buyer, auditor, insurer, bank, regulator, or PSP has accepted the packet",
  "the evidence content is legally sufficient"
];

export const RECEIPT_DOES_NOT_PROVE = [
  "any kit or file is the one that the entry is of",
  "company compliance status",
  "company security status",
  "controls are operating effectively",
  "a buyer, auditor, insurer, bank, regulator, or PSP has accepted the packet",
  "the evidence content is legally sufficient"
];

export const RECORD_DOES_NOT_PROVE = [
  "what else the kit holds, and how much",
  "company compliance status",
  "company security status",
  "controls are operating effectively",
  "a buyer, auditor, insurer, bank, regulator, or PSP has accepted the packet",
  "the evidence content is legally sufficient"
];

export const NONE_DEMANDED = "none demanded";

export const BOUNDARY = "Integrity and issuance evidence only. Not audit, certification, or compliance guarantee.";

export const ISSUER = "AttestLayer";

export const REPORT_SCHEMA = "attestlayer/verification-report/1";

export const NOTICE_TYPES = [
  "key.added",
  "key.retired",
  "key.revoked",
  "witness.policy",
  "kit.withdrawn",
  "kit.superseded",
  "incident"
];

export const ROLES = [
  "registry",
  "issuer"
];

export const REVOCATION_REASONS = [
  "key-compromised",
  "key-lost",
  "key-misused"
];

export const WITHDRAWAL_REASONS = [
  "issued-in-error",
  "records-in-error",
  "requested-by-partner",
  "key-revoked"
];

export const INCIDENT_KINDS = [
  "late-merge",
  "voided-by-revocation",
  "wrong-entry"
];

export const INCIDENT_REASONS = [
  "outage",
  "overload",
  "witnesses-unavailable",
  "key-revoked",
  "software-fault"
];

export const CHECK_RESULTS = [
  "pass",
  "note",
  "not-applicable"
];
