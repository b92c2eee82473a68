// Leaves of the registry, and the registry receipts that prove them (REG-1.0 sections 3 and 8).
//
// The *payload* is ten members, hashes and minimal metadata of one issued kit; its canonical bytes are the
// log's entry. The *leaf record* adds the entry's RFC 6962 leaf hash. The *registry receipt* adds the leaf's
// place in the log, its audit path and the checkpoint that holds it.
import {
  formatJson, parseJson, takeArray, takeConstant, takeDocument, takeHash, takeInteger, takeObject, takeString,
  takeTime, takeValue,
} from "./canonical.js";
import { takeCheckpoint } from "./checkpoint.js";
import { parseHash, parseLaneId, parseProfileId, shown } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { checkInclusion, leafHash } from "./merkle.js";
import { parseNote } from "./note.js";

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

/** Hashes of the longest audit path: tree sizes are below 2^53. */
const MAX_PATH = 53;
const MEMBERS = ["audit_path", "checkpoint", "leaf", "leaf_index", "note"];

/** A registry receipt. `auditPath` leads from the leaf to the checkpoint's root. */
export class RegistryReceipt {
  constructor({ record, leafIndex, auditPath, checkpoint, note }) {
    this.record = record;
    this.leafIndex = leafIndex;
    this.auditPath = auditPath;
    this.checkpoint = checkpoint;
    this.note = note;
  }

  /** Check the audit path from the leaf's own hash. Raises `VerificationError`. */
  checkInclusion() {
    checkInclusion(this.record.leaf.hash(), this.leafIndex, this.checkpoint.head, this.auditPath);
  }
}

/** A registry receipt; nothing but its form is checked. Raises `VerificationError`. */
export function parseRegistryReceipt(data) {
  return malformed("registry-receipt-malformed", "registry receipt", () => {
    const members = takeDocument(parseJson(data), "registry-receipt", MEMBERS);
    const path = takeArray(members, "audit_path");
    if (path.length > MAX_PATH) {
      throw new ValueError(`audit_path: ${path.length} hashes, at most ${MAX_PATH} are possible`);
    }
    return new RegistryReceipt({
      record: takeRecord(members.leaf),
      leafIndex: takeInteger(members, "leaf_index"),
      auditPath: path.map(takePathHash),
      checkpoint: takeCheckpoint(members.checkpoint),
      note: parseNote(takeString(members, "note")),
    });
  });
}

function takePathHash(value) {
  if (typeof value !== "string") throw new ValueError(`audit_path: found ${shown(value)}, wanted a hash`);
  return parseHash(value);
}
