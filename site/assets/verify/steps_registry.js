// Verification steps 11–15: inclusion, checkpoint, witnesses, times, notices (REG-1.0 section 12).
import { parseNoteBody } from "./checkpoint.js";
import { compareText, formatTime } from "./encoding.js";
import { ForeignTrustRootError, VerificationError } from "./errors.js";
import { CLIENT_NONCE, NONCE_CHECKPOINT, RECEIPT, REGISTRY_RECEIPT } from "./manifest.js";
import { ED25519, VerifierKey, cosignatureTime, signatureVerifies, signaturesBy } from "./note.js";
import { MERGE_DELAY_S } from "./receipt.js";
import { Aside, Unproven } from "./report.js";
import { NONE_DEMANDED } from "./words.js";

/** Seconds that a cosignature's time may differ from the checkpoint's timestamp to count. */
const WITNESS_WINDOW_S = 600;
/** Seconds after which a trust root is old: the registry makes a new one every day (REG-1.0 section 9.6). */
const TRUST_ROOT_OLD_S = 30 * 86400;
const FILES = [REGISTRY_RECEIPT];

/** Step 9 of a registry receipt by itself: the leaf's hash is its payload's. */
export function* checkLeafHash(evidence) {
  const { record } = evidence.registryReceipt.atHome(), found = record.leaf.hash();
  if (found !== record.leafHash) {
    yield new VerificationError("leaf-hash-mismatch", `the leaf's payload hashes to ${found}`, FILES);
  }
}

/** Step 11: the audit path leads from the leaf to the checkpoint's root (RFC 9162 section 2.1.3.2). */
export function* checkAuditPath(evidence) {
  try {
    evidence.registryReceipt.needed().checkInclusion();
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    yield new VerificationError(error.reason, error.message, FILES);
  }
}

/** Step 12: the checkpoint is this registry's, signed twice, and no other face of the log. */
export async function* checkCheckpoint(evidence) {
  const receipt = evidence.registryReceipt.needed(), { anchors } = evidence;
  const { checkpoint } = receipt, { keyring } = anchors;
  if (checkpoint.origin !== keyring.origin) {
    const message = `the checkpoint is of ${checkpoint.origin}, the trust root of ${keyring.origin}`;
    yield new ForeignTrustRootError("origin-mismatch", message, FILES);
  }
  yield* checkRegistryKey(receipt, anchors);
  yield* checkNote(receipt, anchors);
  if (anchors.checkpoint) yield* checkOneFace(checkpoint, anchors.checkpoint, keyring);
}

async function* checkRegistryKey(receipt, anchors) {
  const { checkpoint } = receipt;
  const key = anchors.keyring.key("registry", checkpoint.kid);
  if (!key) {
    const message = `key ${checkpoint.kid} is not a registry key of the trust root`;
    yield new VerificationError("registry-key-unknown", message, FILES);
    return;
  }
  if (!key.isValidAt(checkpoint.timestamp)) {
    const message = `the registry key was not valid at ${formatTime(checkpoint.timestamp)}`;
    yield new VerificationError("registry-key-not-valid", message, FILES);
  }
  if (key.revokedAt !== null && !(await outlivesRevocation(receipt, anchors, key))) {
    const message = `the registry key was revoked at ${formatTime(key.revokedAt)}, with no quorum before`;
    yield new VerificationError("registry-key-revoked", message, FILES);
  }
  if (!(await key.public.verifies(checkpoint.signature, checkpoint.signedBytes()))) {
    const message = "the checkpoint's signature is not its registry key's";
    yield new VerificationError("checkpoint-signature-invalid", message, FILES);
  }
}

/** Whether cosignatures dated before the revocation meet a real quorum (never `quorum none`). */
async function outlivesRevocation(receipt, anchors, key) {
  const { timestamp } = receipt.checkpoint;
  const policy = anchors.keyring.witnessPolicyAt(timestamp);
  if (anchors.trust === null || timestamp >= key.revokedAt || policy.isMet(new Set())) return false;
  return policy.isMet(await cosignersOf(receipt.note, policy.witnesses, timestamp, key.revokedAt));
}

