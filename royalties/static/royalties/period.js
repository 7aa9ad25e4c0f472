/* Check a month in the visitor's browser: the zip against the hash on this page, the manifest against its signature, and
   every file in the zip against the manifest. Recomputing the lines is the program's work (verify_bundle.py). */

import { files } from "./zip.js";

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const sha256 = async (content) => hex(await crypto.subtle.digest("SHA-256", content));

/** Return the canonical JSON (RFC 8785) of texts, whole numbers, null, lists and objects. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") {
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Return whether the manifest was signed with that key; null where the browser knows no Ed25519. */
async function isSigned(publicKey, message, signature) {
  let key;
  try {
    key = await crypto.subtle.importKey("raw", bytes(publicKey), { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, bytes(signature), message);
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
  return answer;
}

export function attach(place) {
  const button = place.querySelector("button");
  const found = place.querySelector(".check__found");

  function say(words, state = "") {
    const line = document.createElement("li");
    line.textContent = words;
    if (state) line.className = state;
    found.append(line);
    return state !== "is-wrong";
  }

  async function check() {
    const zip = await (await fetched(place.dataset.bundle)).arrayBuffer();
    const isThatZip = (await sha256(zip)) === place.dataset.sha256;
    if (!say(isThatZip ? "The bundle has the SHA-256 that stands on this page." : "The bundle has another SHA-256 than this page says.", isThatZip ? "" : "is-wrong")) return;
    const content = await files(zip);
    const signed = JSON.parse(new TextDecoder().decode(content.get("manifest.json")));
    const message = new TextEncoder().encode(canonical(signed.manifest));
    const isThatManifest = (await sha256(message)) === place.dataset.manifestSha256;
    if (!isThatManifest) return say("Its manifest is another than this page names.", "is-wrong");
    const { keys } = await (await fetched(place.dataset.keys)).json();
    const genuine = keys[signed.key] ? await isSigned(keys[signed.key], message, signed.signature) : false;
    if (genuine === null) say("This browser knows no Ed25519, so it cannot check the signature. verify_bundle.py can.", "is-open");
    else say(genuine ? `The manifest is signed with the key ${signed.key}.` : `The manifest is not signed with the key ${signed.key}.`, genuine ? "" : "is-wrong");
    const named = signed.manifest.files;
    const wrong = [];
    for (const file of named) {
      const here = content.get(file.name);
      if (!here || (await sha256(here)) !== file.sha256) wrong.push(file.name);
    }
    for (const name of content.keys()) {
      if (name !== "manifest.json" && !named.some((file) => file.name === name)) wrong.push(name);
    }
    say(wrong.length ? `Not as the manifest says: ${wrong.join(", ")}.` : `All ${named.length} files are as the manifest says.`, wrong.length ? "is-wrong" : "");
    say("The key came from this site. Whoever kept it elsewhere can compare; recomputing every line is the script’s work.", "is-open");
  }

  if (!globalThis.crypto?.subtle) {
    say("This browser checks nothing on an address without TLS. The script does.", "is-open");
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    found.replaceChildren();
    try {
      await check();
    } catch (error) {
      say(`It could not be checked: ${error.message}.`, "is-wrong");
    }
    button.disabled = false;
  });
}
