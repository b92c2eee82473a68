// Verification of kits and registry receipts, in fifteen numbered steps, fail-closed (REG-1.0 section 12).
//
// What a report says follows from the bytes and the trust root. Nothing here reads a clock or a network.
import { VerificationError } from "./errors.js";
import { Anchors, Aside, Evidence, NotReachedError, anchorsOf } from "./evidence.js";
import * as recordSteps from "./steps_disclosure.js";
import * as kitSteps from "./steps_kit.js";
import * as registrySteps from "./steps_registry.js";
import { STEPS } from "./words.js";

export const PASSED = "passed";
export const FAILED = "failed";
export const NOT_REACHED = "not-reached";
export const NOT_CHECKED = "not-checked";

export const VERIFIED = "VERIFIED";
export const NOT_VERIFIED = "NOT VERIFIED";
export const COULD_NOT = "COULD NOT CHECK";

/** What a report can be about. */
export const KIT = "kit";
export const REGISTRY_RECEIPT_ALONE = "registry-receipt";
export const DISCLOSED_RECORD = "disclosed-record";

/** One step: its number 1 … 15, how it ended, its failures and notes. */
export class StepReport {
  constructor(number, status, failures = [], notes = []) {
    this.number = number;
    this.name = STEPS[number - 1];
    this.status = status;
    this.failures = failures;
    this.notes = notes;
  }
}

/** All steps, in order. `issued` only if the verdict is VERIFIED. */
export class Report {
  constructor(steps, issued) {
    this.steps = steps;
    this.issued = issued;
    this.failures = steps.flatMap((step) => step.failures);
    this.notes = steps.flatMap((step) => step.notes);
  }

  /** COULD NOT CHECK outranks failures; VERIFIED needs every step that applies to have passed. */
  get verdict() {
    if (this.failures.some((failure) => failure.couldNotCheck)) return COULD_NOT;
    return this.issued ? VERIFIED : NOT_VERIFIED;
  }
}

/** Check everything of a kit that can be checked, and report each step. */
export async function explain(kit, trust) {
  const evidence = new Evidence(kit, anchorsOf(trust));
  const steps = [];
  for (const checks of kitChecks(evidence)) steps.push(await runStep(steps.length + 1, checks));
  return new Report(steps, allPassed(steps) ? issuedOf(evidence) : null);
}

/** A disclosed record: every step that can be made with one record of a kit. */
export async function explainDisclosure(part, trust) {
  const evidence = new recordSteps.DisclosureEvidence(part, anchorsOf(trust));
  const steps = await runSome(recordChecks(evidence));
  return new Report(steps, allPassed(steps) ? issuedByRecord(evidence) : null);
}

/** Open a kit, or a disclosed record of one, and check it: {report, kind}. What can't be opened is reported, too. */
export async function explainInput(open, trust) {
  let kit;
  try {
    kit = await open();
  } catch (error) {
    if (error instanceof VerificationError) return { report: containerReport(error), kind: KIT };
    throw error;
  }
  if (kit.isDisclosure) return { report: await explainDisclosure(kit, trust), kind: DISCLOSED_RECORD };
  return { report: await explain(kit, trust), kind: KIT };
}

/** A registry receipt by itself: leaf hash and steps 11–15. The kit's own steps are not checked. */
export async function explainReceipt(receipt, trust) {
  return explainAlone(receipt, anchorsOf(trust));
}

/** A registry receipt with the registry's JWKS alone: steps 13 and 15 are not checked either. */
export async function explainReceiptByJwks(receipt, keyring) {
  return explainAlone(receipt, new Anchors(keyring, null));
}

/** The report of an input that could not be opened as a kit. */
export function containerReport(error) {
  return new Report(STEPS.map((_, at) => new StepReport(at + 1, at ? NOT_REACHED : FAILED, at ? [] : [error])), null);
}

/** The report of a registry receipt that could not be read: step 9 is its home. */
export function unreadReceipt(error) {
  const statusOf = (number) => (number < 9 || number === 10 ? NOT_CHECKED : NOT_REACHED);
  const steps = STEPS.map((_, at) => new StepReport(at + 1, statusOf(at + 1)));
  steps[8] = new StepReport(9, FAILED, [error]);
  return new Report(steps, null);
}

