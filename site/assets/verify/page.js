// The page's conduct: takes what is handed to it, has it checked, shows the answer. Fails closed.
import { formatJson } from "./canonical.js";
import { ValueError, VerificationError } from "./errors.js";
import { anchorsOf } from "./evidence.js";
import { BlobSource, readFolder } from "./files.js";
import { ZIP_START } from "./kit.js";
import { MAX_MEMBER_LENGTH } from "./manifest.js";
import { fromDrop, fromFiles, fromFolder, isForInput, needsInput } from "./page_input.js";
import {
  element, showColophon, showLimits, showListing, showNothing, showOffer, showParts, showRelations, showReport, showTrust,
} from "./page_view.js";
import { describePart, identifyPart, relateParts } from "./parts.js";
import { parseRegistryReceipt } from "./leaf.js";
import { COULD_NOT, KIT, REGISTRY_RECEIPT_ALONE } from "./report.js";
import { formatReportJson, trustMembers } from "./report_json.js";
import { sentence } from "./report_text.js";
import { startsWithBytes, visible } from "./encoding.js";
import { parseTrust } from "./trust.js";
import { refusalsOfUpdate } from "./update.js";
import { explainInput, explainReceipt, reportUnopened } from "./verifier.js";
import { notAKit, readZip } from "./zip_reader.js";

const PROGRESS_EVERY_MS = 80;
const DROPPED = "what was dropped";

const at = (id) => document.getElementById(id);
const now = () => Math.floor(Date.now() / 1000); // to show ages and when it was checked: no verdict depends on it

/** The trust root in use: {trust, place}, or {error}. */
let anchor = { error: new VerificationError("trust-root-unusable", "this page holds no trust root") };
let turn = 0; // of the newest input: an older one's answer is dropped

/** One input, or the promise of one, from beginning to end. Whatever goes wrong, no verdict is left standing. */
async function handle(given) {
  let mine = turn;
  try {
    const input = await given;
    if (!input) return; // text was dropped, or nothing picked
    mine = ++turn;
    announce("");
    show("working");
    at("working-name").textContent = visible(input.name);
    const answer = await check(input, progress(input, mine));
    if (mine === turn) showAnswer(answer, input.name);
  } catch (error) {
    if (mine !== turn) return; // something newer was handed over meanwhile
    if (error instanceof VerificationError) showAnswer(await unopened(error), DROPPED);
    else showFault(error);
  }
}

/** Something that could not even be listed. */
async function unopened(error) {
  return reported(reportUnopened(KIT, error), DROPPED);
}

/** What an input comes to: {nodes, report, subject} or {nodes}. */
async function check(input, onRead) {
  if (input.kind === "folder") return checkFolder(input, onRead);
  if (input.kind === "loose") return checkLoose(input.files, onRead);
  const source = new BlobSource(input.file, input.name, onRead);
  const start = await readStart(source);
  if (start && !startsWithBytes(start, ZIP_START) && source.size <= MAX_MEMBER_LENGTH) {
    return checkPart(input.name, await source.read(0, source.size));
  }
  return checkKit(input.name, () => readZip(source));
}

/** A file's first bytes, or null if it can't be read: then opening it says so. */
async function readStart(source) {
  try {
    return await source.read(0, ZIP_START.length);
  } catch (error) {
    if (error instanceof VerificationError) return null;
    throw error;
  }
}

async function checkKit(name, open) {
  if (anchor.error) return reported(reportUnopened(KIT, anchor.error), name);
  return reported(await explainInput(open, anchor.trust, now()), name);
}

async function checkFolder({ name, files }, onRead) {
  const { nodes: [verdict, ...others], ...answer } = await checkKit(name, () => readFolder(sourcesOf(files, onRead)));
  return { ...answer, nodes: [verdict, showListing(files.length), ...others] };
}

async function checkPart(name, data) {
  const part = identify(data);
  if (part.kind === "trust") return offerTrust(name, data);
  if (part.kind === "registry-receipt") return checkReceipt(name, data);
  const answer = alone([await described(name, data, part)]);
  const report = reportUnopened(KIT, notAKit()); // what the command says of it
  return { ...answer, json: formatReportJson(report, { path: name }, anchor.trust ? trustMembers(anchor.trust) : null) };
}

