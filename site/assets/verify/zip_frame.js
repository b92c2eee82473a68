// The frame of a ZIP: its end record, and so the place of its central directory (REG-1.0 section 6.8).
import { MAX_ENTRIES } from "./contents.js";
import { VerificationError } from "./errors.js";
import { ambiguous } from "./kit.js";

/** Bytes of a ZIP: the largest canonical kit has 137 MiB. */
const MAX_ZIP_LENGTH = 192 * 1024 * 1024;
/** Bytes of a central directory: 1,353 for each of the most entries. */
const MAX_DIRECTORY_LENGTH = 4 * 1024 * 1024;

const END_LENGTH = 22, ZIP64_END_LENGTH = 56, LOCATOR_LENGTH = 20; // APPNOTE.TXT 4.3.16, 4.3.14, 4.3.15
/** Bytes from the end in which an end record begins: behind it comes a comment of at most 65,535. */
const REACH = END_LENGTH + 0xffff;
const ZIP64_LENGTH = ZIP64_END_LENGTH + LOCATOR_LENGTH;
/** Bytes from the end that hold everything that is said of the frame. */
export const TAIL_LENGTH = REACH + ZIP64_LENGTH;

const END = 0x06054b50, ZIP64_END = 0x06064b50, LOCATOR = 0x07064b50;

/** {offset, size, count, isZip64} of the directory of a ZIP of `length` bytes; `tail` is its last `TAIL_LENGTH`, or all. */
export function readFrame(tail, length) {
  if (length > MAX_ZIP_LENGTH) {
    const message = `the ZIP has ${length} bytes, where at most ${MAX_ZIP_LENGTH} are allowed`;
    throw new VerificationError("container-limit-exceeded", message);
  }
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  const start = length - tail.length, last = tail.length - END_LENGTH;
  if (last < 0 || view.getUint32(last, true) !== END) throw withoutEnd(view, start);
  const frame = frameAt(view, last, start);
  if (!frame) throw ambiguous("its end record does not say where its directory is");
  if (frame.comment) throw ambiguous("its end record has a comment");
  if (frame.count > MAX_ENTRIES || frame.size > MAX_DIRECTORY_LENGTH) {
    const message = `the ZIP has more than ${MAX_ENTRIES} entries, or over ${MAX_DIRECTORY_LENGTH} bytes about them`;
    throw new VerificationError("container-limit-exceeded", message);
  }
  return frame;
}

/** The error of a file that does not end in an end record: something follows one, or it was cut. */
function withoutEnd(view, start) {
  for (let at = Math.max(view.byteLength - REACH, 0); at + END_LENGTH <= view.byteLength; at++) {
    if (view.getUint32(at, true) === END && frameAt(view, at, start)) {
      return ambiguous("bytes or a comment follow its end record");
    }
  }
  const message = "the ZIP has no end: it was cut, as by an interrupted download";
  return new VerificationError("container-incomplete", message);
}

/** The frame by the end record there, if its directory is right before it; else null. */
function frameAt(view, at, start) {
  const stated = [
    ...[4, 6, 8, 10].map((place) => view.getUint16(at + place, true)),
    ...[12, 16].map((place) => view.getUint32(at + place, true)),
  ];
  let values = stated, end = at, isZip64 = false;
  if (at >= LOCATOR_LENGTH && view.getUint32(at - LOCATOR_LENGTH, true) === LOCATOR) {
    end = at - ZIP64_LENGTH;
    isZip64 = true;
    values = zip64Values(view, end, start);
    const agrees = (value, n) => stated[n] === value || stated[n] === (n < 4 ? 0xffff : 0xffffffff);
    if (!values || !values.every(agrees)) return null;
  }
  const [disk, directoryDisk, here, count, size, offset] = values;
  if (disk || directoryDisk || here !== count || offset + size !== start + end) return null;
  return { offset, size, count, comment: view.getUint16(at + 20, true), isZip64 };
}

/** Disks, counts, size and offset by the ZIP64 end record there; null unless its locator agrees. */
function zip64Values(view, at, start) {
  if (at < 0) return null;
  const locator = at + ZIP64_END_LENGTH;
  if (view.getUint32(at, true) !== ZIP64_END || readLarge(view, at + 4) !== ZIP64_END_LENGTH - 12) return null;
  if (view.getUint32(locator + 4, true) || view.getUint32(locator + 16, true) !== 1) return null;
  if (readLarge(view, locator + 8) !== start + at) return null;
  const disks = [16, 20].map((place) => view.getUint32(at + place, true));
  const values = [...disks, ...[24, 32, 40, 48].map((place) => readLarge(view, at + place))];
  return values.some(Number.isNaN) ? null : values;
}

/** A number of eight bytes, or NaN above the largest integer of REG-1.0. */
export function readLarge(view, at) {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  return Number.isSafeInteger(value) ? value : NaN;
}
