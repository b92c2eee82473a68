// Verification of kits and registry receipts, in fifteen numbered steps, fail-closed (REG-1.0 section 12).
//
// What a report says follows from the bytes and the trust root. Nothing here reads a clock or a network. `now`, in
// POSIX seconds, tells the age of the trust root, which is a remark and no part of a verdict.
import { formatTime } from "./encoding.js";
import { VerificationError } from "./errors.js";
import { Evidence, NotReachedError, anchorsOf } from "./evidence.js";
import {
  Aside, DISCLOSED_RECORD, FAILED, KIT, LATER_NOTICES, NOT_CHECKED, NOT_REACHED, PASSED, REGISTRY_RECEIPT_ALONE, Report,
  StepReport, Unproven,
} from "./report.js";
import { STEPS } from "./steps.js";

/** A kit: check everything that can be checked, and report each step. */
export async function explain(kit, trust, now = null) {
  return explainEvidence(new Evidence(KIT, anchorsOf(trust, now), { kit }));
}

/** A disclosed record: every step that can be made with one record of a kit. */
export async function explainDisclosure(part, trust, now = null) {
  return explainEvidence(new Evidence(DISCLOSED_RECORD, anchorsOf(trust, now), { kit: part }));
}

/** Open a kit, or a disclosed record of one, and check it. An input that can't be opened is reported, too. */
export async function explainInput(open, trust, now = null) {
  let kit;
  try {
    kit = await open();
  } catch (error) {
    if (error instanceof VerificationError) return reportUnopened(KIT, error);
    throw error;
  }
  return kit.isDisclosure ? explainDisclosure(kit, trust, now) : explain(kit, trust, now);
}

/** A registry receipt by itself: the steps that are about its entry. */
export async function explainReceipt(receipt, anchors) {
  return explainEvidence(new Evidence(REGISTRY_RECEIPT_ALONE, anchors, { alone: receipt }));
}

/** The report of an input or a trust root that could not be read: the first step that applies fails. */
export function reportUnopened(kind, error) {
  const home = STEPS.findIndex((step) => checksOf(step, kind).length);
  const steps = STEPS.map((step, at) => {
    if (at === home) return new StepReport(at + 1, step.name, FAILED, [error]);
    return new StepReport(at + 1, step.name, checksOf(step, kind).length ? NOT_REACHED : NOT_CHECKED);
  });
  return new Report(kind, steps, null);
}

function checksOf(step, kind) {
  return { [KIT]: step.kit, [DISCLOSED_RECORD]: step.record, [REGISTRY_RECEIPT_ALONE]: step.receipt }[kind];
}

async function explainEvidence(evidence) {
  const steps = [];
  for (const [at, step] of STEPS.entries()) {
    const checks = checksOf(step, evidence.kind);
    const isMade = checks.length && !(step.needsTrust && evidence.anchors.trust === null);
    const { status, failures, notes, unproven } = isMade ? await runChecks(checks, evidence) : { status: NOT_CHECKED };
    steps.push(new StepReport(at + 1, step.name, status, failures, notes, unproven));
  }
  const passed = steps.every(({ status }) => status === PASSED || status === NOT_CHECKED);
  const lacksNotices = evidence.lacksNotices();
  const report = new Report(evidence.kind, steps, passed ? issuanceOf(evidence) : null, lacksNotices);
  return lacksNotices ? outdated(report, evidence.anchors.checkpoint) : report;
}

/**
 * The report if nothing is wrong but what notices newer than the trust root may explain: no verdict.
 *
 * With any other failure the kit is not verified, whatever newer notices say (REG-1.0 section 12.5).
 */
function outdated(report, known) {
  if (!report.failures.every(({ reason }) => LATER_NOTICES.includes(reason))) return report;
  const why = `the trust root of ${formatTime(known.timestamp)} lacks notices that the kit's checkpoint commits to`;
  const steps = report.steps.map(({ number, name, status, failures, notes, unproven }) => {
    const told = failures.map(({ message, files }) => new VerificationError("trust-root-outdated", `${message}; ${why}`, files));
    return new StepReport(number, name, status, told, notes, unproven);
  });
  return new Report(report.kind, steps, report.issued, report.lacksNotices);
}

/** One step: all of its checks, whatever the one before came to (REG-1.0 section 12.3). */
async function runChecks(checks, evidence) {
  const failures = [], notes = [];
  let status = PASSED, unproven = null;
  for (const check of checks) {
    try {
      for await (const observation of check(evidence)) {
        if (observation instanceof Unproven) unproven = observation.message;
        else (observation instanceof Aside ? notes : failures).push(observation);
      }
    } catch (error) {
      if (error instanceof NotReachedError) status = NOT_REACHED;
      else if (error instanceof VerificationError) failures.push(error);
      else throw error; // a fault of ours: no verdict
    }
  }
  if (failures.length) status = FAILED;
  return { status, failures, notes, unproven: status === PASSED ? unproven : null };
}

/** What evidence that passed shows. Times in POSIX seconds. Step 9 held the leaf's values against the receipt's. */
function issuanceOf(evidence) {
  const log = evidence.registryReceipt.needed(), { leaf, leafHash } = log.record;
  const alone = evidence.kind === REGISTRY_RECEIPT_ALONE;
  return {
    kitId: alone ? null : evidence.receipt.needed().kitId,
    laneId: leaf.laneId,
    profileId: leaf.profileId,
    issuedAt: leaf.issuedAt,
    leafHash,
    leafIndex: log.leafIndex,
    checkpointTime: log.checkpoint.timestamp,
    notBefore: alone ? null : evidence.notBefore(),
    files: alone ? 0 : evidence.listedFiles().length,
    ...(evidence.kind === DISCLOSED_RECORD && { record: evidence.disclosure.needed().file }),
    issuerKid: leaf.members.issuer_kid,
    registryKid: log.checkpoint.kid,
    note: log.note,
    listed: evidence.kind === KIT ? namedFiles(evidence) : [],
  };
}

/** The files of a verified kit with the names that their sender gave the records. */
function namedFiles(evidence) {
  const names = new Map(evidence.report.needed().records.map(({ path, name }) => [path, name]));
  return evidence.listedFiles().map((file) => ({ ...file, sentAs: names.get(file.path) ?? null }));
}
