/* What was dropped or chosen, file by file with the folder it lay in, and what of it cannot be sent. */

const RECORDINGS = /\.(flac|wav|aiff?|mp3|m4a|mp4|aac|ogg|oga|opus)$/i;
const PHOTOS = /\.(jpe?g|png|tiff?|webp)$/i;
const ARTWORK = /^(cover|folder|front|back|albumart.*|artwork|booklet.*|cd|disc)\b.*\.(jpe?g|png|webp|tiff?)$/i;
const FRONT = /^(cover|folder|front|albumart)\b.*\.(jpe?g|png|webp)$/i;

/** Return whether a picture beside recordings is called like the front of their sleeve: it becomes that, and no photo. */
export function isFront(name) {
  return FRONT.test(name);
}

/** Return [file, folder] of everything under what was dropped. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((one) => one.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => [file, ""]);
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry, folder, found) {
  if (entry.isFile) {
    found.push([await new Promise((resolve, reject) => entry.file(resolve, reject)), folder]);
    return;
  }
  const reader = entry.createReader();
  const here = folder ? `${folder}/${entry.name}` : entry.name;
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const one of some) await walk(one, here, found);
  }
}

/** Return [file, folder] of what was chosen. */
export function chosen(files) {
  return [...files].map((file) => [file, file.webkitRelativePath.split("/").slice(0, -1).join("/")]);
}

/** Tell what can be sent from what cannot, and why not. Notes, lists and hidden files of a folder are passed over. */
export function sort(found, { bytesMost, photoBytesMost }) {
  const withSound = new Set(found.filter(([file]) => RECORDINGS.test(file.name)).map(([, folder]) => folder));
  const good = [];
  const leftOut = [];
  for (const [file, folder] of found) {
    const photo = PHOTOS.test(file.name) || file.type.startsWith("image/");
    const sound = RECORDINGS.test(file.name) || file.type.startsWith("audio/");
    if (file.name.startsWith(".") || (folder && !photo && !sound)) continue;
    if (file.size === 0) leftOut.push([file.name, "it is empty"]);
    else if (photo && withSound.has(folder) && folder && ARTWORK.test(file.name) && !isFront(file.name)) leftOut.push([file.name, "it looks like artwork of the recordings beside it, and is not its front. If it is a photo of its own, choose it by itself"]);
    else if (file.size > (photo ? photoBytesMost : bytesMost)) leftOut.push([file.name, `it is larger than ${Math.floor((photo ? photoBytesMost : bytesMost) / 1_000_000)} MB`]);
    else good.push([file, folder]);
  }
  return { good, leftOut };
}
