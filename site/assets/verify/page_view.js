// How the page shows reports, trust roots and single parts: elements made of text, never of markup.
import { formatHex, formatTime, hashBytes, visible } from "./encoding.js";
import {
  COULD_NOT, DISCLOSED_RECORD, FAILED, KIT, NOT_CHECKED, NOT_REACHED, NOT_VERIFIED, PASSED, REGISTRY_RECEIPT_ALONE, VERIFIED,
} from "./report.js";
import { ageWords, dateWords, doesNotProve, quorumWords, sentence } from "./report_text.js";
import { cosignersOf } from "./steps_registry.js";
import { ADVICE, BOUNDARY, PROVES, RECEIPT_PROVES, RECORD_PROVES, REMARK_ADVICE } from "./words.js";

const LOOKS = {
  [VERIFIED]: { mark: "✓", look: "good" },
  [NOT_VERIFIED]: { mark: "✗", look: "bad" },
  [COULD_NOT]: { mark: "?", look: "warn" },
};
const MARKS = {
  [PASSED]: { mark: "✓", look: "good", words: "yes" },
  [FAILED]: { mark: "✗", look: "bad", words: "no" },
  [NOT_REACHED]: { mark: "–", look: "none", words: "not reached" },
  [NOT_CHECKED]: { mark: "–", look: "none", words: "not checked" },
};

/** What is shown, in the words of the trust model, by the steps that show it. */
const [FILES, BINDING, KEY, SIGNATURE, UNMODIFIED] = PROVES;
const LOG_ROWS = [
  [RECEIPT_PROVES[0], [11]],
  [RECEIPT_PROVES[1], [12]],
  ["the witnesses that the trust root demands saw that checkpoint", [13]],
  ["the times agree with each other", [14]],
  ["the kit was not withdrawn", [15]],
];
const KIT_ROWS = [
  [FILES, [1, 2, 3]],
  [BINDING, [4, 5, 6]],
  [KEY, [7]],
  [SIGNATURE, [8]],
  [UNMODIFIED, [9, 10]],
  ...LOG_ROWS,
];
const RECEIPT_ROWS = [["the entry’s hash is that of its content", [9]], ...LOG_ROWS];
const RECORD_ROWS = [
  [RECORD_PROVES[0], [1, 2, 3, 4]],
  ["the receipt is bound to the client’s nonce", [6]],
  [KEY, [7]],
  [SIGNATURE, [8]],
  ["the entry says what the receipt says", [9]],
  ...LOG_ROWS,
];
const ROWS_OF = { [KIT]: KIT_ROWS, [REGISTRY_RECEIPT_ALONE]: RECEIPT_ROWS, [DISCLOSED_RECORD]: RECORD_ROWS };

