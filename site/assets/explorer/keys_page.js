// Keys, the log's identity, and every notice in words.
import { parseTrust } from "../verify/trust.js";
import { formatTime } from "../verify/encoding.js";
import { showIdentity } from "./identity.js";
import { trouble } from "./lookup.js";
import { held, newest } from "./registry.js";
import { code, fill, link, make, readable, verdict } from "./show.js";
import { need } from "./source.js";

const time = (seconds) => (seconds === null ? "–" : readable(formatTime(seconds)));

function stateOf(key, now) {
  if (key.revokedAt !== null) return "revoked";
  if (key.validFrom > now) return "not valid yet";
  return key.isValidAt(now) ? "valid" : "retired";
}

function keyTable(trust) {
  const head = ["Role", "Key ID", "State", "Valid from", "Valid until", "Revoked at"];
  const rows = [...trust.keyring.keys.values()].map((key) => make("tr", {},
    make("td", {}, key.role), make("td", {}, code(key.public.kid)), make("td", {}, stateOf(key, trust.checkpoint.timestamp)),
    make("td", {}, time(key.validFrom)), make("td", {}, time(key.validUntil)), make("td", {}, time(key.revokedAt))));
  return make("div.scroll", { role: "region", "aria-label": "Table of keys", tabindex: "0" }, make("table.numbers", {},
    make("thead", {}, make("tr", {}, head.map((words) => make("th", { scope: "col" }, words)))), make("tbody", {}, rows)));
}

const WORDS = {
  "key.added": ({ role, jwk, valid_from }) => [`New ${role} key `, code(jwk.kid), `, valid from ${readable(valid_from)}.`],
  "key.retired": ({ kid, valid_until }) => ["Key ", code(kid), ` is retired: valid until ${readable(valid_until)}.`],
  "key.revoked": ({ kid, revoked_at, reason }) => ["Key ", code(kid), ` is revoked at ${readable(revoked_at)}: ${reason}.`],
  "witness.policy": ({ valid_from, policy }) => [`Witness policy, valid from ${readable(valid_from)}:`, make("pre", { tabindex: "0" }, code(policy))],
  "kit.withdrawn": ({ leaf_hash, reason }) => ["The kit of entry ", link(`/entry.html#${leaf_hash}`, code(leaf_hash)), ` is withdrawn: ${reason}.`],
  "kit.superseded": ({ leaf_hash, by }) => ["The kit of entry ", link(`/entry.html#${leaf_hash}`, code(leaf_hash)), " is superseded by ", link(`/entry.html#${by}`, code(by)), "."],
  incident: ({ kind, from_index, to_index, reason }) => [`Incident: ${kind}, entries ${from_index} to ${to_index}: ${reason}.`],
};

function noticeList(notices) {
  return make("dl.facts", {}, [...notices.notices].reverse().map(({ n, at, type, data }) => make("div", {},
    make("dt", {}, `${n} · ${readable(formatTime(at))}`), make("dd", {}, make("strong", {}, type), " ", ...WORDS[type](data)))));
}

async function run() {
  const trust = await newest();
  fill(document.querySelector("[data-keys]"), keyTable(trust));
  fill(document.querySelector("[data-notices]"), noticeList(trust.notices));
  const served = await held("trust.json", async () => parseTrust(await need("v1/trust.json", { fresh: true })));
  if (!trust.notices.startsWith(served.notices) || served.notices.notices.length !== trust.notices.notices.length) {
    fill(document.querySelector("[data-result]"), verdict("warn", "The trust root is being renewed", "It does not hold the newest notices yet."));
  }
}

showIdentity().catch(() => {});
run().catch((error) => fill(document.querySelector("[data-result]"), trouble(error)));
