// The registry receipt: a leaf, its place in the log, and the checkpoint holding it (REG-1.0 section 8).
import { parseJson, takeArray, takeDocument, takeInteger, takeString } from "./canonical.js";
import { takeCheckpoint } from "./checkpoint.js";
import { parseHash, shown } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { takeRecord } from "./leaf.js";
import { checkInclusion } from "./merkle.js";
import { parseNote } from "./note.js";

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
