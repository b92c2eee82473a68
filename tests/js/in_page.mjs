// The verifier's modules in a page, for many kits at once: what verify.mjs does with files, with bytes.
import { CORE, bytesSource } from "./core.mjs";

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

const now = () => Math.floor(Date.now() / 1000);

/** The reports of `{path, zip | folder, trust}` each: base64, and a trust root's text. */
export async function reportMany(inputs) {
  const reports = [];
  for (const input of inputs) reports.push(JSON.parse(await reportOne(input)));
  return reports;
}

async function reportOne({ path, zip, folder, trust: text, trust_path: trustPath }) {
  const open = () => {
    if (zip !== undefined) return CORE.kit.readZip(new CORE.files.BlobSource(new Blob([bytesOf(zip)]), path));
    const files = Object.entries(folder).map(([name, data]) => ({ name, source: bytesSource(bytesOf(data)) }));
    return CORE.files.readFolder(files);
  };
  let trust = null, report;
  try {
    trust = await parseTrust(text, trustPath);
    report = await CORE.verifier.explainInput(open, trust, now());
  } catch (error) {
    if (!(error instanceof CORE.errors.VerificationError)) throw error;
    report = CORE.verifier.reportUnopened(CORE.report.KIT, error);
  }
  const members = trust && CORE.report_json.trustMembers(trust);
  return CORE.report_json.formatReportJson(report, { path }, members);
}

/** A trust root; what is wrong with it names its file, as the command does. */
async function parseTrust(text, path) {
  try {
    return await CORE.trust.parseTrust(CORE.encoding.encodeText(text));
  } catch (error) {
    if (error instanceof CORE.errors.VerificationError) error.message = `${path}: ${error.message}`;
    throw error;
  }
}
