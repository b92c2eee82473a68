// What the JavaScript verifier makes of a test vector, in node and in browsers.
//
// {word}; of a registry receipt {word, report}; of a kit {word, report, sentence, step, files, remarks}. Folders are
// given by their content.
import { CORE, bytesSource } from "./core.mjs";

const { parseBase64, parseBase64url, encodeText, decodeText } = CORE.encoding;
const b64 = (text) => (text ? parseBase64(text) : new Uint8Array(0));

const PARSERS = {
  manifest: CORE.manifest.parseManifest,
  "hash-trail": CORE.intake.parseTrail,
  "intake-report": CORE.intake.parseReport,
  receipt: CORE.receipt.parseReceipt,
  "registry-receipt": CORE.leaf.parseRegistryReceipt,
  checkpoint: CORE.checkpoint.parseCheckpoint,
  notices: CORE.notices.parseNotices,
  trust: CORE.trust.parseTrust,
  "leaf-record": CORE.leaf.parseRecord,
  "log-entry": CORE.leaf.parseEntry,
  nonce: CORE.receipt.parseNonce,
  note: (data) => CORE.note.parseNote(decodeText(data)),
};

const firstOf = (report) => report.first?.reason ?? "accepted";

/** A report as vectors hold it. */
const told = ({ verdict, steps }) => ({
  verdict,
  steps: steps.map(({ status, unproven, failures, notes }) => ({
    status,
    unproven: unproven !== null,
    failures: failures.map(({ reason, files }) => ({ reason, files: [...files] })), // Firefox hands none over twice
    remarks: notes.map(({ remark }) => remark),
  })),
});

const RUNNERS = {
  async container(given) {
    const kit = await CORE.zip_reader.readZip(bytesSource(b64(given.data)));
    const hashes = Object.entries(given.members ?? {}).sort().join();
    const same = [...kit.members.values()].map(({ name, sha256 }) => [name, sha256]).sort().join() === hashes;
    return same && !kit.unexpected.length ? "accepted" : "file-hash-mismatch";
  },
  inclusion(given) {
    CORE.merkle.checkInclusion(given.leaf_hash, given.index, { size: given.size, root: given.root }, given.path);
  },
  consistency(given) {
    const old = { size: given.old_size, root: given.old_root }, head = { size: given.new_size, root: given.new_root };
    CORE.merkle.checkConsistency(old, head, given.path);
  },
  async signature(given) {
    const key = new CORE.keys.PublicKey(parseBase64url(given.public, 32));
    const holds = await key.verifies(parseBase64url(given.signature, 64), b64(given.message));
    return holds ? "accepted" : "receipt-signature-invalid";
  },
  "public-key"(given) {
    try {
      new CORE.keys.PublicKey(parseBase64url(given.public, 32));
    } catch (error) {
      if (error instanceof CORE.errors.ValueError) return "trust-root-unusable";
      throw error;
    }
    return "accepted";
  },
};

async function receiptReport(given) {
  const { VerificationError, ValueError } = CORE.errors;
  const read = () => CORE.leaf.parseRegistryReceipt(b64(given.data));
  try {
    if (given.kind === "receipt-by-trust") {
      const trust = await CORE.trust.parseTrust(encodeText(given.trust));
      return await CORE.verifier.explainReceipt(read(), CORE.evidence.anchorsOf(trust));
    }
    const keyring = CORE.trust.parseJwks(encodeText(given.jwks), "registry", given.origin);
    return await CORE.verifier.explainReceipt(read(), new CORE.evidence.Anchors(keyring, null));
  } catch (error) {
    const unread = (reported) => CORE.verifier.reportUnopened(CORE.report.REGISTRY_RECEIPT_ALONE, reported);
    if (error instanceof VerificationError) return unread(error);
    if (error instanceof ValueError) return unread(new VerificationError("trust-root-unusable", ""));
    throw error;
  }
}

async function run(given) {
  try {
    const runner = RUNNERS[given.kind];
    if (runner) return (await runner(given)) ?? "accepted";
    await PARSERS[given.kind](b64(given.data));
    return "accepted";
  } catch (error) {
    if (error instanceof CORE.errors.VerificationError) return error.reason;
    throw error;
  }
}

/** A kit of a vector: its ZIP, or the content of its folder. */
async function openKit(given) {
  if ("zip" in given) return CORE.zip_reader.readZip(bytesSource(b64(given.zip)));
  const files = Object.entries(given.folder).map(([name, data]) => ({ name, source: bytesSource(b64(data)) }));
  return CORE.files.readFolder(files);
}

async function judge(given) {
  let trust;
  try {
    trust = await CORE.trust.parseTrust(encodeText(given.trust));
  } catch (error) {
    if (error instanceof CORE.errors.VerificationError) {
      return { word: error.reason, report: told(CORE.verifier.reportUnopened(CORE.report.KIT, error)) };
    }
    throw error;
  }
  const report = await CORE.verifier.explainInput(() => openKit(given), trust, "now" in given ? CORE.encoding.parseTime(given.now) : null);
  const failed = report.steps.find((step) => step.failures.includes(report.first));
  return {
    word: firstOf(report),
    report: told(report),
    sentence: CORE.report_text.sentence(report, { path: "KIT", registry: trust.origin }),
    step: failed?.number ?? null,
    files: report.first?.files ?? [],
    remarks: report.notes.map((note) => note.remark).sort(),
  };
}

/** The answer to one vector's input. */
export async function judgeVector(input) {
  if (["kit", "disclosed-record"].includes(input.kind)) return judge(input);
  if (!input.kind.startsWith("receipt-by-")) return { word: await run(input) };
  const report = await receiptReport(input);
  return { word: firstOf(report), report: told(report) };
}
