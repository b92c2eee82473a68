// The chain of checkpoints: one of them with its checks and neighbours, and the newest ones as a list.
import { formatTime } from "../verify/encoding.js";
import { parseHeld } from "./identify.js";
import { answer, trouble } from "./lookup.js";
import { before, checkGrowth, checkSignature, checkpointAt, checkpointNumber, newest } from "./registry.js";
import { checklist, code, count, facts, fill, link, make, readable, verdict } from "./show.js";

const LISTED = 20;
const place = document.querySelector("[data-result]");

const address = (checkpoint) => `#${checkpoint.hash()}`;
const timeOf = (checkpoint) => readable(formatTime(checkpoint.timestamp));

/** One checkpoint, by hash or number, as elements to show. */
async function view(named) {
  const trust = await newest();
  const wanted = named.trim();
  const byNumber = /^[0-9]{1,15}$/.test(wanted), hash = parseHeld(wanted);
  if (!byNumber && hash === null) return verdict("warn", "Neither a number nor a hash", "A checkpoint has a number from 0 on, and a hash of 43 characters of base64url.");
  const checkpoint = byNumber ? await checkpointNumber(Number(wanted), trust.checkpoint) : await checkpointAt(hash);
  if (checkpoint === null) return verdict("warn", "Not found", `The newest checkpoint is number ${count(trust.checkpoint.sequence)}.`);
  const [previous, following] = await Promise.all([
    before(checkpoint), checkpointNumber(checkpoint.sequence + 1, trust.checkpoint),
  ]);
  const checks = await checksOf(checkpoint, previous, following, trust);
  const holds = !checks.some(({ tone }) => tone === "bad");
  const title = holds ? `Checkpoint ${count(checkpoint.sequence)}` : "The proof failed";
  return [
    verdict(holds ? "good" : "bad", title, holds ? `${timeOf(checkpoint)}, ${count(checkpoint.head.size)} entries.` : "This checkpoint does not hold together with what the registry serves beside it. Report it to security@attestlayer.com."),
    make("ul.walk", {},
      previous ? make("li", {}, link(address(previous), `← ${count(previous.sequence)}`)) : null,
      following ? make("li", {}, link(address(following), `${count(following.sequence)} →`)) : null,
      make("li", {}, link(address(trust.checkpoint), "newest")), make("li", {}, link("#0", "first"))),
    checklist(checks),
    holds ? factsOf(checkpoint, previous) : null,
  ];
}

async function checksOf(checkpoint, previous, following, trust) {
  const checks = [{ tone: "good", words: "Its bytes hash to its name", detail: checkpoint.hash() }];
  checks.push(await checkSignature(checkpoint, trust.keyring));
  const chained = (words, holds, detail) => checks.push({ tone: holds ? "good" : "bad", words, detail });
  if (previous) {
    chained("It names the one before, which is older and no larger", previous.head.size <= checkpoint.head.size, checkpoint.previous);
    checks.push(await checkGrowth(previous, checkpoint, "Its tree extends the one before"));
  } else {
    chained("It is the first one: the empty tree", checkpoint.sequence === 0, "nothing is before it");
  }
  if (following) chained("The next one names it", following.previous === checkpoint.hash(), following.hash());
  checks.push(await checkGrowth(checkpoint, trust.checkpoint, "The newest tree extends its tree"));
  return checks;
}

function factsOf(checkpoint, previous) {
  const { members } = checkpoint;
  return facts([
    ["Number", count(checkpoint.sequence)],
    ["Time", timeOf(checkpoint), previous ? `, ${checkpoint.timestamp - previous.timestamp} s after the one before` : ""],
    ["Entries", count(checkpoint.head.size), previous ? `, ${count(checkpoint.head.size - previous.head.size)} new` : ""],
    ["Root hash", code(members.root_hash)],
    ["Hash", code(checkpoint.hash())],
    ["The one before", members.prev_checkpoint_hash ? link(`#${members.prev_checkpoint_hash}`, code(members.prev_checkpoint_hash)) : "none"],
    ["Notices", link(`/v1/notices/${members.notices_hash}.json`, code(members.notices_hash))],
    ["Signed by", link("/keys.html", code(members.kid))],
    ["Signature", code(members.signature)],
    ["As a file", link(`/v1/checkpoints/${checkpoint.hash()}.json`, "checkpoint")],
  ]);
}

/** The newest ones, as rows. */
async function list() {
  const table = document.querySelector("[data-recent-table]"), rows = [];
  let current = (await newest()).checkpoint;
  for (let number = 0; current && number < LISTED; number += 1) {
    const previous = await before(current);
    rows.push(make("tr", {},
      make("td.n", {}, link(address(current), count(current.sequence))), make("td", {}, timeOf(current)),
      make("td.n", {}, previous ? `${current.timestamp - previous.timestamp} s` : "–"), make("td.n", {}, count(current.head.size)),
      make("td", {}, code(current.hash()))));
    current = previous;
  }
  const head = [["n", "Number"], ["", "Time"], ["n", "After"], ["n", "Entries"], ["", "Hash"]];
  fill(table, make("thead", {}, make("tr", {}, head.map(([kind, words]) => make(kind ? `th.${kind}` : "th", { scope: "col" }, words)))),
    make("tbody", {}, rows));
  document.querySelector("[data-recent]").hidden = false;
}

function go() {
  const named = decodeURIComponent(location.hash.slice(1));
  if (named) answer(place, () => view(named));
  else place.replaceChildren();
}

document.querySelector("[data-goto]").addEventListener("submit", (event) => {
  event.preventDefault();
  location.hash = document.querySelector("#sequence").value.trim();
});
addEventListener("hashchange", go);
go();
list().catch((error) => {
  if (!location.hash) fill(place, trouble(error));
});