async function checkReceipt(name, data) {
  const unread = (error) => reported(reportUnopened(REGISTRY_RECEIPT_ALONE, error), name);
  if (anchor.error) return unread(anchor.error);
  let receipt;
  try {
    receipt = parseRegistryReceipt(data);
  } catch (error) {
    if (error instanceof VerificationError) return unread(error);
    throw error;
  }
  return { ...(await reported(await explainReceipt(receipt, anchorsOf(anchor.trust, now())), name)), leaf: receipt.record.leaf };
}

/** Several files without their folder: a registry receipt among them says which of the others are its kit's. */
async function checkLoose(files, onRead) {
  const parts = [];
  for (const { name, source } of sourcesOf(files, onRead)) {
    if (source.size > MAX_MEMBER_LENGTH || startsWithBytes(await source.read(0, ZIP_START.length), ZIP_START)) {
      return nothing(`${name} may be a kit. Kits are checked one at a time: give this page one ZIP or one folder.`);
    }
    const data = await source.read(0, source.size);
    parts.push({ name, data, ...identify(data) });
  }
  const receipts = parts.filter((part) => part.kind === "registry-receipt");
  if (receipts.length !== 1) return alone(await Promise.all(parts.map((part) => described(part.name, part.data, part))));
  const answer = await checkReceipt(receipts[0].name, receipts[0].data);
  const others = parts.filter((part) => part !== receipts[0]);
  if (!answer.report.issued) return answer;
  return { ...answer, nodes: [...answer.nodes, showRelations(relateParts(answer.leaf, others))] };
}

function identify(data) {
  try {
    return identifyPart(data);
  } catch (error) {
    if (error instanceof VerificationError) return { kind: "unknown", title: "of a newer format than this page knows", value: null, error };
    throw error;
  }
}

async function described(name, data, part) {
  return { name, ...part, ...(await describePart(part, data, anchor.trust)) };
}

/** Parts by themselves get no verdict but that there can be none. */
function alone(parts) {
  const names = parts.map((part) => part.name).join(", ");
  const what = parts.length === 1 ? "this file is neither a complete kit nor a registry receipt" : "these files are no complete kit";
  const words = `${names}: ${what}, so no verdict is possible. ${parts.length === 1 ? "On its own it" : "They"} cannot show whether AttestLayer issued ${parts.length === 1 ? "it" : "them"}.`;
  return { nodes: [showNothing(COULD_NOT, visible(words)), ...showParts(parts, anchor.trust?.origin)], verdict: COULD_NOT };
}

function nothing(words) {
  return { nodes: [showNothing(COULD_NOT, visible(words))], verdict: COULD_NOT };
}

async function reported(report, path) {
  const subject = { path, registry: anchor.trust?.origin ?? "" };
  const trust = anchor.trust ?? null;
  const nodes = [...(await showReport(report, subject, trust)), showColophon(subject, trust, now())];
  const json = formatReportJson(report, subject, trust && trustMembers(trust));
  return { nodes, report, json, verdict: report.verdict, words: sentence(report, subject), kind: report.kind };
}

function sourcesOf(files, onRead) {
  return files.map(({ name, file }) => ({ name, source: new BlobSource(file, name, onRead) }));
}

/** Counts bytes read; a kit is read twice, once for its files and once as a whole. */
function progress(input, mine) {
  const files = input.files ?? [{ file: input.file }];
  const whole = 2 * files.reduce((length, { file }) => length + file.size, 0);
  let read = 0, shown = 0;
  return (length) => {
    read += length;
    const time = performance.now();
    if (mine !== turn || time - shown < PROGRESS_EVERY_MS) return;
    shown = time;
    at("progress").value = whole ? Math.min(read / whole, 1) : 1;
    at("working-words").textContent = `${Math.round(read / 2 ** 20)} of ${Math.round(whole / 2 ** 20)} MiB read`;
  };
}

function showAnswer({ nodes, verdict, words = "", json = null, kind = KIT, isOffer = false }, name) {
  const buttons = [
    json === null ? null : element("button", { type: "button", class: "button", onclick: () => save(json, `${name}.report.json`) }, "Save the report (JSON)"),
    element("button", { type: "button", class: "button plain", onclick: () => globalThis.print() }, "Print"),
    element("button", { type: "button", class: "button plain", onclick: again }, "Check another"),
  ];
  const [first, ...others] = nodes;
  const row = isOffer ? null : element("div", { class: "buttons only-screen" }, ...buttons.filter(Boolean));
  at("result").replaceChildren(...[first, row, ...others].filter(Boolean));
  at("does-not-prove").replaceWith(showLimits(kind));
  show("result");
  document.title = `${verdict} · ${visible(name)}`;
  announce(`${verdict}. ${visible(words)}`);
  at("result").querySelector("h1").focus();
}

