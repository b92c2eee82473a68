// The intake report, `intake_report.json`: the policy, the records and the checks (REG-1.0 section 6).
import {
  checkSchema, formatJson, isObject, parseJson, takeArray, takeDocument, takeInteger, takeObject, takeString, takeValue,
  takeWord,
} from "./canonical.js";
import { parseKitId, parseLaneId, parseProfileId, shown } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { INTAKE_REPORT } from "./manifest.js";
import { sha256 } from "./sha256.js";
import { CHECK_RESULTS } from "./words.js";

/** An intake report. `policy` is the whole policy document as JSON. */
export class IntakeReport {
  constructor(kitId, policy, records, checks) {
    this.kitId = kitId;
    this.policy = policy;
    this.records = records;
    this.checks = checks;
  }

  /** `intake_policy_hash`: SHA-256 of the policy's canonical bytes. */
  policyHash() {
    return sha256(formatJson(this.policy));
  }
}

/** An intake report; of the policy only schema, lane and profile are read. Raises `VerificationError`. */
export function parseReport(data) {
  return malformed("report-malformed", INTAKE_REPORT, () => {
    const members = takeDocument(parseJson(data), "intake-report", ["kit_id", "policy", "records", "checks"]);
    return new IntakeReport(
      takeValue(members, "kit_id", parseKitId),
      takePolicy(members.policy),
      takeArray(members, "records").map(takeReported),
      takeArray(members, "checks").map(takeCheck),
    );
  });
}

function takePolicy(value) {
  checkSchema(value, "intake-policy");
  if (!Object.hasOwn(value, "lane_id") || !Object.hasOwn(value, "profile_id")) {
    throw new ValueError("policy: names no lane or no profile");
  }
  takeValue(value, "lane_id", parseLaneId);
  takeValue(value, "profile_id", parseProfileId);
  return value;
}

function takeReported(value) {
  const members = takeObject(value, ["path", "name", "record_type", "media_type", "size", "metadata"]);
  if (!isObject(members.metadata)) {
    throw new ValueError(`metadata: found ${shown(members.metadata)}, wanted an object`);
  }
  for (const name of ["path", "name", "record_type", "media_type"]) takeString(members, name);
  takeInteger(members, "size");
  for (const name of Object.keys(members.metadata)) takeString(members.metadata, name);
  return { path: members.path, name: members.name, size: members.size };
}

function takeCheck(value) {
  const members = takeObject(value, ["rule", "records", "result", "found"]);
  const records = takeArray(members, "records");
  if (!records.every((path) => typeof path === "string")) throw new ValueError("checks: a record's path is no string");
  takeString(members, "rule");
  takeWord(members, "result", CHECK_RESULTS, "CheckResult");
  takeString(members, "found");
  return { rule: members.rule, records, result: members.result, found: members.found };
}
