// CRC-32 as ZIP uses it (ISO 3309, polynomial 0xEDB88320), eight bytes at a time.

const TABLES = makeTables();

function makeTables() {
  const tables = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let value = n;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    tables[n] = value;
  }
  for (let at = 256; at < tables.length; at++) {
    tables[at] = tables[tables[at - 256] & 0xff] ^ (tables[at - 256] >>> 8);
  }
  return tables;
}

/** The CRC-32 of what was read before, whose value is `before`, and of `data` behind it. */
export function crc32(data, before = 0) {
  const t = TABLES;
  const whole = data.length - (data.length % 8);
  let crc = ~before, at = 0;
  for (; at < whole; at += 8) {
    const low = crc ^ (data[at] | (data[at + 1] << 8) | (data[at + 2] << 16) | (data[at + 3] << 24));
    crc = t[1792 + (low & 0xff)] ^ t[1536 + ((low >>> 8) & 0xff)] ^ t[1280 + ((low >>> 16) & 0xff)] ^ t[1024 + (low >>> 24)]
      ^ t[768 + data[at + 4]] ^ t[512 + data[at + 5]] ^ t[256 + data[at + 6]] ^ t[data[at + 7]];
  }
  for (; at < data.length; at++) crc = t[(crc ^ data[at]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}
