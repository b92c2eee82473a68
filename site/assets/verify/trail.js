// The hash trail: what happened to a packet, each event bound to the one before (REG-1.0 section 7).
import {
  formatJson, parseJson, takeArray, takeDocument, takeHash, takeInteger, takeObject, takeOptional, takeString,
  takeTime, takeValue, takeWord,
} from "./canonical.js";
import { parseHash, parseKitId } from "./encoding.js";
import { ValueError, malformed } from "./errors.js";
import { HASH_TRAIL } from "./manifest.js";
import { sha256 } from "./sha256.js";

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
  const type = takeWord(members, "type", Object.keys(DATA), "EventType");
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
