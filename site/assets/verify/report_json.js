// The verification report as one JSON document, `attestlayer/verification-report/1`, as the command writes it.
import { formatTime } from "./encoding.js";
import { COULD_NOT, NOT_VERIFIED, VERIFIED } from "./report.js";
import { doesNotProve, proves } from "./report_text.js";
import { ADVICE, BOUNDARY, REPORT_SCHEMA } from "./words.js";

export const EXIT_CODES = { [VERIFIED]: 0, [NOT_VERIFIED]: 3, [COULD_NOT]: 2 };

/** The document, indented, ASCII, one newline at the end. `subject`: {path}; `trust`: members or null. */
export function formatReportJson(report, subject, trust) {
  const text = JSON.stringify(
    {
      schema: REPORT_SCHEMA,
      verdict: report.verdict,
      exit_code: EXIT_CODES[report.verdict],
      input: report.kind,
      kit: wellFormed(subject.path),
      trust,
      registry: null, // nothing here asks one
      steps: report.steps.map(stepMembers),
      issued: report.issued && issuedMembers(report.issued),
      proves: proves(report),
      does_not_prove: doesNotProve(report.kind),
      boundary: BOUNDARY,
    },
    null,
    2,
  );
  return `${text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

/** A trust root as the report names it. */
export function trustMembers(trust) {
  return {
    origin: trust.origin,
    verifier_key: trust.identity().format(),
    kid: trust.checkpoint.kid,
    checkpoint_time: formatTime(trust.checkpoint.timestamp),
  };
}

/** What stands for a trust root where a JWKS alone was given. */
export function jwksMembers(origin) {
  return { origin, verifier_key: null, kid: null, checkpoint_time: null };
}

function stepMembers({ number, name, status, unproven, failures, notes }) {
  return {
    number,
    name,
    status,
    unproven,
    failures: failures.map(({ reason, message, files }) => (
      { reason, message: wellFormed(message), files: files.map(wellFormed), advice: ADVICE[reason] }
    )),
    notes: notes.map(({ remark, message, files }) => (
      { remark, message: wellFormed(message), files: files.map(wellFormed) }
    )),
  };
}

function issuedMembers(issued) {
  const { record } = issued;
  return {
    kit_id: issued.kitId,
    lane_id: issued.laneId,
    profile_id: issued.profileId,
    issued_at: formatTime(issued.issuedAt),
    not_before: issued.notBefore === null ? null : formatTime(issued.notBefore),
    not_after: formatTime(issued.checkpointTime),
    leaf_hash: issued.leafHash,
    leaf_index: issued.leafIndex,
    files: issued.files,
    ...(record && { record: { path: record.path, sha256: record.sha256, size: record.size } }),
  };
}

/** Text without lone surrogates, which many JSON readers refuse: an odd byte of a name as `\udcff`. */
function wellFormed(text) {
  return text.replace(/[\ud800-\udfff]/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}
