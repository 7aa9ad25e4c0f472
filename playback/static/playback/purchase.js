/* "Own it now": asks once more with the exact sum, then pays the rest. One intent has one key, however often it is sent. */

import * as api from "../api.js";
import { show } from "../money.js";

/** Open the dialog and, when the sum is pressed, buy the rest of the work. */
export async function askToOwn(box) {
  await box.refreshing; // the sum of a moment ago, when a charge has just gone through, would be too high
  const dialog = box.root.querySelector("[data-dialog=own]");
  const intent = { key: api.newKey(), price: box.facts.remaining_micros, sending: false };
  const say = (text) => { dialog.querySelector("[data-place=refusal]").textContent = text; };
  const print = () => { for (const place of dialog.querySelectorAll("[data-fill=own]")) place.textContent = show(intent.price); };
  say("");
  print();
  const confirm = dialog.querySelector("[data-act=confirm-own]");
  const topUp = dialog.querySelector("[data-top-up]");
  topUp.hidden = true;
  confirm.onclick = async () => {
    if (intent.sending) return;
    intent.sending = true;
    confirm.setAttribute("aria-disabled", "true");
    try {
      const bought = await pay(box, intent, () => say("The connection is gone. It is asked again by itself, and paid once at most."));
      dialog.close();
      await showBought(box, bought);
    } catch (error) {
      if (error.slug === "price-changed") {
        const quote = error.content.quote;
        intent.key = api.newKey();
        intent.price = quote.remaining_micros;
        print();
        say(`The price has moved: the rest now costs ${show(intent.price)}. Nothing was charged.`);
      } else {
        topUp.hidden = error.slug !== "insufficient-funds";
        say(`${error.message} Nothing was charged.`);
      }
    } finally {
      intent.sending = false;
      confirm.removeAttribute("aria-disabled");
    }
  };
  dialog.querySelector("[data-act=cancel-own]").onclick = () => dialog.close();
  dialog.showModal();
}

/** Keep a work that is free: nothing is charged, so nothing is asked. */
export async function keepFree(box) {
  try {
    await showBought(box, await pay(box, { key: api.newKey(), price: 0 }, () => {}));
  } catch (error) {
    const place = box.box.querySelector("[data-place=keep-refusal]");
    place.textContent = error.message;
    place.hidden = false;
  }
}

async function pay(box, intent, waiting) {
  if (intent.price > 0 && !box.facts.consented) {
    await api.insist(() => api.submit("/wallet/consent", { version: box.facts.consent_version }), { waiting });
  }
  return api.insist(() => api.purchase(box.facts.work, intent.price, intent.key), { waiting });
}

async function showBought(box, answer) {
  box.player.dispatchEvent(new CustomEvent("credit", { detail: answer }));
  const facts = await box.refresh();
  if (facts) await box.player.bought(facts);
  box.round.focus({ preventScroll: true });
}
