// Opens kits from what a browser hands over: a file, or the files of a folder.
import { MAX_ENTRIES, arrange } from "./contents.js";
import { VerificationError } from "./errors.js";
import { collect, piecesOf } from "./kit.js";

/** A source of a `File` or `Blob`: it reads slices, so that a large file never is in memory as a whole. */
export class BlobSource {
  constructor(blob, name, onRead = () => {}) {
    this.blob = blob;
    this.name = name;
    this.size = blob.size;
    this.onRead = onRead;
  }

  async read(start, end) {
    try {
      const data = new Uint8Array(await this.blob.slice(start, end).arrayBuffer());
      this.onRead(data.length);
      return data;
    } catch (error) {
      throw new VerificationError("input-unreadable", `${this.name}: ${error.message}`);
    }
  }
}

/** The kit in a folder's files: {name, source} each, names with slashes. Raises `VerificationError`. */
export async function readFolder(files) {
  checkCount(files.map(({ name }) => name));
  return collect(arrange(files.map(({ name, source }) => (
    { path: name, size: source.size, chunks: () => piecesOf(source, 0, source.size) }
  ))));
}

/** Files and the folders that they are in are counted; a browser lists no empty folder. */
function checkCount(names) {
  const folders = new Set();
  let count = names.length;
  for (const name of names) {
    if (count > MAX_ENTRIES) break;
    for (let at = name.lastIndexOf("/"); at > 0 && !folders.has(name.slice(0, at)); at = name.lastIndexOf("/", at - 1)) {
      folders.add(name.slice(0, at));
      count++;
    }
  }
  if (count > MAX_ENTRIES) {
    const message = `the folder holds more than ${MAX_ENTRIES} files and folders: a kit never has so many`;
    throw new VerificationError("container-limit-exceeded", message);
  }
}
