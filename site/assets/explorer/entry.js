// One entry: its record and its registry receipt, checked against each other and against the newest checkpoint.
import { formatJson } from "../verify/canonical.js";
import { equalBytes, formatTime } from "../verify/encoding.js";
import { anchorsOf } from "../verify/evidence.js";
import { parseRecord, parseRegistryReceipt } from "../verify/leaf.js";
import { FAILED, NOT_CHECKED, NOT_REACHED } from "../verify/report.js";
import { explainReceipt } from "../verify/verifier.js";
import { checkGrowth, held, newest } from "./registry.js";
import { checklist, code, count, facts, link, make, readable, verdict } from "./show.js";
import { read } from "./source.js";
import { LATE, checkIssuerKey, explained, withdrawalOf } from "./standing.js";

const STEPS = {
  9: "The entry's ten values hash to its leaf hash",
  11: "The inclusion proof leads from the leaf to the checkpoint's root",
  12: "The checkpoint is this registry's, and both of its signatures are valid",
  13: "The witnesses that the registry's policy demands have cosigned it",
  14: "Issued before the checkpoint, and in it within the promised time",
  15: "The kit has not been withdrawn",
};

/** What the registry serves of a leaf hash, or null if nothing. Raises `LieError`, `UnreachableError`. */
export async function fetchEntry(hash) {
  const [recordData, receiptData] = await Promise.all([
    read(`v1/entries/${hash}.json`), read(`v1/proofs/inclusion?leaf_hash=${hash}`),
  ]);
  if (recordData === null && receiptData === null) return null;
  const record = recordData && await held("the entry's file", () => parseRecord(recordData));
  const receipt = receiptData && await held("the registry receipt", () => parseRegistryReceipt(receiptData));
  return { hash, record, receipt, receiptData };
}

/** Every check of a fetched entry: {checks, holds, trust}. `index`: where an index said that it stands. */
export async function examine(entry, index = null) {
  const { hash, record, receipt } = entry, trust = await newest();
  const checks = [];
  const same = (words, holds, detail) => checks.push({ tone: holds ? "good" : "bad", words, detail });
  if (record === null) checks.push({ tone: "bad", words: "The entry's file is there", detail: "it is missing" });
  else same("The entry's file hashes to its name", record.leafHash === hash && record.leaf.hash() === hash, hash);
  if (receipt === null) {
    checks.push({ tone: "bad", words: "The inclusion proof is there", detail: "it is missing" });
    return { checks, holds: false, trust };
  }
  const alike = record === null || equalBytes(formatJson(record.leaf.members), formatJson(receipt.record.leaf.members));
  same("The registry receipt is about this entry", receipt.record.leafHash === hash && alike, `entry ${receipt.leafIndex}`);
  if (index !== null) {
    same("It stands where the look-up index said", receipt.leafIndex === index, `entry ${index}`);
  }
  for (const step of (await explainReceipt(receipt, anchorsOf(trust))).steps) {
    if (step.number in STEPS) checks.push(shownStep(step, receipt, trust));
  }
  checks.push(checkIssuerKey(receipt, trust));
  checks.push(await checkGrowth(receipt.checkpoint, trust.checkpoint, "The log has only grown since that checkpoint"));
  return { checks, holds: !checks.some(({ tone }) => tone === "bad"), trust };
}

const NOTHING_SHOWN = {
  13: { words: "No witness is demanded", detail: "the registry's notices named none when this checkpoint was signed: the operator alone signs" },
  15: { words: "Whether a notice withdraws the kit is not known" },
};

