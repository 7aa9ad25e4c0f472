/* Check a month in the visitor's browser: the zip against the hash on this page, the manifest against its signature, and
   every file in the zip against the manifest. Recomputing the lines is the program's work (verify_bundle.py). */

import { canonical, fetched, isSigned, sha256 } from "../proving.js";
import { files } from "./zip.js";

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
