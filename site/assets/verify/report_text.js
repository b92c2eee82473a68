// How a report speaks: the sentence under the verdict, dates, what is proven and what is not. The words are the command's.
import { shown } from "./encoding.js";
import { ForeignTrustRootError } from "./errors.js";
import { COULD_NOT, DISCLOSED_RECORD, FAILED, KIT, NOT_CHECKED, REGISTRY_RECEIPT_ALONE, VERIFIED } from "./report.js";
import {
  DOES_NOT_PROVE, NONE_DEMANDED, PROVES, RECEIPT_DOES_NOT_PROVE, RECEIPT_PROVES, RECORD_DOES_NOT_PROVE, RECORD_PROVES,
} from "./words.js";

const PROVES_OF = { [KIT]: PROVES, [REGISTRY_RECEIPT_ALONE]: RECEIPT_PROVES, [DISCLOSED_RECORD]: RECORD_PROVES };
const DOES_NOT_PROVE_OF = {
  [KIT]: DOES_NOT_PROVE,
  [REGISTRY_RECEIPT_ALONE]: RECEIPT_DOES_NOT_PROVE,
  [DISCLOSED_RECORD]: RECORD_DOES_NOT_PROVE,
};

const MONTHS = [
  "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
  "December",
];

/** POSIX seconds for people: `20 November 2026, 14:03:07 UTC`. */
export function dateWords(seconds) {
  const when = new Date(seconds * 1000);
  const date = `${when.getUTCDate()} ${MONTHS[when.getUTCMonth()]} ${when.getUTCFullYear()}`;
  return `${date}, ${when.toISOString().slice(11, 19)} UTC`;
}

/** How long ago: `3 days ago`. */
export function ageWords(seconds) {
  if (seconds < 0) return "later than this machine's clock";
  for (const [name, length] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${name}${count > 1 ? "s" : ""} ago`;
  }
  return "less than a minute ago";
}

/** What the report proves: nothing unless the verdict is VERIFIED. */
export function proves({ verdict, kind }) {
  return verdict === VERIFIED ? PROVES_OF[kind] : [];
}

/** What no report of this kind proves, whatever its verdict. */
export function doesNotProve(kind) {
  return DOES_NOT_PROVE_OF[kind];
}

/** The one sentence under the verdict. `subject`: {path, registry}. */
export function sentence(report, { path, registry }) {
  const { kind, issued, verdict, failures, steps } = report;
  if (verdict === COULD_NOT) {
    const what = kind.replaceAll("-", " ");
    return `${path}: no verdict on this ${what}, since the check could not be completed.`;
  }
  if (failures.length && failures.every(({ reason }) => reason === "kit-withdrawn")) {
    const of = kind === KIT ? "" : "is of a kit that ";
    return `${path} ${of}was issued by AttestLayer, and withdrawn later. Do not rely on it.`;
  }
  if (report.first instanceof ForeignTrustRootError) { // before all that follows from it
    return `${path} and your trust root belong to different registries: ${report.first.message}. Do not rely on it.`;
  }
  if (!issued) {
    const failed = steps.filter(({ status }) => status === FAILED).length;
    return `We could not confirm that ${path} is what AttestLayer issued: ${failed} check${failed === 1 ? "" : "s"} failed. `
      + "Do not rely on it.";
  }
  const entry = `entry ${issued.leafIndex} of the public registry ${registry}`;
  const date = dateWords(issued.issuedAt);
  if (issued.record) {
    return `${path} shows one record of a kit that AttestLayer issued on ${date}, ${entry}: `
      + `${issued.record.path} is byte for byte the one in that kit. Nothing is said about the rest of the kit.`;
  }
  if (kind === KIT) return `Every file of the kit ${path} is byte for byte what AttestLayer issued on ${date}, ${entry}.`;
  const unknown = steps.at(-1).status === NOT_CHECKED
    ? " Whether that kit was withdrawn, and whether witnesses saw the entry, is not known here."
    : "";
  return `${path} is ${entry}, for a kit that AttestLayer issued on ${date}. `
    + `No kit was checked: this is about the entry only.${unknown}`;
}

/** What a trust root demands of witnesses. */
export function quorumWords(policy) {
  if (policy.quorum === "none") return `${NONE_DEMANDED}: the registry's key alone vouches for its checkpoints`;
  const count = policy.witnesses.size;
  return `quorum ${shown(policy.quorum)}, out of ${count} witness${count === 1 ? "" : "es"}`;
}
