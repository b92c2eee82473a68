// The names of a ZIP's entries, read in one way only (REG-1.0 section 6.8). A name is its bytes, each as one character.
import { compareBytes, decodeName, shown } from "./encoding.js";
import { folded } from "./contents.js";
import { ambiguous } from "./kit.js";

const MARK = ":zone.identifier";
const ODD = /[\x00-\x1f\x7f:\\]/;

/** The path of each entry {name, host}; one of a folder ends in a slash, that of `./` is empty. */
export function readPaths(entries) {
  const hasSlash = entries.some(({ name }) => name.includes("/"));
  const paths = entries.map(({ name, host }) => readPath(name, host === 0 && !hasSlash));
  checkDifferent(paths.filter(Boolean));
  return paths;
}

/** A name as a message shows it. */
export function shownName(name) {
  return shown(decodeName(name));
}

function readPath(name, mayHaveBackslash) {
  let path = mayHaveBackslash ? name.replaceAll("\\", "/") : name;
  if (path === "./") return "";
  if (path.startsWith("./")) path = path.slice(2);
  const low = folded(path), parts = (low.endsWith("/") ? low.slice(0, -1) : low).split("/");
  if (parts.some((part) => ["", ".", ".."].includes(part))) throw ambiguous(`the name ${shownName(name)} leads elsewhere`);
  let last = parts.pop();
  if (["icon\r", "._icon\r"].includes(last)) last = last.slice(0, -1);
  else if (last.endsWith(MARK)) last = last.slice(0, -MARK.length);
  if (ODD.test([...parts, last].join("/"))) {
    throw ambiguous(`the name ${shownName(name)} holds what systems read differently`);
  }
  return path;
}

/** No two names are one on a system that folds A to Z, and none is a file and a folder at once. */
function checkDifferent(paths) {
  const sorted = paths.map(folded).sort(compareBytes);
  for (let n = 1; n < sorted.length; n++) {
    if (sorted[n - 1] === sorted[n]) throw ambiguous(`two entries are named ${shownName(sorted[n])}, with A to Z folded`);
  }
  for (const path of sorted) {
    if (!path.endsWith("/") && firstFrom(sorted, `${path}/`)?.startsWith(`${path}/`)) {
      throw ambiguous(`${shownName(path)} is a file and a folder, with A to Z folded`);
    }
  }
}

/** The first of sorted texts that is not less than `text`. */
function firstFrom(sorted, text) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < text) low = middle + 1;
    else high = middle;
  }
  return sorted[low];
}
