#!/usr/bin/env node
// The browser verifier's core behind the command line that every verifier answers: KIT TRUST → a JSON report.
//
// node verify.mjs KIT TRUST         the report on stdout, exit code 0, 3 or 2
// node verify.mjs --many < LINES    a line {kit, trust, alone} in, the report as one line out; alone: a registry receipt
import { createInterface } from "node:readline";
import * as fs from "node:fs";
import { CORE } from "./core.mjs";

const { VerificationError } = CORE.errors;
const STRERROR = {
  ENOENT: "No such file or directory", EACCES: "Permission denied", ENOTDIR: "Not a directory", ELOOP: "Too many levels of symbolic links",
};

const now = () => Math.floor(Date.now() / 1000);

/** What the file system says went wrong, as the Python command words it. */
function unreadable(reason, path, error) {
  if (!error.code) throw error;
  return new VerificationError(reason, `${path}: ${STRERROR[error.code] ?? error.message}`);
}

function fileSource(path) {
  return {
    size: fs.statSync(path).size,
    async read(start, end) {
      const file = fs.openSync(path);
      try {
        const data = new Uint8Array(end - start);
        return data.subarray(0, fs.readSync(file, data, 0, data.length, start));
      } finally {
        fs.closeSync(file);
      }
    },
  };
}

/** Files of a folder; a link is a failure, as it is for the Python command: of several the first by name. */
function walk(root) {
  const files = [], strange = [], folders = [""];
  while (folders.length) {
    const prefix = folders.pop();
    for (const entry of fs.readdirSync(`${root}/${prefix}`, { withFileTypes: true })) {
      const name = prefix + entry.name;
      if (entry.isDirectory()) folders.push(`${name}/`);
      else if (entry.isFile()) files.push({ name, source: fileSource(`${root}/${name}`) });
      else strange.push(name);
    }
  }
  if (strange.length) {
    const [name] = strange.sort(CORE.encoding.compareText);
    throw new VerificationError("container-link", `${CORE.encoding.shown(name)} is a link or a device, not a file`, [name]);
  }
  return files;
}

async function openKit(path) {
  try {
    return fs.statSync(path).isDirectory()
      ? await CORE.files.readFolder(walk(path))
      : await CORE.zip_reader.readZip(fileSource(path));
  } catch (error) {
    if (error instanceof VerificationError) throw error;
    throw unreadable("input-unreadable", path, error);
  }
}

async function readTrust(path) {
  let data;
  try {
    data = new Uint8Array(fs.readFileSync(path));
  } catch (error) {
    throw unreadable("trust-root-unusable", path, error);
  }
  try {
    return await CORE.trust.parseTrust(data);
  } catch (error) {
    if (error instanceof VerificationError) error.message = `${path}: ${error.message}`;
    throw error;
  }
}

function readReceipt(path) {
  try {
    return CORE.leaf.parseRegistryReceipt(new Uint8Array(fs.readFileSync(path)));
  } catch (error) {
    if (error instanceof VerificationError) throw error;
    throw unreadable("input-unreadable", path, error);
  }
}

async function verify(path, trustPath, alone = false) {
  let trust = null, report;
  try {
    trust = await readTrust(trustPath);
    report = alone
      ? await CORE.verifier.explainReceipt(readReceipt(path), CORE.evidence.anchorsOf(trust, now()))
      : await CORE.verifier.explainInput(() => openKit(path), trust, now());
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    report = CORE.verifier.reportUnopened(alone ? CORE.report.REGISTRY_RECEIPT_ALONE : CORE.report.KIT, error);
  }
  const members = trust && CORE.report_json.trustMembers(trust);
  return CORE.report_json.formatReportJson(report, { path }, members);
}

const [first, second, ...more] = process.argv.slice(2);
if (first === "--many") {
  for await (const line of createInterface({ input: process.stdin })) {
    const { kit, trust, alone } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(JSON.parse(await verify(kit, trust, alone)))}\n`);
  }
} else if (!second || more.length) {
  process.stderr.write("usage: verify.mjs KIT TRUST | verify.mjs --many\n");
  process.exitCode = 64;
} else {
  const text = await verify(first, second);
  process.stdout.write(text);
  process.exitCode = JSON.parse(text).exit_code;
}
