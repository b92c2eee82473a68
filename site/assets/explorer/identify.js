// From a file that somebody dropped to the hash to look up. The file is read here and goes nowhere.
import { isObject } from "../verify/canonical.js";
import { formatBase64url, parseHash, startsWithBytes } from "../verify/encoding.js";
import { VerificationError } from "../verify/errors.js";
import { BlobSource } from "../verify/files.js";
import { ZIP_START } from "../verify/kit.js";
import { RECEIPT, REGISTRY_RECEIPT, parseManifest } from "../verify/manifest.js";
import { Sha256, sha256 } from "../verify/sha256.js";
import { readZip } from "../verify/zip_reader.js";

/** Documents are at most this long (REG-1.0 section 6); a longer file is hashed as it is. */
const MAX_DOCUMENT = 16 * 1024 * 1024;

/** A hash as people hold it: base64url or hexadecimal, spaces around it; null if it is none. */
export function parseHeld(text) {
  const plain = text.trim().replace(/^(sha256[:-]|SHA256[:-])/, "");
  if (/^[0-9a-fA-F]{64}$/.test(plain)) {
    return formatBase64url(Uint8Array.from(plain.match(/../g), (pair) => Number.parseInt(pair, 16)));
  }
  try {
    return parseHash(plain);
  } catch {
    return null;
  }
}

/** What a file is: {what, hash} or, for something that names its entry, {what, leafHash, data}. */
export async function identify(file) {
  const start = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (startsWithBytes(start, ZIP_START)) return identifyZip(file);
  if (file.size > MAX_DOCUMENT) return { what: "a file", hash: await hashOf(file) };
  return identifyDocument(new Uint8Array(await file.arrayBuffer()));
}

function identifyDocument(data) {
  const hash = sha256(data);
  let value = null;
  try {
    value = JSON.parse(new TextDecoder().decode(data));
  } catch {
    const nonce = new TextDecoder().decode(data.subarray(0, 20)) === "attestlayer-nonce/1\n";
    return { what: nonce ? "a client's nonce" : "a file", hash };
  }
  const schema = isObject(value) ? value.schema : null;
  if (schema === "attestlayer/registry-receipt/1" && isObject(value.leaf)) {
    return { what: "a registry receipt", leafHash: parseHeld(String(value.leaf.leaf_hash)), data };
  }
  if (schema === "attestlayer/manifest/1") return identifyManifest(data, hash);
  if (!schema && isObject(value) && "leaf_hash" in value) {
    return { what: "an entry", leafHash: parseHeld(String(value.leaf_hash)), data: null };
  }
  return { what: KINDS[schema] ?? "a file", hash };
}

const KINDS = {
  "attestlayer/receipt/1": "a signed receipt",
  "attestlayer/checkpoint/1": "a checkpoint",
  "attestlayer/notices/1": "a list of notices",
  "attestlayer/intake-policy/1": "an intake policy",
};

function identifyManifest(data, hash) {
  try {
    return { what: "a manifest; its root", hash: parseManifest(data).root() };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return { what: `a damaged manifest (${error.message}); its hash`, hash };
  }
}

/** A kit, however it was packed: by its registry receipt, else by its receipt; another ZIP by its hash. */
async function identifyZip(file) {
  const documents = await readDocuments(file);
  const receipt = documents.get(REGISTRY_RECEIPT), statement = documents.get(RECEIPT);
  if (receipt) return { ...identifyDocument(receipt), what: "a kit with its registry receipt" };
  if (statement) return { what: "a kit; its receipt", hash: sha256(statement) };
  return { what: "a ZIP file", hash: await hashOf(file) };
}

/** The documents of a kit by name; none of a ZIP that can't be read as one. */
async function readDocuments(file) {
  try {
    return (await readZip(new BlobSource(file, file.name))).documents;
  } catch (error) {
    if (error instanceof VerificationError) return new Map();
    throw error;
  }
}

async function hashOf(file) {
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += 1 << 20) {
    hash.update(new Uint8Array(await file.slice(at, at + (1 << 20)).arrayBuffer()));
  }
  return formatBase64url(hash.digest());
}