async function* checkNote(receipt, anchors) {
  const { checkpoint, note } = receipt;
  if (note.text !== checkpoint.noteText()) {
    const body = noteBody(note);
    if (body.origin !== checkpoint.origin) {
      const message = `the note is of ${body.origin}, the checkpoint of ${checkpoint.origin}`;
      yield new VerificationError("origin-mismatch", message, FILES);
    } else {
      const message = "the note says another size or root than the checkpoint";
      yield new VerificationError("note-mismatch", message, FILES);
    }
  }
  let signed = false;
  for (const key of anchors.keyring.of("registry")) {
    if (!key.isValidAt(checkpoint.timestamp)) continue; // nobody's: its lines count for nothing
    const named = new VerifierKey(checkpoint.origin, ED25519, key.public);
    for (const line of signaturesBy(note, named)) {
      if (await signatureVerifies(note.text, line, named)) {
        signed ||= await countsOnNote(receipt, anchors, key);
      } else {
        const message = `a line of registry key ${key.public.kid} does not verify`;
        yield new VerificationError("note-signature-invalid", message, FILES);
      }
    }
  }
  if (!signed) {
    const message = "the note has no valid line of a registry key that counts at its time";
    yield new VerificationError("note-signature-invalid", message, FILES);
  }
}

function noteBody(note) {
  try {
    return parseNoteBody(note.text);
  } catch (error) {
    if (error instanceof VerificationError) error.files = FILES;
    throw error;
  }
}

/** Whether revocation leaves `key` its line. That of the checkpoint's own key was judged before. */
async function countsOnNote(receipt, anchors, key) {
  const judged = key.revokedAt === null || key.public.kid === receipt.checkpoint.kid;
  return judged || outlivesRevocation(receipt, anchors, key);
}

/**
 * The checkpoint does not contradict the one that the verifier knows: no split view.
 *
 * Said only of what the registry signed: else anybody could make up an accusation.
 */
async function* checkOneFace(checkpoint, known, keyring) {
  let message;
  if (checkpoint.sequence === known.sequence && checkpoint.hash() !== known.hash()) {
    message = `the trust root knows another checkpoint ${known.sequence}: the log shows two faces`;
  } else if (checkpoint.head.size === known.head.size && checkpoint.head.root !== known.head.root) {
    message = `the trust root knows another root of size ${known.head.size}: the log shows two faces`;
  } else return;
  const key = keyring.key("registry", checkpoint.kid);
  if (key && (await key.public.verifies(checkpoint.signature, checkpoint.signedBytes()))) {
    yield new VerificationError("checkpoint-conflict", message, FILES);
  }
}

/** Step 13: the quorum of the policy in force at the checkpoint's time cosigned, in time. */
export async function* checkWitnesses(evidence) {
  const receipt = evidence.registryReceipt.needed(), { anchors } = evidence;
  const { note } = receipt, { timestamp } = receipt.checkpoint;
  const policy = anchors.keyring.witnessPolicyAt(timestamp);
  for (const witness of policy.witnesses.values()) {
    for (const line of signaturesBy(note, witness)) {
      if (await signatureVerifies(note.text, line, witness)) continue;
      const message = `a cosignature of witness ${witness.name} does not verify`;
      yield new VerificationError("witness-signature-invalid", message, FILES);
      break; // once a witness
    }
  }
  const cosigners = await cosignersOf(note, policy.witnesses, timestamp);
  if (!policy.isMet(cosigners)) {
    const names = [...cosigners].sort(compareText).join(", ") || "no witness";
    yield new VerificationError("witness-quorum-not-met", `quorum ${policy.quorum} is not met by ${names}`, FILES);
  }
  if (policy.isMet(new Set())) yield new Unproven(NONE_DEMANDED);
}

/** Names of the witnesses whose valid cosignature is dated near `timestamp` (and before `before`). */
export async function cosignersOf(note, witnesses, timestamp, before = null) {
  const found = new Set();
  for (const [name, witness] of witnesses) {
    for (const line of signaturesBy(note, witness)) {
      const time = cosignatureTime(line);
      if (time === null || Math.abs(Number(time) - timestamp) > WITNESS_WINDOW_S) continue;
      if ((before === null || time < before) && (await signatureVerifies(note.text, line, witness))) found.add(name);
    }
  }
  return found;
}

/** Step 14, the log's half: issued before the checkpoint, merged in time or with a public incident. */
export function* checkMergeTime(evidence) {
  const receipt = evidence.registryReceipt.needed(), { anchors } = evidence;
  const { issuedAt } = receipt.record.leaf, { timestamp } = receipt.checkpoint;
  if (issuedAt > timestamp) {
    const message = `issued at ${formatTime(issuedAt)}, behind its checkpoint of ${formatTime(timestamp)}`;
    yield new VerificationError("issued-after-checkpoint", message, FILES);
  }
  const mergeBy = issuedAt + MERGE_DELAY_S;
  if (timestamp <= mergeBy) return;
  const message = `in the log at ${formatTime(timestamp)}, promised by ${formatTime(mergeBy)}`;
  if (anchors.keyring.isLateMerge(receipt.leafIndex)) {
    yield new Aside("late-merge", `${message}; a public incident says so`);
  } else if (anchors.trust === null) { // a JWKS holds no incidents
    yield new Aside("late-merge", `${message}; only a trust root knows whether an incident says why`);
  } else {
    const hint = "no incident known here says why: update the trust root and check again";
    yield new VerificationError("late-merge-unexplained", `${message}; ${hint}`, FILES);
  }
}

