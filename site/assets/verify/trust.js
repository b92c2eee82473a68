// The trust root, `trust.json`: what a verifier was given beforehand (REG-1.0 section 9).
import { formatJson, parseJson, takeDocument, takeValue } from "./canonical.js";
import { takeCheckpoint } from "./checkpoint.js";
import { parseOrigin } from "./encoding.js";
import { ValueError, VerificationError } from "./errors.js";
import { readNotices } from "./keyring.js";
import { takeNotices } from "./notices.js";
import { sha256 } from "./sha256.js";

/** A checkpoint and the notices that it commits to. `keyring` is what the notices yield. */
export class TrustRoot {
  constructor(members, checkpoint, notices, keyring) {
    this.members = members;
    this.checkpoint = checkpoint;
    this.notices = notices;
    this.keyring = keyring;
  }

  /** The registry it speaks of. */
  get origin() {
    return this.checkpoint.origin;
  }

  /** SHA-256 of the file: its name to people. */
  fingerprint() {
    return sha256(formatJson(this.members));
  }
}

/** A trust root. Raises `VerificationError` (trust-root-unusable, schema-newer). */
export async function parseTrust(data) {
  try {
    return await takeTrust(parseJson(data));
  } catch (error) {
    if (error instanceof ValueError || (error instanceof VerificationError && !error.couldNotCheck)) {
      throw new VerificationError("trust-root-unusable", `trust root: ${error.message}`);
    }
    throw error;
  }
}

async function takeTrust(value) {
  const members = takeDocument(value, "trust", ["origin", "checkpoint", "notices"]);
  const checkpoint = takeCheckpoint(members.checkpoint), notices = takeNotices(members.notices);
  const keyring = readNotices(notices);
  if (notices.origin !== checkpoint.origin) {
    throw new ValueError(`notices of ${notices.origin} beside a checkpoint of ${checkpoint.origin}`);
  }
  if (notices.hash() !== checkpoint.noticesHash) {
    throw new ValueError(`the checkpoint commits to other notices than these, ${notices.hash()}`);
  }
  const key = keyring.key("registry", checkpoint.kid);
  if (!key || !key.isValidAt(checkpoint.timestamp) || key.isRevokedAt(checkpoint.timestamp)) {
    throw new ValueError(`checkpoint key ${checkpoint.kid} is not a registry key valid at its timestamp`);
  }
  if (!(await key.public.verifies(checkpoint.signature, checkpoint.signedBytes()))) {
    throw new ValueError("the checkpoint's signature is not valid");
  }
  if (takeValue(members, "origin", parseOrigin) !== checkpoint.origin) {
    throw new ValueError(`origin ${members.origin} beside a checkpoint of ${checkpoint.origin}`);
  }
  return new TrustRoot(members, checkpoint, notices, keyring);
}
