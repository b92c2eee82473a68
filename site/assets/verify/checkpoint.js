// Checkpoints (signed tree heads), as chained JSON and as C2SP tlog-checkpoint text (REG-1.0 section 9).
import {
  formatJson, parseJson, takeDocument, takeHash, takeInteger, takeOptional, takeString, takeTime, takeValue,
} from "./canonical.js";
import {
  HASH_LENGTH, formatBase64, formatBase64url, hashBytes, parseBase64, parseBase64url, parseDecimal, parseHash,
  parseOrigin, shown,
} from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { SIGNATURE_LENGTH } from "./keys.js";
import { EMPTY_ROOT } from "./merkle.js";
import { sha256 } from "./sha256.js";

const MEMBERS = [
  "kid", "notices_hash", "origin", "prev_checkpoint_hash", "root_hash", "sequence", "signature", "timestamp",
  "tree_size",
];

/** A signed tree head. `head`: {size, root}; `timestamp`: POSIX seconds; `signature`: 64 bytes. */
export class Checkpoint {
  constructor(members) {
    this.members = members;
    this.origin = takeValue(members, "origin", parseOrigin);
    this.sequence = takeInteger(members, "sequence");
    this.head = { size: takeInteger(members, "tree_size"), root: takeHash(members, "root_hash") };
    this.timestamp = takeTime(members, "timestamp");
    this.previous = takeOptional(members, "prev_checkpoint_hash", parseHash);
    this.noticesHash = takeHash(members, "notices_hash");
    this.kid = takeString(members, "kid");
    this.signature = takeValue(members, "signature", (text) => parseBase64url(text, SIGNATURE_LENGTH));
  }

  /** What the signature is over: the canonical bytes without `signature`. */
  signedBytes() {
    const { signature, ...statement } = this.members;
    return formatJson(statement);
  }

  /** The checkpoint's name: SHA-256 of its object. */
  hash() {
    return sha256(formatJson(this.members));
  }

  /** The same tree head as C2SP tlog-checkpoint text, without extension lines. */
  noteText() {
    return `${this.origin}\n${this.head.size}\n${formatBase64(hashBytes(this.head.root))}\n`;
  }
}

/** A checkpoint object. Raises `VerificationError` (checkpoint-malformed, schema-newer). */
export function parseCheckpoint(data) {
  return malformed("checkpoint-malformed", "checkpoint", () => takeCheckpoint(parseJson(data)));
}

/** A checkpoint from parsed JSON. Raises `ValueError`; the signature is not checked. */
export function takeCheckpoint(value) {
  const members = takeDocument(value, "checkpoint", MEMBERS);
  takeValue(members, "kid", parseHash);
  const checkpoint = new Checkpoint(members);
  if ((checkpoint.sequence === 0) !== (checkpoint.previous === null)) {
    throw new ValueError("prev_checkpoint_hash: null for sequence 0, and for no other");
  }
  if (checkpoint.sequence === 0 && checkpoint.head.size !== 0) {
    throw new ValueError("tree_size: sequence 0 is the empty tree");
  }
  if (checkpoint.head.size === 0 && checkpoint.head.root !== EMPTY_ROOT) {
    throw new ValueError("root_hash: not the hash of the empty tree");
  }
  return checkpoint;
}

/** What a C2SP checkpoint text without extension lines says: {origin, head}. Raises `VerificationError`. */
export function parseNoteBody(text) {
  return malformed("note-malformed", "checkpoint text", () => {
    const lines = text.split("\n");
    if (lines.length !== 4 || lines[3]) {
      throw new ValueError(`found ${shown(text)}, wanted three lines: origin, size, root hash`);
    }
    const root = parseBase64(lines[2]);
    if (root.length !== HASH_LENGTH) throw new ValueError(`root hash of ${root.length} bytes, wanted ${HASH_LENGTH}`);
    return { origin: parseOrigin(lines[0]), head: { size: parseDecimal(lines[1]), root: formatBase64url(root) } };
  });
}