/** Step 14, the client's half: issued after the checkpoint that the client's nonce names. */
export async function* checkNonceTime(evidence) {
  const nonce = evidence.nonce.atHome();
  if (nonce.checkpoint === null) {
    if (evidence.kit.members.has(NONCE_CHECKPOINT)) {
      const message = "the nonce names no checkpoint, but the kit holds one for it";
      yield new VerificationError("nonce-checkpoint-mismatch", message, [NONCE_CHECKPOINT]);
    }
    yield new Aside("not-before-not-shown", "the nonce names no checkpoint, so it dates nothing");
    return;
  }
  yield* checkNonceCheckpoint(evidence, nonce);
}

async function* checkNonceCheckpoint(evidence, nonce) {
  if (!evidence.kit.members.has(NONCE_CHECKPOINT)) {
    const message = "the checkpoint that the nonce names is missing";
    throw new VerificationError("nonce-checkpoint-mismatch", message, [NONCE_CHECKPOINT]);
  }
  const checkpoint = evidence.nonceCheckpoint.atHome(), { keyring } = evidence.anchors;
  if (checkpoint.hash() !== nonce.checkpoint) {
    const message = `the nonce names another checkpoint than ${checkpoint.hash()}`;
    yield new VerificationError("nonce-checkpoint-mismatch", message, [CLIENT_NONCE, NONCE_CHECKPOINT]);
  }
  const key = keyring.key("registry", checkpoint.kid);
  if (
    !key
    || checkpoint.origin !== keyring.origin
    || !key.isValidAt(checkpoint.timestamp)
    || key.isRevokedAt(checkpoint.timestamp)
    || !(await key.public.verifies(checkpoint.signature, checkpoint.signedBytes()))
  ) {
    const message = "the checkpoint that the nonce names is not signed by a key of this registry valid then";
    yield new VerificationError("nonce-checkpoint-invalid", message, [NONCE_CHECKPOINT]);
  } else if (key.revokedAt !== null) {
    const message = `the key of the nonce's checkpoint was revoked at ${formatTime(key.revokedAt)}`;
    yield new Aside("not-before-not-shown", message);
  }
  const { issuedAt } = evidence.receipt.needed();
  if (checkpoint.timestamp > issuedAt) {
    const seenAt = formatTime(checkpoint.timestamp);
    const message = `issued at ${formatTime(issuedAt)}, before the nonce's checkpoint of ${seenAt}`;
    yield new VerificationError("issued-before-nonce", message, [NONCE_CHECKPOINT]);
  }
}

/** Step 12, the kit's part: the signed receipt names the registry that holds its leaf. */
export function* checkReceiptOrigin(evidence) {
  const found = evidence.receipt.needed().origin, wanted = evidence.registryReceipt.needed().checkpoint.origin;
  if (found !== wanted) {
    const message = `the receipt names registry ${found}, its leaf is in ${wanted}`;
    yield new VerificationError("origin-mismatch", message, [RECEIPT, REGISTRY_RECEIPT]);
  }
}

/** Step 15: the leaf is not withdrawn, as far as the trust root knows. Superseded: a note. */
export function* checkNotices(evidence) {
  const receipt = evidence.registryReceipt.needed(), { keyring, checkpoint, now } = evidence.anchors;
  const leaf = receipt.record.leaf.hash();
  if (keyring.withdrawn.has(leaf)) {
    const message = `AttestLayer withdrew this kit: ${keyring.withdrawn.get(leaf)}`;
    yield new VerificationError("kit-withdrawn", message, FILES);
  }
  if (keyring.superseded.has(leaf)) {
    yield new Aside("superseded", `superseded by the kit with leaf ${keyring.superseded.get(leaf)}`);
  }
  if (checkpoint) yield* checkAge(receipt.checkpoint, checkpoint, now);
}

/** What a trust root does not know for its age. */
function* checkAge(checkpoint, known, now) {
  const asOf = formatTime(known.timestamp);
  if (checkpoint.origin !== known.origin) { // whose notices are another log's
    yield new Unproven(`not known: trust root of ${known.origin}`);
  } else if (checkpoint.sequence > known.sequence) {
    const message = `not known: trust root of ${asOf}`;
    yield new Unproven(message);
    yield new Aside("withdrawal-unknown", `whether the kit was withdrawn is ${message}, from before its checkpoint`);
  }
  if (now !== null && now - known.timestamp > TRUST_ROOT_OLD_S) {
    yield new Aside("trust-root-old", `the trust root is of ${asOf}, over 30 days ago`);
  }
}
