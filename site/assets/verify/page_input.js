// What was dropped on the page, or picked: one file, a folder's files, or several loose ones.
import { VerificationError } from "./errors.js";

const BUTTON = "choose the folder with the button, or give this page the ZIP";

/**
 * `{kind: "file", name, file}`, `{kind: "folder", name, files: [{name, file}]}` or `{kind: "loose", name, files}`.
 *
 * Folders are read as entries, never as file-system handles: of these Chromium hides files whose names it
 * holds to be dangerous (`.lnk`, `.url`, `~` at the end, a colon …), so that what was added would not be seen.
 * Entries have to be asked for before the first await: the list is empty afterwards.
 */
export async function fromDrop(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const dropped = items.map((item) => ({ file: item.getAsFile(), entry: item.webkitGetAsEntry?.() ?? null }));
  if (dropped.some(({ file, entry }) => !file && !entry?.isDirectory)) {
    throw unlisted("a file that was dropped can't be read; choose it with the button instead");
  }
  const folders = dropped.filter(({ entry }) => entry?.isDirectory);
  if (!folders.length) return fromFiles(dropped.map(({ file }) => file));
  const [{ entry }] = folders;
  if (dropped.length === 1) return { kind: "folder", name: entry.name, files: await filesBelow(entry, "") };
  const all = dropped.map(({ file, entry: each }) => (
    each?.isDirectory ? filesBelow(each, `${each.name}/`) : [{ name: file.name, file }]
  ));
  return { kind: "folder", name: "what was dropped", files: (await Promise.all(all)).flat() }; // without their folder
}

/**
 * Whether to leave a drop to an `<input webkitdirectory>` below the pointer, which lists the one folder itself:
 * a page that was opened from a file gets entries in Chromium, but can't read them.
 */
export function isForInput(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  return items.length === 1 && (items[0].webkitGetAsEntry?.()?.isDirectory ?? false);
}

/** Whether entries can't be read: in Chromium, which alone has handles, by a page from a file. */
export function needsInput() {
  return location.protocol === "file:" && "getAsFileSystemHandle" in DataTransferItem.prototype;
}

const unlisted = (words) => new VerificationError("input-unreadable", words);

/** Files of an `<input type="file">`. */
export function fromFiles(files) {
  if (files.length === 0) return null;
  if (files.length === 1) return { kind: "file", name: files[0].name, file: files[0] };
  return { kind: "loose", name: `${files.length} files`, files: [...files].map((file) => ({ name: file.name, file })) };
}

/** Files of an `<input type="file" webkitdirectory>`: their paths begin with the folder's name. */
export function fromFolder(files) {
  if (files.length === 0) return null;
  const [folder] = files[0].webkitRelativePath.split("/");
  const named = [...files].map((file) => ({ name: pathOf(file).slice(folder.length + 1), file }));
  return { kind: "folder", name: folder, files: named };
}

/** Chromium writes a backslash within a name as a slash in the path, but not in the name itself. */
function pathOf({ name, webkitRelativePath: path }) {
  return path.slice(0, path.length - name.length) + name;
}

/** All files of a folder, however deep, with their paths below it. All or none: what can't be read is no gap. */
async function filesBelow(folder, prefix) {
  const files = [], waiting = [[folder, prefix]];
  while (waiting.length) {
    const [each, start] = waiting.pop();
    for (const entry of await entriesOf(each, start)) {
      if (entry.isDirectory) waiting.push([entry, `${start}${entry.name}/`]);
      else files.push({ name: start + entry.name, file: await fileOf(entry, start) });
    }
  }
  return files;
}

/** A reader hands entries over in batches, and an empty one at the end. */
async function entriesOf(folder, path) {
  const reader = folder.createReader(), entries = [];
  for (;;) {
    const batch = await asked((done, failed) => reader.readEntries(done, failed), path || "the folder");
    if (batch.length === 0) return entries;
    entries.push(...batch);
  }
}

function fileOf(entry, start) {
  // Chromium hands over a name that is no text as an empty one.
  if (!entry.name) throw unlisted(`${start || "the folder"} holds a name that is not text; use the command`);
  return asked((done, failed) => entry.file(done, failed), start + entry.name);
}

async function asked(ask, what) {
  try {
    return await new Promise(ask);
  } catch (error) {
    throw unlisted(`${what} can't be listed: ${error.message}; ${BUTTON}`);
  }
}
