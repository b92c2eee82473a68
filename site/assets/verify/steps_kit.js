// Verification steps 1–10: the kit by itself, its receipt's signature, its leaf (REG-1.0 section 12).
//
// Each step yields what it finds and raises `VerificationError` where it can't go on.
import { checkSchema, equalJson, formatJson, isObject, parseJson } from "./canonical.js";
import { shownNames } from "./contents.js";
import { compareText, decodeText, formatHex, formatTime, hashBytes, shown } from "./encoding.js";
import { ValueError, VerificationError } from "./errors.js";
import { NotReachedError } from "./evidence.js";
import {
  BINDER, CLIENT_NONCE, DISCLOSURE, HASH_TRAIL, INTAKE_REPORT, MANIFEST, NONCE_CHECKPOINT, RECEIPT, REGISTRY_RECEIPT, UNLISTED,
  isRecord,
} from "./manifest.js";
import { Aside } from "./report.js";
import { sha256 } from "./sha256.js";

/** Bytes of a file that is compared without its line ends, which takes it into memory. */
const MAX_COMPARED = 16 * 1024 * 1024;

const SCHEMAS = [
  [DISCLOSURE, "disclosure"],
  [HASH_TRAIL, "hash-trail"],
  [INTAKE_REPORT, "intake-report", "policy", "intake-policy"],
  [MANIFEST, "manifest"],
  [RECEIPT, "receipt"],
  [NONCE_CHECKPOINT, "checkpoint"],
  [REGISTRY_RECEIPT, "registry-receipt", "checkpoint", "checkpoint"],
];

/** Step 1: members that no kit has, documents of a newer format. The bytes could be read in one way. */
export function* checkContainer({ kit }) {
  if (kit.isRepacked) {
    yield new Aside("container-repacked", "the ZIP is not the one that was issued: its files were packed again");
  }
  if (kit.ignored.length) {
    const message = `${kit.ignored.length} not of the kit, ignored: ${shownNames(kit.ignored)}`;
    yield new Aside("files-ignored", message, kit.ignored);
  }
  for (const [name, ...schemas] of SCHEMAS) { // first, because that nothing can be said outranks failures
    const newer = newerSchema(kit.documents.get(name), name, schemas);
    if (newer) yield newer;
  }
  const what = kit.isDisclosure ? "disclosed record" : "kit";
  for (const name of kit.unexpected) {
    yield new VerificationError("file-unexpected", `no ${what} has a member ${shown(name)}`, [name]);
  }
}

/** What does not parse at all is for the document's own step to report. */
function newerSchema(data, name, [schema, member, nested]) {
  if (!data) return null;
  try {
    const value = parseJson(data);
    checkSchema(value, schema); // before what a newer format may not have
    if (member && isObject(value)) checkSchema(value[member], nested);
  } catch (error) {
    if (error instanceof ValueError) return null;
    if (error.couldNotCheck) return new VerificationError(error.reason, `${name}: ${error.message}`, [name]);
    throw error;
  }
  return null;
}

/** Step 2: every member is listed, none is missing, none is extra. */
export function* checkListedMembers({ kit, manifest }) {
  const { members } = kit;
  for (const name of [HASH_TRAIL, RECEIPT]) {
    if (!members.has(name)) yield new VerificationError("file-missing", `${name} is missing`, [name]);
  }
  const listed = manifest.atHome().files.map((file) => file.path);
  for (const name of listed.filter((path) => !members.has(path)).sort()) {
    yield new VerificationError("file-missing", `${name} is listed and missing`, [name]);
  }
  const known = new Set([...listed, ...UNLISTED]);
  for (const name of [...members.keys()].filter((path) => !known.has(path)).sort(compareText)) {
    yield new VerificationError("file-unexpected", `${name} is not listed in the manifest`, [name]);
  }
}