/** The checks of each step, 1 … 15; each gives what it finds, at once or in time. */
function kitChecks(evidence) {
  const kit = (check) => () => check(evidence);
  const registry = (check) => () => check(evidence.registryReceipt.needed(), evidence.anchors);
  return [
    [kit(kitSteps.checkContainer)],
    [kit(kitSteps.checkManifest)],
    [kit(kitSteps.checkFiles)],
    [kit(kitSteps.checkManifestRoot)],
    [kit(kitSteps.checkTrail)],
    [kit(kitSteps.checkReceipt)],
    [kit(kitSteps.checkIssuerKey)],
    [kit(kitSteps.checkReceiptSignature)],
    [kit(kitSteps.checkLeaf)],
    [kit(kitSteps.checkKitDigest)],
    [registry(registrySteps.checkAuditPath)],
    [registry(registrySteps.checkCheckpoint), kit(registrySteps.checkReceiptOrigin)],
    [registry(registrySteps.checkWitnesses)],
    [kit(registrySteps.checkNonceTime), registry(registrySteps.checkMergeTime)],
    [registry(registrySteps.checkNotices)],
  ];
}

/** The checks of a disclosed record by number; from the issuer key on those of a kit, but for step 10. */
function recordChecks(evidence) {
  const part = (check) => [() => check(evidence)];
  const checks = new Map(kitChecks(evidence).map((made, at) => [at + 1, made]));
  checks.delete(5);
  checks.delete(10);
  return checks
    .set(2, part(recordSteps.checkEntry))
    .set(3, part(recordSteps.checkRecord))
    .set(4, part(recordSteps.checkWay))
    .set(6, part(recordSteps.checkReceiptAlone));
}

async function explainAlone(receipt, anchors) {
  const alone = (check) => [() => check(receipt, anchors)];
  const checks = new Map([
    [9, alone(registrySteps.checkLeafHash)],
    [11, alone(registrySteps.checkAuditPath)],
    [12, alone(registrySteps.checkCheckpoint)],
    [14, alone(registrySteps.checkMergeTime)],
  ]);
  if (anchors.trust) {
    checks.set(13, alone(registrySteps.checkWitnesses)).set(15, alone(registrySteps.checkNotices));
  }
  const steps = await runSome(checks);
  return new Report(steps, allPassed(steps) ? issuedByReceipt(receipt) : null);
}

/** All steps, of which some are made. */
async function runSome(checks) {
  const steps = [];
  for (let number = 1; number <= STEPS.length; number++) {
    const made = checks.get(number);
    steps.push(made ? await runStep(number, made) : new StepReport(number, NOT_CHECKED));
  }
  return steps;
}

async function runStep(number, checks) {
  const failures = [], notes = [];
  let status = PASSED;
  for (const check of checks) {
    try {
      for await (const finding of check()) (finding instanceof Aside ? notes : failures).push(finding);
    } catch (error) {
      if (error instanceof NotReachedError) status = NOT_REACHED;
      else if (error instanceof VerificationError) failures.push(error);
      else throw error; // a fault of ours: no verdict
    }
  }
  return new StepReport(number, failures.length ? FAILED : status, failures, notes);
}

function allPassed(steps) {
  return steps.length === STEPS.length && steps.every(({ status }) => status === PASSED || status === NOT_CHECKED);
}

/** What a verified kit was shown to be. Times in POSIX seconds. */
function issuedOf(evidence) {
  const receipt = evidence.receipt.needed(), log = evidence.registryReceipt.needed();
  return {
    kitId: receipt.kitId,
    laneId: receipt.laneId,
    profileId: receipt.profileId,
    issuedAt: receipt.issuedAt,
    leafHash: log.record.leafHash,
    leafIndex: log.leafIndex,
    checkpointTime: log.checkpoint.timestamp,
    notBefore: evidence.notBefore(),
    files: evidence.manifest.needed().files.length,
    issuerKid: receipt.issuerKid,
    registryKid: log.checkpoint.kid,
    note: log.note,
    listed: listedFiles(evidence),
  };
}

/** The files of a verified kit with the names that their sender gave the records. */
function listedFiles(evidence) {
  const names = new Map(evidence.report.needed().records.map(({ path, name }) => [path, name]));
  return evidence.manifest.needed().files.map((file) => ({ ...file, sentAs: names.get(file.path) ?? null }));
}

/** What a verified disclosed record was shown to be. */
function issuedByRecord(evidence) {
  return {
    ...issuedByReceipt(evidence.registryReceipt.needed()),
    kitId: evidence.receipt.needed().kitId,
    notBefore: evidence.notBefore(),
    files: 1,
    record: evidence.disclosure.needed().file,
  };
}

/** What a verified registry receipt by itself was shown to be. */
function issuedByReceipt(log) {
  const { leaf, leafHash } = log.record;
  return {
    kitId: null,
    laneId: leaf.laneId,
    profileId: leaf.profileId,
    issuedAt: leaf.issuedAt,
    leafHash,
    leafIndex: log.leafIndex,
    checkpointTime: log.checkpoint.timestamp,
    notBefore: null,
    files: 0,
    issuerKid: leaf.members.issuer_kid,
    registryKid: log.checkpoint.kid,
    note: log.note,
    listed: [],
  };
}
