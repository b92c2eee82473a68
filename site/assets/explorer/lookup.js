// The look-up form and drop zone: a hash or a file in, an entry with its checks out.
import { equalBytes } from "../verify/encoding.js";
import { coincides, leafHashAt, lookUp, nameOf } from "./index.js";
import { entryView, examine, fetchEntry } from "./entry.js";
import { identify, parseHeld } from "./identify.js";
import { LieError, newest } from "./registry.js";
import { code, count, fill, link, make, verdict } from "./show.js";
import { UnreachableError, read } from "./source.js";
import { sha256 } from "../verify/sha256.js";

const OBJECTS = [
  ["v1/checkpoints/", "A checkpoint", (hash) => `/checkpoints.html#${hash}`],
  ["v1/policies/", "An intake policy", (hash) => `/v1/policies/${hash}.json`],
  ["v1/notices/", "A list of notices", (hash) => `/v1/notices/${hash}.json`],
];
const PROVES_NOTHING = "Not finding an entry does not mean that a kit is false: the index may be some minutes old, and a server can withhold what it has. "
  + "The kit's own registry receipt is the proof; verify the kit.";

/** Make a section with a form, a drop zone and a place for results work. */
export function attach(section) {
  const place = section.querySelector("[data-result]"), input = section.querySelector("#hash");
  const drop = section.querySelector("[data-drop]"), picker = section.querySelector("#file");
  section.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    answer(place, () => byText(input.value));
  });
  picker.addEventListener("change", () => {
    if (picker.files.length) answer(place, () => byFile(picker.files[0]));
    picker.value = "";
  });
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) drop.addEventListener(type, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = event.dataTransfer.files[0];
    if (file) answer(place, () => byFile(file));
  });
  for (const type of ["dragover", "drop"]) { // a file that misses the zone must not replace the page
    document.addEventListener(type, (event) => event.preventDefault());
  }
  return { show: (text) => answer(place, () => byText(text)) };
}

/** What to show where an entry's page is of no entry. */
export function notServed(hash) {
  return verdict("warn", "Not found", make("p", {}, "No entry with this leaf hash is served. If it is another hash out of a kit, ",
    link(`/lookup.html#${hash}`, "look it up"), "."), PROVES_NOTHING);
}

let asked = 0;

/** Show what `work` comes to, unless something else was asked meanwhile. */
export async function answer(place, work) {
  const number = ++asked;
  place.setAttribute("aria-busy", "true");
  fill(place, make("p", {}, "Looking …"));
  const found = await work().catch(trouble);
  if (number !== asked) return;
  fill(place, found);
  place.removeAttribute("aria-busy");
}

/** What to show where there is no answer. */
export function trouble(error) {
  if (error instanceof UnreachableError) {
    return verdict("warn", "The registry could not be reached", `${capital(error.message)}. Nothing was looked up. A kit can be verified without it.`);
  }
  if (error instanceof LieError) {
    return verdict("bad", "The proof failed", `${capital(error.message)}. What this registry answers does not hold together; report it to security@attestlayer.com.`);
  }
  console.error(error);
  return verdict("warn", "Something went wrong on this page", `${error.message}. No result.`);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

async function byText(text) {
  const hash = parseHeld(text);
  if (hash === null) {
    return verdict("warn", "This is not a hash", "A SHA-256 has 43 characters of base64url (letters, digits, - and _) or 64 of hexadecimal.");
  }
  return byHash(hash);
}

async function byFile(file) {
  const { what, hash, leafHash, data } = await identify(file);
  const told = `${file.name} is ${what}.`;
  if (leafHash === undefined) {
    return [make("p", {}, `${file.name} is ${what}, `, code(hash), "."), ...[await byHash(hash)].flat()];
  }
  if (leafHash === null) return verdict("warn", "This file does not identify an entry", told);
  const entry = await fetchEntry(leafHash);
  if (entry === null) {
    return verdict("warn", "Not found", `${told} This registry serves no such entry. ${PROVES_NOTHING}`);
  }
  const why = [told];
  if (data && entry.receiptData) {
    if (!equalBytes(data, entry.receiptData)) {
      return verdict("bad", "Another registry receipt", `${told} The registry serves other bytes for its entry than this file has. Verify the kit: it says which of them is wrong.`);
    }
    why.push("Its registry receipt is, byte for byte, the one that the registry serves.");
  }
  return entryView(entry, await examine(entry), why);
}

/** The entry whose leaf hash this is, as elements to show, or null. */
export async function byLeafHash(hash) {
  const entry = await fetchEntry(hash);
  return entry && entryView(entry, await examine(entry), ["You searched by leaf hash."]);
}

/** What a hash leads to: the index first, then objects that are named by their hash. */
async function byHash(hash) {
  const { views, unread, size } = await byIndex(hash);
  if (views.length) return views;
  const [entry, ...objects] = await Promise.all([byLeafHash(hash), ...OBJECTS.map(([folder]) => read(`${folder}${hash}.json`))]);
  return entry ?? byObject(hash, objects) ?? notFound(size, unread);
}

function byObject(hash, objects) {
  for (const [at, [, what, href]] of OBJECTS.entries()) {
    const data = objects[at];
    if (data && sha256(data) !== hash) throw new LieError(`${what.toLowerCase()} has other bytes than its name says`);
    if (data) return verdict("good", what, make("p", {}, "The hash is the name of ", link(href(hash), what.toLowerCase()), "."));
  }
  return null;
}

function notFound(size, unread) {
  const [last, first] = [unread[0], unread.at(-1)];
  return verdict("warn", "Not found", `No entry among the ${count(size)} of this registry was found to name this hash.`,
    unread.length ? `The index is behind: entries ${count(first * 256)} to ${count(last * 256 + 255)} were not looked into. Try again in some minutes.` : null,
    PROVES_NOTHING);
}

async function byIndex(hash) {
  const { checkpoint } = await newest();
  const { indices, found, unread } = await lookUp(hash, checkpoint.head.size);
  const shown = [];
  for (const index of indices) shown.push(await byCandidate(hash, index));
  for (const { leafHash, index, as } of found) shown.push(await bySearch(leafHash, index, as));
  return { views: shown.filter(Boolean).flat(), unread, size: checkpoint.head.size };
}

/** An entry that the index answered with: it must name the hash, or only share the bytes that are stored. */
async function byCandidate(hash, index) {
  const leafHash = await leafHashAt(index), entry = await fetchEntry(leafHash);
  if (!entry?.record) throw new LieError(`the entry number ${index}, to which the look-up index points, is not served`);
  const as = nameOf(entry.record.leaf, hash);
  if (!as) {
    if (coincides(entry.record.leaf, hash)) return null;
    throw new LieError(`the look-up index points to entry ${index}, and that entry does not name this hash`);
  }
  return entryView(entry, await examine(entry, index), [`The hash is ${as}.`]);
}

async function bySearch(leafHash, index, as) {
  const entry = await fetchEntry(leafHash);
  if (!entry) throw new LieError(`the entry number ${index} stands in its bundle and is not served`);
  return entryView(entry, await examine(entry, index), [`The hash is ${as}.`]);
}