/** Step 2 of a disclosed record: the record that the one entry names is there, and no other. */
export function* checkDisclosedMembers({ kit: { members }, disclosure }) {
  const wanted = [RECEIPT, CLIENT_NONCE, disclosure.atHome().file.path];
  for (const name of wanted.filter((each) => !members.has(each)).sort(compareText)) {
    yield new VerificationError("file-missing", `${name} is missing`, [name]);
  }
  for (const name of [...members.keys()].filter((each) => !wanted.includes(each) && isRecord(each))) {
    yield new VerificationError("file-unexpected", `${name} is not the disclosed record`, [name]);
  }
}

/** Step 3: size and SHA-256 of every listed file. */
export async function* checkFiles(evidence) {
  for (const file of evidence.listedFiles()) yield* checkFile(evidence.kit, file);
}

async function* checkFile(kit, file) {
  const { path, size } = file;
  const member = kit.members.get(path);
  if (!member) return; // step 2 reports it
  if (member.size !== size) {
    const message = `${path} has ${member.size} bytes, listed are ${size}${await lineEnds(member, file)}`;
    yield new VerificationError("file-size-mismatch", message, [path]);
  } else if (member.sha256 !== file.sha256) {
    const [found, listed] = [member.sha256, file.sha256].map((hash) => formatHex(hashBytes(hash)));
    const message = `${path} has SHA-256 ${found}, listed is ${listed}`;
    yield new VerificationError("file-hash-mismatch", message, [path]);
  }
}

/** What is said of a file that has the listed content but for its line ends; empty of any other. */
async function lineEnds(member, file) {
  if (Math.max(member.size, file.size) > MAX_COMPARED) return "";
  const unix = withoutReturns(await member.bytes());
  const isListed = (data) => data.length === file.size && sha256(data) === file.sha256;
  if (isListed(unix)) return "; only its line ends were changed, from LF to CRLF";
  if (isListed(withReturns(unix))) return "; only its line ends were changed, from CRLF to LF";
  return "";
}

const CR = 0x0d, LF = 0x0a;
const withoutReturns = (data) => data.filter((byte, at) => !(byte === CR && data[at + 1] === LF));

function withReturns(data) {
  const out = new Uint8Array(data.length + data.reduce((count, byte) => count + (byte === LF), 0));
  let end = 0;
  for (const byte of data) {
    if (byte === LF) out[end++] = CR;
    out[end++] = byte;
  }
  return out;
}

/** Step 4: the Merkle root over the manifest's entries is the receipt's. */
export function* checkManifestRoot(evidence) {
  const found = evidence.manifestRoot(), wanted = evidence.receipt.needed().manifestRoot;
  const files = [evidence.listing, RECEIPT];
  if (found !== wanted) yield mismatch("manifest-root-mismatch", "manifest root", found, wanted, files);
}

/** Step 5: the hash trail is a chain in order of time, and says what the documents say. */
export function* checkTrail(evidence) {
  const { events } = evidence.trail.atHome();
  yield* checkChain(events);
  if (events.some((event, at) => at && event.at < events[at - 1].at)) {
    yield new VerificationError("trail-time-mismatch", "an event is earlier than its predecessor", [HASH_TRAIL]);
  }
  const { issuedAt } = evidence.receipt.needed();
  if (events.at(-1).at > issuedAt) {
    const last = formatTime(events.at(-1).at);
    const message = `the last event is of ${last}, behind issued_at ${formatTime(issuedAt)}`;
    yield new VerificationError("trail-time-mismatch", message, [HASH_TRAIL]);
  }
  if (!equalJson(comparable(events.map(withoutSalt)), expectedEvents(evidence))) {
    const message = "the events are not those that the manifest, the report and the binder make";
    yield new VerificationError("trail-event-mismatch", message, [HASH_TRAIL]);
  }
}

function* checkChain(events) {
  let previous = null;
  for (const [n, event] of events.entries()) {
    if (event.n !== n || event.prev !== previous) {
      const message = `event ${event.n} at place ${n} does not follow from the event before`;
      yield new VerificationError("trail-chain-broken", message, [HASH_TRAIL]);
    }
    previous = event.hash;
  }
}

