// The manifest: names, sizes, salted hashes of a kit's files, and the Merkle root over them.
//
// Also the names that a kit's members can have (REG-1.0 section 6).
import {
  formatJson, parseJson, takeArray, takeDocument, takeHash, takeInteger, takeObject, takeString, takeValue,
} from "./canonical.js";
import { parseBase64url, parseKitId, shown } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { leafHash, rootOf } from "./merkle.js";

export const README = "README.txt";
export const BINDER = "binder.pdf";
export const HASH_TRAIL = "hash_trail.json";
export const INTAKE_REPORT = "intake_report.json";
export const MANIFEST = "manifest.json";
export const RECEIPT = "receipt.json";
export const CLIENT_NONCE = "registry/client_nonce.txt";
export const NONCE_CHECKPOINT = "registry/nonce_checkpoint.json";
export const REGISTRY_RECEIPT = "registry/registry_receipt.json";
/** Makes a container a disclosed record; no kit has it. */
export const DISCLOSURE = "disclosure.json";

/** Members that the manifest does not list: they come after it or hold it. */
export const UNLISTED = [HASH_TRAIL, MANIFEST, RECEIPT, REGISTRY_RECEIPT];
const WITH_DISCLOSURE = [DISCLOSURE, RECEIPT, CLIENT_NONCE, NONCE_CHECKPOINT, REGISTRY_RECEIPT];
export const ALWAYS_LISTED = [README, BINDER, INTAKE_REPORT, CLIENT_NONCE];

export const MAX_RECORDS = 999;
/** Bytes of all records together. */
export const MAX_RECORDS_LENGTH = 100 * 1024 * 1024;
/** Bytes of the largest members that are no records. */
export const MAX_MEMBER_LENGTH = 16 * 1024 * 1024;
const MAX_MEMBER_LENGTHS = {
  [BINDER]: MAX_MEMBER_LENGTH,
  [INTAKE_REPORT]: MAX_MEMBER_LENGTH,
  [HASH_TRAIL]: 2 * 1024 * 1024,
  [MANIFEST]: 2 * 1024 * 1024,
  [REGISTRY_RECEIPT]: 256 * 1024,
};
/** Bytes of each other member. */
const MAX_OTHER_LENGTH = 64 * 1024;

const SALT_LENGTH = 16;
const RECORD = /^records\/([0-9]{3})-[a-z0-9-]{1,48}(?:\.[a-z0-9]{1,8})?$/;

/** A manifest; `files`: {path, sha256, size} in byte order of their paths. */
export class Manifest {
  constructor(kitId, files, entries) {
    this.kitId = kitId;
    this.files = files;
    this.entries = entries;
  }

  /** RFC 6962 tree hash over the canonical bytes of each entry. */
  root() {
    return rootOf(this.entries.map((entry) => leafHash(formatJson(entry))));
  }

  /** The listed records, in order of their numbers. */
  records() {
    return this.files.filter((file) => isRecord(file.path));
  }
}

/** Whether `path` is a record's name: `records/<NNN>-<slug>[.<ext>]`. */
export function isRecord(path) {
  return RECORD.test(path);
}

/** Whether a kit can have a member named `path`. */
export function isMember(path) {
  return UNLISTED.includes(path) || ALWAYS_LISTED.includes(path) || path === NONCE_CHECKPOINT || isRecord(path);
}

/** The most bytes that a member has, which is no record. */
export function memberLimit(path) {
  return MAX_MEMBER_LENGTHS[path] ?? MAX_OTHER_LENGTH;
}

/** Whether a disclosed record can have a member named `path`. */
export function isDisclosedMember(path) {
  return WITH_DISCLOSURE.includes(path) || isRecord(path);
}

/** A manifest. Raises `VerificationError` (manifest-malformed, schema-newer). */
export function parseManifest(data) {
  return malformed("manifest-malformed", MANIFEST, () => {
    const members = takeDocument(parseJson(data), "manifest", ["kit_id", "files"]);
    const entries = takeArray(members, "files");
    const files = entries.map(takeFile);
    checkPaths(files.map((file) => file.path));
    return new Manifest(takeValue(members, "kit_id", parseKitId), files, entries);
  });
}

/** Member `name` as a salt: 16 bytes, of which only the form can be checked. Raises `ValueError`. */
export function takeSalt(members, name) {
  return takeValue(members, name, (text) => parseBase64url(text, SALT_LENGTH));
}

/** An entry from parsed JSON. Raises `ValueError`; whether its path can stand there is not checked. */
export function takeFile(value) {
  const members = takeObject(value, ["path", "salt", "sha256", "size"]);
  const path = takeString(members, "path");
  takeSalt(members, "salt");
  return { path, sha256: takeHash(members, "sha256"), size: takeInteger(members, "size") };
}

function checkPaths(paths) {
  for (const path of paths) {
    if (UNLISTED.includes(path) || !isMember(path)) {
      throw new ValueError(`files: ${shown(path)} is not a path that a manifest lists`);
    }
  }
  if (paths.some((path, at) => at && paths[at - 1] >= path)) { // names are ASCII
    throw new ValueError("files: not in byte order of their paths, or one occurs twice");
  }
  const missing = ALWAYS_LISTED.filter((name) => !paths.includes(name)).sort();
  if (missing.length) throw new ValueError(`files: ${missing.join(", ")} not listed`);
  const numbers = paths.map((path) => RECORD.exec(path)).filter(Boolean).map((match) => Number(match[1]));
  if (!numbers.length || numbers.some((number, at) => number !== at + 1)) {
    throw new ValueError("files: records are not numbered from 001 without a gap, or there is none");
  }
}
