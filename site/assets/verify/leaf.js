// Leaves of the registry: hashes and minimal metadata of one issued kit (REG-1.0 section 3).
//
// The *payload* is ten members; its canonical bytes are the log's entry. The *leaf record* adds the
// entry's RFC 6962 leaf hash.
import { formatJson, parseJson, takeConstant, takeHash, takeObject, takeString, takeTime, takeValue } from "./canonical.js";
import { parseHash, parseLaneId, parseProfileId } from "./encoding.js";
import { malformed } from "./errors.js";
import { leafHash } from "./merkle.js";

/** Only issued kits make leaves. */
export const OUTCOME = "PASS";

const MAX_ENTRY = 65535; // C2SP tlog-tiles: a two-byte length stands before each entry
const PAYLOAD = [
  "client_nonce_hash", "intake_policy_hash", "issued_at", "issuer_kid", "kit_digest", "lane_id", "manifest_root",
  "outcome", "profile_id", "statement_hash",
];

/** A leaf payload as `members`, checked; `issuedAt` in POSIX seconds. */
export class Leaf {
  constructor(members) {
    this.members = Object.fromEntries(PAYLOAD.map((name) => [name, members[name]]));
    this.issuedAt = takeTime(members, "issued_at");
    this.kitDigest = members.kit_digest;
    this.laneId = members.lane_id;
    this.profileId = members.profile_id;
  }

  /** The RFC 6962 leaf hash of the entry. */
  hash() {
    return leafHash(formatJson(this.members));
  }
}

/** A log entry. Raises `VerificationError` (leaf-malformed). */
export function parseEntry(data) {
  return malformed("leaf-malformed", "log entry", () => takeLeaf(takeObject(parseJson(data, MAX_ENTRY), PAYLOAD)));
}

/** A leaf record: {leaf, leafHash}. Raises `VerificationError`; the hash is read, not checked. */
export function parseRecord(data) {
  return malformed("leaf-malformed", "leaf record", () => takeRecord(parseJson(data, MAX_ENTRY)));
}

/** A leaf record from parsed JSON. Raises `ValueError`. */
export function takeRecord(value) {
  const members = takeObject(value, [...PAYLOAD, "leaf_hash"]);
  return { leaf: takeLeaf(members), leafHash: takeHash(members, "leaf_hash") };
}

function takeLeaf(members) {
  takeConstant(members, "outcome", OUTCOME);
  takeValue(members, "issuer_kid", parseHash);
  for (const name of ["client_nonce_hash", "intake_policy_hash"]) takeHash(members, name);
  takeTime(members, "issued_at");
  takeString(members, "issuer_kid");
  takeHash(members, "kit_digest");
  takeValue(members, "lane_id", parseLaneId);
  takeHash(members, "manifest_root");
  takeValue(members, "profile_id", parseProfileId);
  takeHash(members, "statement_hash");
  return new Leaf(members);
}