/** Events with the submitted ones in a fixed order: these compare as a multiset. A salt is left out. */
function comparable(pairs) {
  const isSubmitted = ([type]) => type === "record.submitted";
  const submitted = pairs.filter(isSubmitted).map((pair) => [decodeText(formatJson(pair)), pair]);
  submitted.sort(([one], [other]) => compareText(one, other));
  let next = 0;
  return pairs.map((pair) => (isSubmitted(pair) ? submitted[next++][1] : pair));
}

/** Type and data of an event. The salt comes from the packet's secret seed: no other document speaks of it. */
function withoutSalt({ type, data }) {
  return [type, type === "packet.opened" ? {} : data];
}

function expectedEvents(evidence) {
  const manifest = evidence.manifest.needed(), report = evidence.report.needed();
  const records = manifest.records();
  const hashes = new Map(manifest.files.map((file) => [file.path, file.sha256]));
  const evaluated = { intake_policy_hash: report.intakePolicyHash(), report_sha256: hashes.get(INTAKE_REPORT) };
  const sealed = { manifest_sha256: evidence.documentHash(MANIFEST), manifest_root: manifest.root() };
  return comparable([
    ["packet.opened", {}],
    ...records.map(({ sha256, size }) => ["record.submitted", { sha256, size }]),
    ["intake.evaluated", evaluated],
    ...records.map(({ path, sha256, size }) => ["record.accepted", { path, sha256, size }]),
    ["binder.rendered", { sha256: hashes.get(BINDER) }],
    ["manifest.sealed", sealed],
  ]);
}

/** Step 6: the receipt binds manifest, trail, policy and nonce; all documents name one kit. */
export function* checkReceipt(evidence) {
  const receipt = evidence.receipt.atHome();
  const report = evidence.report.atHome();
  let found = evidence.documentHash(MANIFEST), wanted = receipt.manifestSha256;
  if (found !== wanted) yield mismatch("receipt-manifest-mismatch", MANIFEST, found, wanted, [MANIFEST, RECEIPT]);
  yield* checkNonceHash(evidence);
  [found, wanted] = [report.intakePolicyHash(), receipt.intakePolicyHash];
  const { lane_id: lane, profile_id: profile } = report.policy;
  if (found !== wanted || lane !== receipt.laneId || profile !== receipt.profileId) {
    yield mismatch("receipt-policy-mismatch", "policy", found, wanted, [INTAKE_REPORT, RECEIPT]);
  }
  [found, wanted] = [evidence.trail.needed().head(), receipt.trailHead];
  if (found !== wanted) yield mismatch("receipt-trail-mismatch", "trail head", found, wanted, [HASH_TRAIL, RECEIPT]);
  yield* checkKitIds(evidence);
  yield* checkReportRecords(evidence, evidence.manifest.needed());
}

/** Step 6 of a disclosed record: the receipt's form, and the nonce that it binds. */
export function* checkReceiptAlone(evidence) {
  evidence.receipt.atHome();
  yield* checkNonceHash(evidence);
}

function* checkNonceHash(evidence) {
  const found = evidence.documentHash(CLIENT_NONCE), wanted = evidence.receipt.needed().nonceHash;
  if (found !== wanted) yield mismatch("receipt-nonce-mismatch", CLIENT_NONCE, found, wanted, [CLIENT_NONCE, RECEIPT]);
}

function* checkKitIds({ receipt, manifest, trail, report }) {
  const wanted = receipt.needed().kitId;
  const found = [
    [MANIFEST, manifest.needed().kitId],
    [HASH_TRAIL, trail.needed().kitId],
    [INTAKE_REPORT, report.needed().kitId],
  ];
  for (const [name, kitId] of found) {
    if (kitId !== wanted) {
      yield new VerificationError("kit-id-mismatch", `${name} is of ${kitId}, the receipt of ${wanted}`, [name]);
    }
  }
}

