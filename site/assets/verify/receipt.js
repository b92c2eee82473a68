// The signed statement, `receipt.json`: what AttestLayer says it issued (REG-1.0 section 4).
import {
  formatJson, parseJson, takeConstant, takeDocument, takeHash, takeOptional, takeString, takeTime, takeValue,
} from "./canonical.js";
import { formatTime, parseBase64url, parseHash, parseKitId, parseLaneId, parseOrigin, parseProfileId } from "./encoding.js";
import { malformed } from "./errors.js";
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
    this.policyHash = takeHash(members, "intake_policy_hash");
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