/** An element; `given` are attributes, children are elements or text. */
export function element(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

const code = (text) => element("code", {}, visible(text));
const items = (texts) => texts.map((text) => element("li", {}, text));
const rows = (pairs) => pairs.map(([term, ...values]) => element("div", {}, element("dt", {}, term), element("dd", {}, ...values)));

/** A hash as documents write it, and behind it as tools print it. */
function hashWords(hash) {
  return [code(hash), element("span", { class: "also" }, "hexadecimal ", code(formatHex(hashBytes(hash))))];
}

/** A report: the verdict first, then why, then what it rests on. `subject`: {path, registry}. */
export async function showReport(report, subject, trust) {
  const { mark, look } = LOOKS[report.verdict];
  return [
    element(
      "div",
      { class: `verdict ${look}` },
      element("p", { class: "mark", "aria-hidden": "true" }, mark),
      element("h1", { tabindex: "-1" }, report.verdict),
      element("p", { class: "sentence" }, visible(sentence(report, subject))),
      element("p", { class: "boundary" }, BOUNDARY),
    ),
    ...showFailures(report),
    ...showRemarks(report),
    ...(isUntouched(report) ? [] : await showRows(report, subject, trust)),
    ...(report.issued ? showIssued(report) : []),
  ];
}

/** Whether no step was made, for want of a usable input or trust root. */
function isUntouched(report) {
  const statuses = report.steps.map(({ status }) => status);
  const failed = statuses.filter((status) => status === FAILED).length;
  return report.verdict === COULD_NOT && failed <= 1 && !statuses.includes(PASSED);
}

function showFailures(report) {
  if (!report.failures.length) return [];
  const reasons = [...new Set([report.first, ...report.failures].map(({ reason }) => reason))];
  const heading = report.verdict === COULD_NOT ? "Why, and what to do" : "What is wrong, and what to do";
  const listed = reasons.map((reason) => element(
    "li",
    {},
    element("h3", {}, code(reason)),
    element("p", {}, ADVICE[reason]),
    element("ul", { class: "found" }, report.failures.filter((each) => each.reason === reason).map(showFailure)),
  ));
  return [element("section", {}, element("h2", {}, heading), element("ul", { class: "failures" }, listed))];
}

const FOUND = /^(.*?)(?: has |: found )((?:SHA-256 )?[A-Za-z0-9_-]+(?: bytes)?), (?:listed is|listed are|wanted) ([A-Za-z0-9_-]+)$/;

function showFailure({ message, files }) {
  const parts = FOUND.exec(message);
  const about = files.filter((name) => !message.startsWith(name));
  const where = about.length ? element("span", { class: "also" }, "in ", ...joined(about.map(code))) : null;
  if (!parts) return element("li", {}, visible(message), where);
  const [, what, found, expected] = parts;
  const compared = element("dl", { class: "compared" }, rows([["found", code(found)], ["expected", code(expected)]]));
  return element("li", {}, code(what), where, compared);
}

function joined(parts) {
  return parts.flatMap((part, at) => (at ? [", ", part] : [part]));
}

function showRemarks(report) {
  if (!report.notes.length) return [];
  const listed = report.notes.map(({ remark, message }) => element(
    "li",
    {},
    element("strong", {}, remark),
    `: ${visible(message)}. ${REMARK_ADVICE[remark]}`,
  ));
  return [element("section", { class: "remarks" }, element("h2", {}, "Please note"), element("ul", {}, listed))];
}

async function showRows(report, subject, trust) {
  const listed = ROWS_OF[report.kind];
  const details = report.issued ? await detailsOf(report.issued, subject, trust) : new Map();
  const made = listed.map(([words, numbers]) => {
    const steps = numbers.map((number) => report.steps[number - 1]);
    const { mark, look, words: status } = markOf(steps);
    const named = steps.map(({ number, name, status: each }) => `${number} ${name}${each === PASSED ? "" : ` (${each.replace("-", " ")})`}`);
    return element(
      "tr",
      { class: look },
      element("th", { scope: "row" }, element("span", { class: "mark", "aria-hidden": "true" }, mark), words),
      element("td", { class: "status" }, status),
      element("td", {}, ...(unprovenDetails(steps) ?? details.get(numbers[0]) ?? []), element("span", { class: "also" }, `step${steps.length > 1 ? "s" : ""} ${named.join(", ")}`)),
    );
  });
  const head = element("tr", {}, ...["What is checked", "Holds", "Shown by"].map((words) => element("th", { scope: "col" }, words)));
  const heading = report.verdict === VERIFIED ? "What this proves" : "What was checked";
  const table = element("table", { class: "checks" }, element("thead", {}, head), element("tbody", {}, made));
  return [element("section", {}, element("h2", {}, heading), table)];
}

/** How the steps of a row ended. One that passed and proves nothing is no proof that held. */
function markOf(steps) {
  const worst = [FAILED, NOT_REACHED, NOT_CHECKED, PASSED].find((each) => steps.some(({ status }) => status === each));
  const [words] = unprovenWords(steps);
  return worst === PASSED && words ? { ...MARKS[NOT_CHECKED], words } : MARKS[worst];
}

/** Why a step of a row proves nothing, as what to say of it and the rest: `not known`, `trust root of …`. */
function unprovenWords(steps) {
  return steps.find(({ unproven }) => unproven !== null)?.unproven.split(": ") ?? [];
}

/** What is shown beside a row that proves nothing, or null if it does. */
function unprovenDetails(steps) {
  const [words, ...more] = unprovenWords(steps);
  return words ? more : null;
}

/** What a verified report says beside a row, by the row's first step. */
async function detailsOf(issued, { registry }, trust) {
  const asOf = dateWords(trust.checkpoint.timestamp);
  const policy = trust.keyring.witnessPolicyAt(issued.checkpointTime);
  const cosigners = [...(await cosignersOf(issued.note, policy.witnesses, issued.checkpointTime))];
  const seen = cosigners.length ? `; cosigned by ${cosigners.map(visible).join(", ")}` : "";
  const after = issued.notBefore === null ? "" : `made after ${dateWords(issued.notBefore)}, when the registry published what the client’s nonce names; `;
  return new Map([
    [7, [element("span", { class: "also" }, "issuer key ", code(issued.issuerKid))]],
    [11, [`entry ${issued.leafIndex} of ${registry}`]],
    [12, [element("span", { class: "also" }, "registry key ", code(issued.registryKid))]],
    [13, [`${quorumWords(policy)}${seen}`]],
    [14, [`${after}in the log by ${dateWords(issued.checkpointTime)}`]],
    [15, [`as far as the trust root of ${asOf} knows`]],
  ]);
}

function showIssued({ issued, kind }) {
  const { record } = issued, hasNonce = kind !== REGISTRY_RECEIPT_ALONE;
  const facts = [
    ...(record ? [["record", code(record.path)], ["size", `${record.size.toLocaleString("en")} bytes`], ["SHA-256", code(formatHex(hashBytes(record.sha256)))]] : []),
    ...(issued.kitId ? [["kit", code(issued.kitId)]] : []),
    ["lane", `${issued.laneId}, profile ${issued.profileId}`],
    ["issued", dateWords(issued.issuedAt)],
    ...(hasNonce ? [["not before", issued.notBefore === null ? "not shown" : `${dateWords(issued.notBefore)} (checkpoint that the client’s nonce names)`]] : []),
    ["not after", `${dateWords(issued.checkpointTime)} (checkpoint that holds the entry)`],
    ["leaf hash", code(issued.leafHash)],
  ];
  const made = [element("section", {}, element("h2", {}, "What was issued"), element("dl", { class: "facts" }, rows(facts)))];
  if (kind !== KIT) return made;
  const files = issued.listed.map(({ path, sentAs, size, sha256 }) => element(
    "tr",
    {},
    element("th", { scope: "row" }, code(path), sentAs === null ? null : element("span", { class: "also" }, "sent as ", element("bdi", {}, visible(sentAs)))),
    element("td", { class: "size" }, size.toLocaleString("en")),
    element("td", {}, code(formatHex(hashBytes(sha256)))),
  ));
  const head = element("tr", {}, ...["File", "Bytes", "SHA-256"].map((words) => element("th", { scope: "col" }, words)));
  const table = element("table", { class: "files" }, element("thead", {}, head), element("tbody", {}, files));
  return [...made, element("details", {}, element("summary", {}, `The ${files.length} files in its manifest`), table)];
}

/** What was checked of a folder: what the browser lists, which is not all that a file system can hold. */
export function showListing(count) {
  return element("p", { class: "small listing" },
    `Checked: the ${count === 1 ? "one file" : `${count} files`} that this browser listed in the folder. Browsers list no links, and may `
    + "leave out names that are not text and folders that may not be read. With the ZIP, or with the command, nothing is left out.");
}

/** The lines of a printed report that screens show elsewhere. */
export function showColophon(subject, trust, now) {
  const root = trust ? `the trust root of ${formatTime(trust.checkpoint.timestamp)}, ${trust.identity().format()}` : "no usable trust root";
  return element("p", { class: "colophon" }, visible(`${subject.path}, checked on ${dateWords(now)} by this machine’s clock, with ${root}.`));
}

/** A trust root: which registry, which keys, how old, and where it came from. */
export function showTrust(trust, place, now) {
  const { checkpoint, keyring } = trust;
  return [
    element("p", {}, place),
    element("dl", { class: "facts" }, rows([
      ["registry", code(trust.origin)],
      ...identityRows(trust),
      ["as of", `${dateWords(checkpoint.timestamp)} (${ageWords(now - checkpoint.timestamp)})`],
      ["all registry keys", ...joined(keyring.of("registry").map((key) => keyWords(key, checkpoint)))],
      ["issuer key", ...joined(keyring.of("issuer").map((key) => keyWords(key, checkpoint)))],
      ["witnesses", quorumWords(keyring.witnessPolicyAt(checkpoint.timestamp))],
    ])),
    element("p", { class: "small" }, "A trust root vouches for itself only. Compare the registry key with one that reached you another way: it stays the same when the trust root is renewed."),
  ];
}

/** What people compare: the registry key that signed the checkpoint, as a verifier key and by its key ID. */
function identityRows(trust) {
  return [["registry key", code(trust.identity().format()), element("span", { class: "also" }, "key ID ", code(trust.checkpoint.kid))]];
}

function keyWords(key, checkpoint) {
  const { timestamp } = checkpoint;
  const ended = key.isRevokedAt(timestamp) ? ", revoked" : key.isValidAt(timestamp) ? "" : ", not valid then";
  return element("span", {}, code(key.public.kid), ended);
}

/** A trust root that was handed over, and what using it would mean. */
export function showOffer({ name, trust, refusals, use, leave }) {
  const update = refusals.length === 0;
  return element(
    "div",
    { class: `offer ${update ? "" : "warn"}`, id: "offer" },
    element("h1", { tabindex: "-1" }, update ? "A newer trust root" : "Another trust root"),
    element("p", {}, update
      ? "It is of the same registry, holds the notices of the one in use and more, and is signed by a key of it. That its tree extends the old one was not shown: that takes a consistency proof."
      : "It is no update of the one in use. Use it only if it reached you from a source that you trust, never together with a kit:"),
    update ? null : element("ul", {}, items(refusals)),
    element("dl", { class: "facts" }, rows([
      ["file", visible(name)],
      ["registry", code(trust.origin)],
      ...identityRows(trust),
      ["as of", dateWords(trust.checkpoint.timestamp)],
    ])),
    element("div", { class: "buttons" }, element("button", { type: "button", class: "button", onclick: use }, "Use it on this page"), element("button", { type: "button", class: "button plain", onclick: leave }, "Leave it")),
  );
}

/** Parts of a kit by themselves: {name, title, error, says, doesNotSay, hashes} each. */
export function showParts(parts, registry) {
  return parts.map(({ name, title, error, says, doesNotSay, hashes }) => element(
    "section",
    { class: "part" },
    element("h2", {}, code(name), ` is ${title}`),
    error ? element("p", {}, `It is not as it was issued: ${visible(error.message)}.`) : null,
    says.length ? element("p", {}, "What can be said of it alone:") : null,
    says.length ? element("ul", {}, items(says)) : null,
    element("p", {}, "What can’t be said of it without its kit:"),
    element("ul", {}, items([doesNotSay])),
    element("dl", { class: "facts" }, rows(hashes.map(({ name: what, hash, inRegistry }) => [
      what,
      ...hashWords(hash),
      inRegistry && registry ? lookUp(registry, hash) : null,
    ].filter((value) => value !== null)))),
  ));
}

function lookUp(registry, hash) {
  const link = element("a", { href: `https://${registry}/lookup.html#${hash}`, rel: "noreferrer" }, "Look it up in the registry");
  return element("span", { class: "also only-screen" }, link, " (this leaves the page)");
}

/** How loose files relate to the entry of a registry receipt that was verified beside them. */
export function showRelations(relations) {
  const words = { true: "the entry names its hash", false: "the entry names another hash: it is not of this kit", null: "the entry names no hash of it" };
  const listed = relations.map(({ name, title, names }) => element("li", { class: names === false ? "bad" : "" }, code(name), `, ${title}: ${words[names]}.`));
  return element("section", {}, element("h2", {}, "The other files"), element("ul", {}, listed));
}

/** Something that is no report: nothing was decided. */
export function showNothing(heading, words) {
  return element(
    "div",
    { class: "verdict warn" },
    element("p", { class: "mark", "aria-hidden": "true" }, "?"),
    element("h1", { tabindex: "-1" }, heading),
    element("p", { class: "sentence" }, words),
  );
}

/** What no verdict proves. */
export function showLimits(kind) {
  return element("ul", { id: "does-not-prove" }, items(doesNotProve(kind)));
}
