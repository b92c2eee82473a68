// What was dropped on the page, or picked: one file, a folder's files, or several loose ones.

/** `{kind: "file", name, file}`, `{kind: "folder", name, files: [{name, file}]}` or `{kind: "loose", name, files}`. */
export async function fromDrop(transfer) {
  // Entries have to be taken before the first await: the list is empty afterwards.
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const files = items.map((item) => item.getAsFile());
  if (entries.length === 1 && entries[0]?.isDirectory) {
    return { kind: "folder", name: entries[0].name, files: await filesBelow(entries[0], "") };
  }
  if (!entries.some((entry) => entry?.isDirectory)) return fromFiles(files.filter(Boolean));
  const all = await Promise.all(entries.map((entry, at) => (
    entry?.isDirectory ? filesBelow(entry, `${entry.name}/`) : [{ name: files[at].name, file: files[at] }]
  )));
  return { kind: "folder", name: "what was dropped", files: all.flat() }; // a kit's members, without their folder
}

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
