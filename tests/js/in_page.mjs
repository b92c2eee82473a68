// The verifier's modules in a page, for many kits at once: what verify.mjs does with files, with bytes.
import { CORE, bytesSource } from "./core.mjs";

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const now = () => Math.floor(Date.now() / 1000);

/** The reports of `{path, zip | folder | alone, trust}` each, in base64; alone: a registry receipt. */
export async function reportMany(inputs) {
  const reports = [];
  for (const input of inputs) reports.push(JSON.parse(await reportOne(input)));
  return reports;
}

async function reportOne({ path, zip, folder, alone, trust: text, trust_path: trustPath }) {
  const open = () => {
    if (zip !== undefined) return CORE.zip_reader.readZip(new CORE.files.BlobSource(new Blob([bytesOf(zip)]), path));
    const files = Object.entries(folder).map(([name, data]) => ({ name, source: bytesSource(bytesOf(data)) }));
    return CORE.files.readFolder(files);
  };
  let trust = null, report;
  try {
    trust = await parseTrust(text, trustPath);
    report = alone === undefined
      ? await CORE.verifier.explainInput(open, trust, now())
      : await CORE.verifier.explainReceipt(CORE.leaf.parseRegistryReceipt(bytesOf(alone)), CORE.evidence.anchorsOf(trust, now()));
  } catch (error) {
    if (!(error instanceof CORE.errors.VerificationError)) throw error;
    const kind = alone === undefined ? CORE.report.KIT : CORE.report.REGISTRY_RECEIPT_ALONE;
    report = CORE.verifier.reportUnopened(kind, error);
  }
  const members = trust && CORE.report_json.trustMembers(trust);
  return CORE.report_json.formatReportJson(report, { path }, members);
}

/** A trust root; what is wrong with it names its file, as the command does. */
async function parseTrust(text, path) {
  try {
    return await CORE.trust.parseTrust(bytesOf(text));
  } catch (error) {
    if (error instanceof CORE.errors.VerificationError) error.message = `${path}: ${error.message}`;
    throw error;
  }
}
