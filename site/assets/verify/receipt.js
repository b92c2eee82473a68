// The signed statement `receipt.json`, and the client nonce that it binds (REG-1.0 sections 4 and 5).
import {
  formatJson, parseJson, takeConstant, takeDocument, takeHash, takeOptional, takeString, takeTime, takeValue,
} from "./canonical.js";
import {
  decodeText, formatTime, parseBase64url, parseHash, parseKitId, parseLaneId, parseOrigin, parseProfileId, shown,
} from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { SIGNATURE_LENGTH } from "./keys.js";
import { OUTCOME } from "./leaf.js";
import { BOUNDARY, ISSUER } from "./words.js";

/** Seconds within which an accepted leaf is in a signed checkpoint (registry transparency policy). */
export const MERGE_DELAY_S = 600;

const MEMBERS = [
  "boundary", "client_nonce_hash", "hash_trail_head", "intake_policy_hash", "issued_at", "issuer", "issuer_kid",
  "kit_id", "lane_id", "manifest_root", "manifest_sha256", "merge_by", "origin", "outcome", "profile_id", "signature",
  "supersedes",
];

/** A receipt. Times in POSIX seconds; `signature` is 64 bytes. */
export class Receipt {
  constructor(members) {
    this.members = members;
    this.origin = takeValue(members, "origin", parseOrigin);
    this.kitId = takeValue(members, "kit_id", parseKitId);
    this.laneId = takeValue(members, "lane_id", parseLaneId);
    this.profileId = takeValue(members, "profile_id", parseProfileId);
    this.issuedAt = takeTime(members, "issued_at");
    this.issuerKid = takeString(members, "issuer_kid");
    this.manifestSha256 = takeHash(members, "manifest_sha256");
    this.manifestRoot = takeHash(members, "manifest_root");
    this.trailHead = takeHash(members, "hash_trail_head");
    this.intakePolicyHash = takeHash(members, "intake_policy_hash");
    this.nonceHash = takeHash(members, "client_nonce_hash");
    this.supersedes = takeOptional(members, "supersedes", parseKitId);
    this.signature = takeValue(members, "signature", (text) => parseBase64url(text, SIGNATURE_LENGTH));
  }

  /** What the signature is over: the canonical bytes without `signature`. */
  signedBytes() {
    const { signature, ...statement } = this.members;
    return formatJson(statement);
  }
}

/** A receipt, signature unchecked. Raises `VerificationError` (receipt-malformed, schema-newer). */
export function parseReceipt(data) {
  return malformed("receipt-malformed", "receipt.json", () => {
    const members = takeDocument(parseJson(data), "receipt", MEMBERS);
    takeConstant(members, "boundary", BOUNDARY);
    takeConstant(members, "issuer", ISSUER);
    takeConstant(members, "outcome", OUTCOME);
    takeValue(members, "issuer_kid", parseHash);
    const receipt = new Receipt(members);
    takeConstant(members, "merge_by", formatTime(receipt.issuedAt + MERGE_DELAY_S));
    return receipt;
  });
}

export const NONCE_HEADER = "attestlayer-nonce/1";
const RANDOM_LENGTH = 32;
const NO_CHECKPOINT = "-";
const MAX_NONCE_LENGTH = 128;

/** A client nonce file: {checkpoint}, a hash or null. Raises `VerificationError` (nonce-malformed). */
export function parseNonce(data) {
  return malformed("nonce-malformed", "client nonce", () => {
    if (data.length > MAX_NONCE_LENGTH || data.some((byte) => byte > 0x7f)) {
      throw new ValueError(`${data.length} bytes, wanted three lines of ASCII, ${MAX_NONCE_LENGTH} bytes at most`);
    }
    const lines = decodeText(data).split("\n");
    if (lines.length !== 4 || lines[3] || lines[0] !== NONCE_HEADER) {
      throw new ValueError(`found ${shown(data)}, wanted three lines of which the first is ${NONCE_HEADER}`);
    }
    const checkpoint = lines[1] === NO_CHECKPOINT ? null : parseHash(lines[1]);
    parseBase64url(lines[2], RANDOM_LENGTH);
    return { checkpoint };
  });
}