function* checkReportRecords(evidence, manifest) {
  const report = evidence.report.needed();
  const reported = report.records.map(({ path, size }) => [path, size]);
  const listed = manifest.records().map(({ path, size }) => [path, size]);
  const paths = new Set(listed.map(([path]) => path));
  const known = report.checks.every((check) => check.records.every((path) => paths.has(path)));
  if (!equalJson(reported, listed) || !known) {
    const message = "the report's records are not those of the manifest, in its order";
    yield new VerificationError("report-records-mismatch", message, [INTAKE_REPORT, MANIFEST]);
  }
}

/** Step 7: the receipt's key is an issuer key of the trust root, valid and not revoked at the time. */
export function* checkIssuerKey(evidence) {
  const receipt = evidence.receipt.needed();
  const key = evidence.anchors.keyring.key("issuer", receipt.issuerKid);
  if (!key) {
    const message = `key ${receipt.issuerKid} is not an issuer key of the trust root`;
    throw new VerificationError("issuer-key-unknown", message, [RECEIPT]);
  }
  const times = [receipt.issuedAt, evidence.registryReceipt.needed().checkpoint.timestamp];
  if (!key.isValidAt(receipt.issuedAt)) {
    const message = `the issuer key was not valid at ${formatTime(receipt.issuedAt)}`;
    yield new VerificationError("issuer-key-not-valid", message, [RECEIPT]);
  }
  if (times.some((time) => key.isRevokedAt(time))) {
    const message = `the issuer key was revoked at ${formatTime(key.revokedAt)}`;
    yield new VerificationError("issuer-key-revoked", message, [RECEIPT]);
  }
}

/** Step 8: the receipt's signature verifies under its issuer key. */
export async function* checkReceiptSignature(evidence) {
  const receipt = evidence.receipt.needed();
  const key = evidence.anchors.keyring.key("issuer", receipt.issuerKid);
  if (!key) throw new NotReachedError();
  if (!(await key.public.verifies(receipt.signature, receipt.signedBytes()))) {
    const message = "the receipt's signature is not its issuer key's";
    yield new VerificationError("receipt-signature-invalid", message, [RECEIPT]);
  }
}

/** Step 9: the leaf's hash is its payload's, and the payload says what the kit says. */
export function* checkLeaf(evidence) {
  const { leaf, leafHash } = evidence.registryReceipt.atHome().record;
  const found = leaf.hash();
  if (found !== leafHash) yield mismatch("leaf-hash-mismatch", "leaf hash", found, leafHash, [REGISTRY_RECEIPT]);
  const receipt = evidence.receipt.needed();
  const expected = {
    ...leaf.members, // outcome is a constant; kit_digest is for step 10
    client_nonce_hash: evidence.documentHash(CLIENT_NONCE),
    intake_policy_hash: receipt.intakePolicyHash,
    issued_at: formatTime(receipt.issuedAt),
    issuer_kid: receipt.issuerKid,
    lane_id: receipt.laneId,
    manifest_root: evidence.manifestRoot(),
    profile_id: receipt.profileId,
    statement_hash: evidence.documentHash(RECEIPT),
  };
  const differing = Object.keys(expected).filter((name) => expected[name] !== leaf.members[name]).sort();
  if (differing.length) {
    const message = `the leaf's ${differing.join(", ")} are not the kit's`;
    yield new VerificationError("leaf-mismatch", message, [REGISTRY_RECEIPT]);
  }
}

/** Step 10: the leaf's kit digest is that of the sealed kit. */
export async function* checkKitDigest(evidence) {
  if (evidence.kit.unexpected.length) throw new NotReachedError(); // of these no kit can be made; step 1 names them
  const found = await evidence.kit.sealedDigest(), wanted = evidence.registryReceipt.needed().record.leaf.kitDigest;
  if (found !== wanted) yield mismatch("kit-digest-mismatch", "sealed kit", found, wanted, [REGISTRY_RECEIPT]);
}

/** A hash that is not the one that another document names. */
function mismatch(reason, what, found, wanted, files) {
  return new VerificationError(reason, `${what}: found ${found}, wanted ${wanted}`, files);
}