function showFault(error) {
  const words = `This page failed, and nothing was decided: ${error?.name ?? "Error"}: ${error?.message ?? error}`;
  at("result").replaceChildren(
    showNothing(COULD_NOT, visible(words)),
    element("div", { class: "buttons only-screen" }, element("button", { type: "button", class: "button plain", onclick: again }, "Check another")),
  );
  show("result");
  document.title = COULD_NOT;
  announce(`${COULD_NOT}. ${visible(words)}`);
}

function again() {
  turn += 1;
  document.title = "Verify a kit · AttestLayer";
  show("ask");
  at("pick-file").focus();
}

function show(id) {
  for (const each of ["ask", "working", "result"]) at(each).hidden = each !== id;
  if (id === "working") {
    at("progress").value = 0;
    at("working-words").textContent = "";
  }
}

function announce(words) {
  at("announce").textContent = words;
}

function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A trust root that was handed over is shown first: it takes a deliberate step to use it. */
async function offerTrust(name, data) {
  let trust;
  try {
    trust = await parseTrust(data);
  } catch (error) {
    if (error instanceof VerificationError) return reported(reportUnopened(KIT, error), name);
    throw error;
  }
  if (anchor.trust?.hash() === trust.hash()) return nothing(`${name} is the trust root in use. Now give this page a kit.`);
  const refusals = anchor.trust ? refusalsOfUpdate(anchor.trust, trust) : ["this page has none to compare it with"];
  const use = () => {
    anchor = { trust, place: `Given to this page just now, as ${name}. It is forgotten when the page is closed.` };
    showAnchor();
    again();
  };
  const words = "Nothing was checked. Compare its registry key, then decide whether to use it.";
  return { nodes: [showOffer({ name, trust, refusals, use, leave: again })], verdict: "A trust root", words, isOffer: true };
}

function showAnchor() {
  at("origin").textContent = anchor.trust?.origin ?? "";
  at("trust").replaceChildren(...(anchor.error
    ? [element("p", { class: "bad" }, visible(`There is no usable trust root: ${anchor.error.message}. Nothing can be checked with this page unless you give it one.`))]
    : showTrust(anchor.trust, anchor.place, now())));
}

async function readAnchor() {
  try {
    const value = JSON.parse(at("trust-root").textContent);
    if (value !== null) anchor = { trust: await parseTrust(formatJson(value)), place: "This trust root is built into the page." };
  } catch (error) {
    if (error instanceof ValueError) anchor = { error: new VerificationError("trust-root-unusable", error.message) };
    else if (error instanceof VerificationError) anchor = { error };
    else throw error;
  }
}

function listen() {
  const inputs = [["pick-file", fromFiles], ["pick-folder", fromFolder], ["pick-trust", fromFiles], ["drop-folder", fromFolder]];
  for (const [id, read] of inputs) {
    at(id).addEventListener("change", ({ target }) => {
      const input = read(target.files);
      target.value = ""; // so that picking the same again is a change, too
      handle(input);
    });
  }
  listenForDrops();
  addEventListener("error", ({ error }) => { turn += 1; showFault(error); });
  addEventListener("unhandledrejection", ({ reason }) => { turn += 1; showFault(reason); });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
}

function listenForDrops() {
  const dragged = (isOver) => {
    at("drop").classList.toggle("over", isOver);
    at("drop-folder").hidden = !(isOver && needsInput()); // it lies over the whole window while it is there
  };
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    dragged(true);
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => { if (!relatedTarget) dragged(false); });
  document.addEventListener("drop", (event) => {
    const isInputs = event.target === at("drop-folder") && isForInput(event.dataTransfer);
    setTimeout(dragged, 0, false); // while the event lasts, the browser still needs the input
    if (isInputs) return; // it lists the folder, and the input changes
    event.preventDefault();
    handle(fromDrop(event.dataTransfer));
  });
}

async function start() {
  listen();
  await readAnchor();
  showAnchor();
  at("dead").remove();
  document.documentElement.classList.add("alive");
}

start().catch((error) => {
  at("dead").querySelector("p").textContent = `It failed as it began, so nothing can be checked here: ${error}`;
});
