// The disclosure, `disclosure.json`: one record's manifest entry, and its way to the manifest root.
//
// With the record, the receipt, the client nonce and the registry receipt it makes a *disclosed record*,
// which shows one record of a kit and nothing of the others (REG-1.0 section 13, decision 12).
import { formatJson, parseJson, takeArray, takeConstant, takeDocument, takeHash, takeObject, takeString } from "./canonical.js";
import { shown } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { DISCLOSURE, isRecord, takeFile } from "./manifest.js";
import { leafHash, nodeHash } from "./merkle.js";

/** Hashes of the longest way: a manifest lists at most 999 records and five other files. */
const MAX_WAY = 10;
const LEFT = "left", RIGHT = "right";

/** A record's manifest entry and its way to the root: {side, hash} each. */
export class Disclosure {
  constructor(entry, file, path) {
    this.entry = entry;
    this.file = file;
    this.path = path;
  }

  /** The manifest root that the way leads to. */
  root() {
    return this.path.reduce(
      (found, { side, hash }) => (side === LEFT ? nodeHash(hash, found) : nodeHash(found, hash)),
      leafHash(formatJson(this.entry)),
    );
  }
}

/** A disclosure. Raises `VerificationError` (manifest-malformed, schema-newer). */
export function parseDisclosure(data) {
  return malformed("manifest-malformed", DISCLOSURE, () => {
    const members = takeDocument(parseJson(data), "disclosure", ["audit_path", "file"]);
    const file = takeFile(members.file), path = takeArray(members, "audit_path");
    if (!isRecord(file.path)) throw new ValueError(`file: ${shown(file.path)} is not a record's path`);
    if (path.length > MAX_WAY) {
      throw new ValueError(`audit_path: ${path.length} hashes, at most ${MAX_WAY} are possible`);
    }
    return new Disclosure(members.file, file, path.map(takeSibling));
  });
}

function takeSibling(value) {
  const members = takeObject(value, ["hash", "side"]);
  const side = takeString(members, "side");
  if (side !== LEFT) takeConstant(members, "side", RIGHT);
  return { side, hash: takeHash(members, "hash") };
}
