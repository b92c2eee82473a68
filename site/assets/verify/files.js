// Opens kits from what a browser hands over: a file, or the files of a folder.
import { compareText } from "./encoding.js";
import { VerificationError } from "./errors.js";
import { KitBuilder } from "./kit.js";

const LITTER = [".DS_Store", "Thumbs.db", "desktop.ini"];
const LITTER_START = "._";
/** Bytes up to which a file that an operating system leaves in folders is ignored. */
const MAX_LITTER = 64 * 1024;

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
  const builder = new KitBuilder(), ignored = [];
  for (const { name, source } of [...files].sort((one, other) => compareText(one.name, other.name))) {
    if (isLitter(name.split("/").at(-1), source.size)) ignored.push(name);
    else await builder.add(name, source.size, source);
  }
  return builder.finish(ignored);
}

function isLitter(name, size) {
  return size <= MAX_LITTER && (LITTER.includes(name) || name.startsWith(LITTER_START));
}
