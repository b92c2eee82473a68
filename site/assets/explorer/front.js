// The front page: the live state of the log, its plots, and the look-up.
import { formatTime } from "../verify/encoding.js";
import { parseNote, signaturesBy } from "../verify/note.js";
import { showIdentity } from "./identity.js";
import { attach } from "./lookup.js";
import { gapPlot, growthPlot } from "./plot.js";
import { BUNDLED, LieError, before, bundle, newest } from "./registry.js";
import { count, duration, fill, link, readable } from "./show.js";
import { UnreachableError, need } from "./source.js";

const INTERVAL_MS = 10_000;
const NEWEST_BUNDLES = 2; // each has some 130 KB, half of it compressed
const PAST_BUNDLES = 3;
const WALKED = 60; // checkpoints that are in no bundle yet, one request each
const GAPS = 600;

const put = (name, ...children) => fill(document.querySelector(`[data-stat="${name}"]`), ...children);

let stats = null;

/** The state out of /v1/stats and the newest note. */
async function refresh() {
  const live = document.querySelector("[data-live]");
  try {
    stats = JSON.parse(new TextDecoder().decode(await need("v1/stats", { fresh: true })));
    const note = parseNote(new TextDecoder().decode(await need("checkpoint", { fresh: true })));
    showStats();
    await showWitnesses(note);
    fill(live);
  } catch (error) {
    if (!(error instanceof UnreachableError) && !(error instanceof LieError)) throw error;
    fill(live, `The state could not be renewed: ${error.message}.`);
  }
}

function showStats() {
  const cadence = stats.cadence_seconds, gap = stats.longest_gap_seconds_24h, delay = stats.worst_merge_delay_seconds_24h;
  put("tree_size", count(stats.tree_size));
  put("checkpoint", "number ", link(`/checkpoints.html#${stats.checkpoint_hash}`, count(stats.checkpoint_sequence)), `, ${readable(stats.checkpoint_timestamp)}`);
  put("gap", gap === null ? "" : gap > cadence ? `last 24 h: the longest gap was ${duration(gap)}` : "last 24 h: kept every time");
  put("delay", delay === null ? "last 24 h: no new entry" : `last 24 h: the slowest took ${duration(delay)}`);
  showAge();
}

function showAge() {
  if (!stats) return;
  const age = Date.now() / 1000 - Date.parse(stats.checkpoint_timestamp) / 1000;
  const place = document.querySelector('[data-stat="age"]');
  fill(place, `${duration(age)} ago`);
  place.classList.toggle("late", age > 3 * stats.cadence_seconds + 10);
}

async function showWitnesses(note) {
  const { keyring, checkpoint } = await newest();
  const { witnesses, quorum } = keyring.witnessPolicyAt(checkpoint.timestamp);
  const lines = [...witnesses.values()].filter((key) => signaturesBy(note, key).length > 0).length;
  put("witnesses", witnesses.size ? `${lines} of ${witnesses.size}` : "none");
  put("quorum", witnesses.size ? `quorum: ${quorum}` : "the operator alone signs");
}

/** Checkpoints, oldest first: some bundles out of the log's past, the newest ones, and what follows them. */
async function sample() {
  const last = (await newest()).checkpoint, full = Math.floor((last.sequence + 1) / BUNDLED);
  const tail = [];
  for (let at = last; at && at.sequence >= full * BUNDLED && tail.length < WALKED; at = await before(at)) tail.unshift(at);
  const newer = Math.max(0, full - NEWEST_BUNDLES), spread = Math.min(newer, PAST_BUNDLES);
  const numbers = Array.from({ length: spread }, (_, at) => Math.floor((at * newer) / spread));
  for (let number = newer; number < full; number += 1) numbers.push(number);
  return [...(await Promise.all(numbers.map(bundle))).flat(), ...tail];
}

/** Times and gaps of the checkpoints that follow each other without a hole up to the newest one. */
function gapsOf(checkpoints) {
  const gaps = [];
  for (let at = checkpoints.length - 1; at > 0 && gaps.length < GAPS; at -= 1) {
    const [one, other] = [checkpoints[at - 1], checkpoints[at]];
    if (other.sequence === one.sequence + 1) gaps.unshift([other.timestamp, other.timestamp - one.timestamp]);
    else if (gaps.length > 1) break; // a hole between the bundles and a tail that was cut short
    else gaps.length = 0;
  }
  return gaps;
}

async function showPlots() {
  const checkpoints = await sample(), gaps = gapsOf(checkpoints);
  if (gaps.length < 2) return;
  const [from, to] = [checkpoints[0], checkpoints.at(-1)].map(({ timestamp }) => readable(formatTime(timestamp)));
  fill(document.querySelector("[data-growth]"), growthPlot(checkpoints.map(({ timestamp, head }) => [timestamp, head.size])));
  fill(document.querySelector("[data-gaps]"), gapPlot(gaps, stats?.cadence_seconds ?? gaps[0][1]));
  fill(document.querySelector("[data-plot-title]"), `From ${from} to ${to}`);
  fill(document.querySelector("[data-plot-note]"), `As this browser read them from the chain: ${count(checkpoints.length)} checkpoints, the newest ${count(gaps.length)} gaps.`);
  document.querySelector("[data-plot]").hidden = false;
}

attach(document.querySelector("[data-lookup]"));
refresh().then(showPlots).catch((error) => fill(document.querySelector("[data-live]"), `The plots are not drawn: ${error.message}.`));
showIdentity().catch(() => {});
setInterval(() => document.hidden || refresh(), INTERVAL_MS);
setInterval(showAge, 1000);
