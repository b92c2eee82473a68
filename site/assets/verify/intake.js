// A packet's way to a kit: the intake report and the hash trail (REG-1.0 sections 6.4 and 7).
import {
  checkSchema, formatJson, isObject, parseJson, takeArray, takeDocument, takeHash, takeInteger, takeObject,
  takeOptional, takeString, takeTime, takeValue, takeWord,
} from "./canonical.js";
import { parseHash, parseKitId, parseLaneId, parseProfileId, shown } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { HASH_TRAIL, INTAKE_REPORT } from "./manifest.js";
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
  intakePolicyHash() {
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
  takeWord(members, "result", CHECK_RESULTS);
  takeString(members, "found");
  return { rule: members.rule, records, result: members.result, found: members.found };
}

/** The kinds of events, in the order in which they happen, and the members of their data. */
const DATA = {
  "packet.opened": {},
  "record.submitted": { sha256: takeHash, size: takeInteger },
  "intake.evaluated": { intake_policy_hash: takeHash, report_sha256: takeHash },
  "record.accepted": { sha256: takeHash, size: takeInteger, path: takeString },
  "binder.rendered": { sha256: takeHash },
  "manifest.sealed": { manifest_sha256: takeHash, manifest_root: takeHash },
};

/** A hash trail with at least one event: {n, at, type, data, prev, hash} each. */
export class Trail {
  constructor(kitId, events) {
    this.kitId = kitId;
    this.events = events;
  }

  /** The hash of the last event. */
  head() {
    return this.events.at(-1).hash;
  }
}

/** A hash trail, chain unchecked. Raises `VerificationError` (trail-malformed, schema-newer). */
export function parseTrail(data) {
  return malformed("trail-malformed", HASH_TRAIL, () => {
    const members = takeDocument(parseJson(data), "hash-trail", ["kit_id", "events"]);
    const events = takeArray(members, "events").map(takeEvent);
    if (!events.length) throw new ValueError("events: there is none");
    return new Trail(takeValue(members, "kit_id", parseKitId), events);
  });
}

function takeEvent(value) {
  const members = takeObject(value, ["n", "at", "type", "data", "prev"]);
  const type = takeWord(members, "type", Object.keys(DATA));
  const data = takeObject(members.data, Object.keys(DATA[type]));
  for (const [name, take] of Object.entries(DATA[type])) take(data, name);
  return {
    n: takeInteger(members, "n"),
    at: takeTime(members, "at"),
    type,
    data,
    prev: takeOptional(members, "prev", parseHash),
    hash: sha256(formatJson(members)), // SHA-256 of the event's canonical bytes
  };
}
