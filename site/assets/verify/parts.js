// A part of a kit by itself: what it is, its hash, and what can and can't be said of it alone.
import { checkSchema, isObject, parseJson } from "./canonical.js";
import { parseCheckpoint } from "./checkpoint.js";
import { parseDisclosure } from "./disclosure.js";
import { decodeText, encodeText, startsWithBytes } from "./encoding.js";
import { ValueError, VerificationError, malformed } from "./errors.js";
import { parseReport, parseTrail } from "./intake.js";
import { parseRecord } from "./leaf.js";
import { parseManifest } from "./manifest.js";
import { NONCE_HEADER, parseNonce, parseReceipt } from "./receipt.js";
import { parseNote } from "./note.js";
import { parseNotices } from "./notices.js";
import { dateWords } from "./report_text.js";
import { sha256 } from "./sha256.js";

const PDF_START = encodeText("%PDF-");
const NOTE_LINES = "\n\n— ";

/** Documents with a schema: what people call each, how it is read, what it says and does not say by itself. */
const DOCUMENTS = {
  "registry-receipt": { title: "a registry receipt" },
  trust: { title: "a trust root" },
  receipt: { title: "the receipt of a kit", read: parseReceipt },
  disclosure: { title: "the disclosure of one record of a kit", read: parseDisclosure },
  manifest: { title: "the manifest of a kit", read: parseManifest },
  "hash-trail": { title: "the hash trail of a kit", read: parseTrail },
  "intake-report": { title: "the intake report of a kit", read: parseReport },
  checkpoint: { title: "a checkpoint of a registry", read: parseCheckpoint },
  notices: { title: "a registry's list of notices", read: parseNotices },
};

/** What a file's bytes are: {kind, title, value}; `value` is null if they can't be read as what they claim to be. */
export function identifyPart(data) {
  if (startsWithBytes(data, encodeText(NONCE_HEADER))) return part("nonce", "the client nonce of a kit", data, parseNonce);
  if (startsWithBytes(data, PDF_START)) return { kind: "pdf", title: "a PDF, perhaps the binder of a kit", value: null };
  let value, text;
  try {
    text = decodeText(data);
    value = parseJson(data);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    if (text?.includes(NOTE_LINES)) return part("note", "a checkpoint as a signed note", text, parseNote);
    return { kind: "unknown", title: "no part of a kit that is known here", value: null };
  }
  return identifyJson(data, value);
}

function identifyJson(data, value) {
  const schema = isObject(value) && typeof value.schema === "string" ? value.schema : "";
  const kind = Object.keys(DOCUMENTS).find((name) => schema.startsWith(`attestlayer/${name}/`));
  if (kind) {
    const { title, read = () => value } = DOCUMENTS[kind];
    return part(kind, title, data, (bytes) => {
      malformed("input-unreadable", title, () => checkSchema(value, kind)); // a newer format: nothing can be said
      return read(bytes);
    });
  }
  if (isObject(value) && Object.hasOwn(value, "leaf_hash")) {
    return part("leaf-record", "an entry of a registry", data, parseRecord);
  }
  return { kind: "unknown", title: "no part of a kit that is known here", value: null };
}

function part(kind, title, data, read) {
  try {
    return { kind, title, value: read(data) };
  } catch (error) {
    if (!(error instanceof VerificationError) || error.reason === "schema-newer") throw error;
    return { kind, title, value: null, error };
  }
}

/**
 * What can be said of a part with this trust root and without its kit: {says, doesNotSay, hashes}. Each of
 * `hashes`: {name, hash, inRegistry}, the last whether a registry's entry names it.
 */
export async function describePart({ kind, value }, data, trust) {
  const file = sha256(data);
  const hashes = [{ name: "SHA-256 of the file", hash: file, inRegistry: kind === "receipt" || kind === "nonce" }];
  if (value && kind === "manifest") hashes.push({ name: "manifest root", hash: value.root(), inRegistry: true });
  if (value && kind === "receipt") hashes.push({ name: "manifest root", hash: value.manifestRoot, inRegistry: true });
  if (value && kind === "leaf-record") hashes.push({ name: "leaf hash", hash: value.leafHash, inRegistry: true });
  return { says: value ? await sayings(kind, value, trust) : [], doesNotSay: ALONE[kind] ?? ALONE.unknown, hashes };
}

async function sayings(kind, value, trust) {
  if (kind === "receipt") return [await receiptSignature(value, trust)];
  if (kind === "checkpoint") return [await checkpointSignature(value, trust)];
  if (kind === "leaf-record") {
    const same = value.leaf.hash() === value.leafHash;
    return [same ? "Its leaf hash is that of its content." : "Its leaf hash is not that of its content: it was changed."];
  }
  return ["It has the form that it should have. Anybody can write such a file."];
}

async function receiptSignature(receipt, trust) {
  const key = trust?.keyring.key("issuer", receipt.issuerKid);
  if (!key) return "It names an issuer key that the trust root does not know, so its signature shows nothing.";
  if (!(await key.public.verifies(receipt.signature, receipt.signedBytes()))) {
    return "Its signature does not verify: AttestLayer did not sign this receipt as it stands.";
  }
  const counts = key.isValidAt(receipt.issuedAt) && key.revokedAt === null;
  return counts
    ? `Its signature verifies under the issuer key that the trust root knows, for ${dateWords(receipt.issuedAt)}.`
    : "Its signature verifies, but its key does not count for its date, or was revoked.";
}

async function checkpointSignature(checkpoint, trust) {
  const key = trust?.keyring.key("registry", checkpoint.kid);
  if (!key) return "It names a registry key that the trust root does not know, so its signature shows nothing.";
  const verifies = await key.public.verifies(checkpoint.signature, checkpoint.signedBytes());
  return verifies ? "Its signature verifies under a registry key of the trust root." : "Its signature does not verify.";
}

const ALONE = {
  receipt: "That any file is one that the receipt stands for, that the registry holds its entry, and that it was not withdrawn.",
  manifest: "That AttestLayer issued it: what it lists can be compared with files, but the receipt is what binds it.",
  disclosure: "That AttestLayer issued it: give this page the whole disclosed record, a ZIP or a folder.",
  "hash-trail": "That AttestLayer issued it: the receipt is what binds it.",
  "intake-report": "That AttestLayer issued it: the manifest lists its hash, and the receipt binds the manifest.",
  nonce: "That any kit was made with it: the receipt names its hash.",
  pdf: "Anything of its content: the manifest of its kit lists its hash, and the receipt binds the manifest.",
  checkpoint: "That it is part of the log: a registry receipt or the registry's own pages show that.",
  note: "That it is part of the log: a registry receipt or the registry's own pages show that.",
  notices: "That the registry published it: a signed checkpoint commits to its hash.",
  "leaf-record": "That the registry holds it: its registry receipt shows that.",
  unknown: "Anything of its content. If it is a record of a kit, the manifest lists its hash, and the receipt binds the manifest.",
};

/**
 * Which of several loose parts a verified registry receipt's entry names: {name, title, names} each, `names`
 * true or false, or null where an entry names no hash of such a file.
 */
export function relateParts(leaf, parts) {
  return parts.map(({ name, kind, title, value, data }) => {
    const named = {
      receipt: () => sha256(data) === leaf.members.statement_hash,
      nonce: () => sha256(data) === leaf.members.client_nonce_hash,
      manifest: () => value !== null && value.root() === leaf.members.manifest_root,
    }[kind];
    return { name, title, names: named ? named() : null };
  });
}
