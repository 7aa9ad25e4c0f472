/* Check in the visitor's browser that they are on the roll: the way from their leaf to the root on this page, the
   corrections from the root that was announced to that one, and the signature of the announcement. */

import { bytes, canonical, fetched, isSigned, sha256 } from "../proving.js";

const text = (words) => new TextEncoder().encode(words);
const joined = (first, ...parts) => Uint8Array.from([first, ...parts.flatMap((part) => [...part])]);

/** Return the root that a proof leads to (RFC 9162, 2.1.3.2), or "" where the path is not as long as the tree is deep. */
async function rootOf({ leaf, index, count, path }) {
  let here = await sha256(joined(0, text(leaf)));
  let at = index;
  let last = count - 1;
  for (const sibling of path) {
    if (last === 0) return "";
    if (at % 2 === 1 || at === last) {
      here = await sha256(joined(1, bytes(sibling), bytes(here)));
      while (at % 2 === 0 && at > 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      here = await sha256(joined(1, bytes(here), bytes(sibling)));
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? here : "";
}

/** Return whether each correction begins at the root that the one before it ended with, from the announced one on. */
function isChain(announced, corrections, root) {
  let here = announced;
  for (const one of corrections) {
    if (one.root_before !== here) return false;
    here = one.root_after;
  }
  return here === root;
}

export function attach(place) {
  if (place.dataset.attached) return;
  place.dataset.attached = "yes";
  const button = place.querySelector("button");
  const found = place.querySelector(".check__found");

  function say(words, state = "") {
    const line = document.createElement("li");
    line.textContent = words;
    if (state) line.className = state;
    found.append(line);
  }
  const tell = (holds, good, bad) => say(holds ? good : bad, holds ? "" : "is-wrong");

  async function check() {
    const proof = await (await fetched(place.dataset.proof)).json();
    const leaf = JSON.parse(proof.leaf);
    const isMine = leaf.class === place.dataset.class && leaf.election === place.dataset.election;
    tell(isMine, `Your leaf says ${leaf.class}, and is of this vote.`, "Your leaf says something else than this page.");
    const leads = (await rootOf(proof)) === place.dataset.root && proof.root === place.dataset.root;
    tell(leads, `Your leaf, one of ${proof.count}, leads to the root on this page.`, "Your leaf does not lead to the root on this page.");
    const { notice, signature, key } = proof.notice;
    const many = proof.corrections.length;
    const chained = isChain(notice.roll.root, proof.corrections, proof.root);
    tell(chained, many ? `${many} logged correction${many === 1 ? " leads" : "s lead"} from the announced root to it.` : "It is the root that was announced.", "The root does not follow from the one that was announced.");
    const { keys } = await (await fetched(place.dataset.keys)).json();
    const genuine = keys[key] ? await isSigned(keys[key], text(canonical(notice)), signature) : false;
    if (genuine === null) say("This browser knows no Ed25519, so it cannot check the signature of the notice. recount.py can.", "is-open");
    else tell(genuine, `The notice is signed with the key ${key}.`, `The notice is not signed with the key ${key}.`);
    say("The key came from this site. Keep the proof: with it you show later which roll you were on.", "is-open");
  }

  if (!globalThis.crypto?.subtle) {
    say("This browser checks nothing on an address without TLS.", "is-open");
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
