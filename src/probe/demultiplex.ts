const headerSize = 8;

/**
 * demultiplex joins the payloads of an attach stream: frames of one byte for the stream, three
 * zeros, four bytes of length, big-endian (Docker Engine API, "Attach to a container"). A last
 * frame that was cut off yields what there is of it; bytes that are no frame are passed on as they are.
 */
export function demultiplex(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < raw.length) {
    const isFrame = raw.length - at >= headerSize && (raw[at] ?? 9) <= 2 && raw.readUIntBE(at + 1, 3) === 0;
    if (!isFrame) {
      parts.push(raw.subarray(at));
      break;
    }
    const size = raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + headerSize, at + headerSize + size));
    at += headerSize + size;
  }
  return Buffer.concat(parts);
}