function shownStep(step, receipt, trust) {
  // A step that passed and proves nothing is no check that holds.
  if (step.unproven !== null) return { tone: "note", detail: step.unproven, ...NOTHING_SHOWN[step.number] };
  const told = [...step.failures, ...step.notes].map(({ message }) => message).join("; ");
  if (step.status === FAILED) {
    // What a notice says is no fault of the proof. Only if all that failed is so explained.
    const rows = step.failures.map(({ reason }) => explained(reason, receipt, trust));
    if (rows.every((row) => row !== null)) return { tone: "note", ...rows[0] };
    return { tone: "bad", words: STEPS[step.number], detail: told };
  }
  if (step.notes.some(({ remark }) => remark === "late-merge")) return { tone: "note", words: LATE, detail: told };
  if ([NOT_CHECKED, NOT_REACHED].includes(step.status)) return { tone: "warn", words: STEPS[step.number], detail: told };
  const asOf = step.number === 15 ? `as of ${readable(formatTime(trust.checkpoint.timestamp))}` : "";
  return { tone: step.notes.length ? "note" : "good", words: STEPS[step.number], detail: told || asOf };
}

/** What a page shows of an entry that was examined. If anything fails, its contents are not shown. */
export function entryView(entry, { checks, holds, trust }, why = []) {
  if (!holds) {
    return [
      verdict("bad", "The proof failed", "The registry's data about this entry is inconsistent, so nothing of the entry is shown. "
        + "Keep what you have, and report it to security@attestlayer.com."),
      checklist(checks),
    ];
  }
  const { leaf } = entry.record, { checkpoint, leafIndex } = entry.receipt, { members } = leaf;
  const superseded = trust.keyring.superseded.get(entry.hash), withdrawn = withdrawalOf(trust, entry.hash);
  const revoked = checks.some((check) => check.revoked);
  const standing = withdrawn ? ": withdrawn" : revoked ? ": key revoked" : "";
  const title = `Entry ${count(leafIndex)} of the public registry${standing}`;
  return [
    verdict(standing ? "warn" : "good", title, withdrawn
      ? `AttestLayer withdrew this kit on ${readable(formatTime(withdrawn.at))}, reason: ${withdrawn.reason}. Entries are never changed, so this one stays.` : null,
      revoked ? "A key that this kit rests on was revoked, so the kit no longer verifies. Ask AttestLayer to reissue it." : null,
      `A kit of ${members.lane_id} / ${members.profile_id}, issued on ${readable(members.issued_at)}, public since ${readable(formatTime(checkpoint.timestamp))}.`,
      ...why, superseded ? make("p", {}, "A later kit supersedes it: ", link(`/entry.html#${superseded}`, code(superseded))) : null,
      make("p.note", {}, "The entry commits to the kit by hashes. It says nothing of the kit's contents, and no file of the kit was checked.")),
    make("h3", {}, "Checked in this browser"),
    checklist(checks),
    make("p.note", {}, "The keys are those that this registry publishes. That it is the right registry shows a trust root which reached you by another way."),
    make("h3", {}, "The entry"),
    facts([
      ["Leaf hash", code(entry.hash)],
      ["Issued at", readable(members.issued_at)],
      ["Lane, profile", link(`/policies/${members.lane_id}-${members.profile_id}.html`, `${members.lane_id} / ${members.profile_id}`)],
      ["Outcome", members.outcome],
      ["Receipt (statement_hash)", code(members.statement_hash)],
      ["Kit digest", code(members.kit_digest)],
      ["Manifest root", code(members.manifest_root)],
      ["Client nonce hash", code(members.client_nonce_hash)],
      ["Intake policy", link(`/v1/policies/${members.intake_policy_hash}.json`, code(members.intake_policy_hash))],
      ["Issuer key", code(members.issuer_kid)],
      ["First checkpoint that holds it", link(`/checkpoints.html#${checkpoint.hash()}`, `number ${count(checkpoint.sequence)}`), `, ${readable(formatTime(checkpoint.timestamp))}, ${count(checkpoint.head.size)} entries`],
      ["As files", link(`/v1/entries/${entry.hash}.json`, "entry"), ", ", link(`/v1/proofs/inclusion?leaf_hash=${entry.hash}`, "registry receipt")],
    ]),
  ];
}
