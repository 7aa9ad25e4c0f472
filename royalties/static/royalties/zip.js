/* Reads a zip as our bundles are: one disk, no comment, stored or deflated, sizes of 32 bits. */

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;

async function inflated(content) {
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).arrayBuffer();
}

/** Return the files of a zip by their names. Throws what cannot be read. */
export async function files(zip) {
  const view = new DataView(zip);
  const end = zip.byteLength - END_BYTES;
  if (end < 0 || view.getUint32(end, true) !== END) throw new Error("it is no zip");
  const found = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
    if (view.getUint32(at, true) !== ENTRY) throw new Error("the zip is damaged");
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    const name = new TextDecoder().decode(new Uint8Array(zip, at + ENTRY_BYTES, nameBytes));
    const local = view.getUint32(at + 42, true);
    const begins = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const packed = zip.slice(begins, begins + view.getUint32(at + 20, true));
    if (found.has(name)) throw new Error(`${name} is in the zip twice`);
    found.set(name, view.getUint16(at + 10, true) === 0 ? packed : await inflated(packed));
    at += ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
  }
  return found;
}
