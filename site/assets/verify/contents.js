// The contents of a folder or of a ZIP: the kit's members, names that no kit has, and what is ignored.
//
// Decides by names and sizes alone, before anything is read (REG-1.0 section 6.6). A *file* is
// {path, size, chunks, crc32, checkEnd}: `chunks` gives its content piece by piece; of a ZIP also the CRC-32
// that it states, and a check of where inflated data ends.
import { byteOrder, compareBytes, shown } from "./encoding.js";
import { VerificationError } from "./errors.js";
import { DISCLOSURE, RECEIPT, isDisclosedMember, isMember } from "./manifest.js";

/** Files and folders of a folder or a ZIP: 999 records, nine members, 2,000 ignored files, some folders. */
export const MAX_ENTRIES = 3100;
const MAX_IGNORED = 2000;
/** Bytes of all ignored files together. */
const MAX_IGNORED_LENGTH = 16 * 1024 * 1024;
const LARGE = 1024 * 1024, SMALL = 4096;
const NAMED = 10;

/** {members, unexpected, ignored, isMoved}: files by member name in byte order, names. Raises `VerificationError`. */
export function arrange(files) {
  const keyed = files.map((file) => ({ file, key: byteOrder(file.path) }));
  const ordered = keyed.sort((one, other) => compareBytes(one.key, other.key)).map(({ file }) => file);
  const ignored = ordered.filter(isIgnored);
  checkIgnored(ignored);
  const kept = ordered.filter((file) => !isIgnored(file));
  const top = topFolder(kept.map(({ path }) => path));
  const named = new Map(kept.map((file) => [file.path.slice(top.length), file]));
  const names = [...named.keys()];
  checkNoKits(names);
  const belongs = named.has(DISCLOSURE) ? isDisclosedMember : isMember;
  return {
    members: new Map([...named].filter(([name]) => belongs(name))),
    unexpected: names.filter((name) => !belongs(name)),
    ignored: ignored.map(({ path }) => path),
    isMoved: top !== "",
  };
}

/** Names as a message shows them: ten, and how many more there are. */
export function shownNames(names) {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return names.slice(0, NAMED).map((name) => shown(name)).join(", ") + more;
}

/** A to Z in lower case, and nothing else. */
export function folded(name) {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function isIgnored({ path, size }) {
  const parts = folded(path).split("/"), last = parts.pop();
  if (parts.includes("@eadir")) return size <= LARGE && (last.includes("@syno") || last.startsWith("syno"));
  if ([".ds_store", "thumbs.db", "ehthumbs.db"].includes(last) || last.startsWith("._")) return size <= LARGE;
  return size <= SMALL && isSmallLeftover(last);
}

function isSmallLeftover(last) {
  return ["desktop.ini", ".localized", ".directory", "icon\r"].includes(last)
    || last.startsWith("~$")
    || (last.startsWith(".~lock.") && last.endsWith("#"))
    || last.endsWith(":zone.identifier");
}

function checkIgnored(ignored) {
  const length = ignored.reduce((sum, { size }) => sum + size, 0);
  if (ignored.length > MAX_IGNORED || length > MAX_IGNORED_LENGTH) {
    throw new VerificationError(
      "container-limit-exceeded",
      `${ignored.length} files with ${length} bytes that systems leave behind, where at most ${MAX_IGNORED} with `
        + `${MAX_IGNORED_LENGTH} are ignored: delete them and check again`,
    );
  }
}

/** The one folder that everything is in, with its slash, unless the kit is at the top. */
function topFolder(names) {
  const tops = new Set(names.map((name) => (name.includes("/") ? name.split("/", 1)[0] : "")));
  const [top] = tops;
  return tops.size === 1 && top ? `${top}/` : "";
}

/** Refuse a folder of kits: which of them is meant can't be known. */
function checkNoKits(names) {
  const marks = [RECEIPT, DISCLOSURE];
  const kits = new Set(names.filter((name) => !name.includes("/") && folded(name).endsWith(".zip")));
  for (const name of names) {
    const slash = name.indexOf("/");
    if (slash >= 0 && marks.includes(name.slice(slash + 1))) kits.add(name.slice(0, slash + 1));
  }
  if (kits.size && !names.some((name) => marks.includes(name))) {
    const found = [...kits].sort((one, other) => compareBytes(byteOrder(one), byteOrder(other)));
    const message = `it is no kit, but holds kits: ${shownNames(found)}; check each of them by itself`;
    throw new VerificationError("input-not-a-kit", message);
  }
}
