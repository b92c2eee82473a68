// What was dropped on the page, or picked: one file, a folder's files, or several loose ones.
import { VerificationError } from "./errors.js";

/**
 * `{kind: "file", name, file}`, `{kind: "folder", name, files: [{name, file}]}` or `{kind: "loose", name, files}`.
 *
 * Folders come as handles where the browser has them, for Chromium's older entries can't be read by a page
 * from a file. Both have to be asked for before the first await: the list is empty afterwards.
 */
export async function fromDrop(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const asked = items.map((item) => ({
    file: item.getAsFile(),
    entry: item.webkitGetAsEntry?.() ?? null,
    handle: item.getAsFileSystemHandle?.().catch(() => null) ?? null,
  }));
  const given = await Promise.all(asked.map(async (each) => ({ ...each, handle: await each.handle })));
  if (!given.some(isFolder)) return fromFiles(given.map(({ file }) => file).filter(Boolean));
  try {
    if (given.length === 1) return { kind: "folder", name: nameOf(given[0]), files: await filesOf(given[0], "") };
    const all = given.map((each) => (
      isFolder(each) ? filesOf(each, `${nameOf(each)}/`) : [{ name: each.file.name, file: each.file }]
    ));
    return { kind: "folder", name: "what was dropped", files: (await Promise.all(all)).flat() }; // without their folder
  } catch (error) {
    const hint = "choose the folder with the button instead";
    throw new VerificationError("input-unreadable", `the folder can't be listed: ${error.message}; ${hint}`);
  }
}

const isFolder = ({ entry, handle }) => handle?.kind === "directory" || (entry?.isDirectory ?? false);
const nameOf = ({ entry, handle }) => (handle ?? entry).name;
const filesOf = ({ entry, handle }, prefix) => (handle ? filesInHandle(handle, prefix) : filesBelow(entry, prefix));

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
  const named = [...files].map((file) => ({ name: file.webkitRelativePath.slice(folder.length + 1), file }));
  return { kind: "folder", name: folder, files: named };
}

/** All files of a folder, however deep, with their paths below it. */
async function filesInHandle(folder, prefix) {
  const found = [], waiting = [[folder, prefix]];
  while (waiting.length) {
    const [each, start] = waiting.pop();
    for await (const [name, handle] of each.entries()) {
      if (handle.kind === "directory") waiting.push([handle, `${start}${name}/`]);
      else found.push({ name: start + name, file: await handle.getFile() });
    }
  }
  return found;
}

/** The same with the older entries. */
async function filesBelow(folder, prefix) {
  const found = [], waiting = [[folder, prefix]];
  while (waiting.length) {
    const [each, start] = waiting.pop();
    for (const entry of await entriesOf(each)) {
      if (entry.isDirectory) waiting.push([entry, `${start}${entry.name}/`]);
      else found.push({ name: start + entry.name, file: await new Promise((done, failed) => entry.file(done, failed)) });
    }
  }
  return found;
}

/** A reader gives entries in batches, and an empty one at the end. */
async function entriesOf(folder) {
  const reader = folder.createReader(), found = [];
  for (;;) {
    const batch = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (batch.length === 0) return found;
    found.push(...batch);
  }
}
