/* A release: its lines follow what is played and paid, and all of it can be bought at once, for the list and the sum
   that the dialog shows, or not at all. */

import * as api from "../api.js";
import { show } from "../money.js";

const PARTS = ["tracks", "acts", "dialog"];

export function attach(root, { player }) {
  const release = new Release(root, player);
  release.render();
}

class Release {
  constructor(root, player) {
    this.root = root;
    this.player = player;
    this.read();
    root.addEventListener("click", (event) => this.pressed(event));
    this.ends = new AbortController();
    const { signal } = this.ends;
    const while_shown = (use) => () => (root.isConnected ? use() : this.ends.abort());
    player.addEventListener("change", while_shown(() => this.render()), { signal });
    for (const name of ["charged", "credit"]) player.addEventListener(name, while_shown(() => this.refresh()), { signal });
    player.addEventListener("heard", while_shown(() => player.reporting?.then(() => this.refresh())), { signal });
  }

  read() { this.facts = JSON.parse(this.root.dataset.release); }

  get dialog() { return this.root.querySelector("[data-dialog=own-release]"); }

  pressed(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "own-release") this.ask();
    else if (act === "cancel-own-release") this.dialog.close();
    else if (act === "confirm-own-release") this.buy();
  }

  /** Mark the line that is heard. */
  render() {
    const heard = this.player.isPlaying ? this.player.facts?.work : null;
    for (const row of this.root.querySelectorAll("[data-work]")) row.querySelector(".tracks__heard").hidden = row.dataset.work !== heard;
  }

  async ask() {
    await this.refreshing; // the sum of a moment ago, when a charge has just gone through, would be too high
    this.intent = { key: api.newKey(), price_micros: this.facts.purchase_micros, list_hash: this.facts.list_hash };
    this.say("");
    this.dialog.showModal();
  }

  say(words) { this.dialog.querySelector("[data-place=refusal]").textContent = words; }

  /** Buy what the dialog lists, for what it says. One intent has one key, however often it is sent. */
  async buy() {
    const { intent, facts } = this;
    if (intent.sending) return;
    intent.sending = true;
    const waiting = () => this.say("The connection is gone. It is asked again by itself, and paid once at most.");
    const { key, price_micros, list_hash } = intent;
    try {
      if (price_micros > 0 && !facts.consented) {
        await api.insist(() => api.submit("/wallet/consent", { version: facts.consent_version }), { waiting });
      }
      const bought = await api.insist(() => api.purchaseRelease(facts.release, { price_micros, list_hash }, key), { waiting });
      this.dialog.close();
      this.player.dispatchEvent(new CustomEvent("credit", { detail: bought }));
      await this.refreshing;
      this.root.querySelector("[data-place=receipt]").textContent = bought.charged_micros
        ? `${show(bought.charged_micros)} paid. All of it is yours.` : "It is kept, and yours.";
      this.root.querySelector("#play-all")?.focus({ preventScroll: true });
    } catch (error) {
      if (error.slug === "price-changed") await this.changed();
      else this.refused(error);
    } finally {
      intent.sending = false;
    }
  }

  refused(error) {
    this.dialog.querySelector("[data-top-up]").hidden = error.slug !== "insufficient-funds";
    this.say(`${error.message} Nothing was charged.`);
  }

  /** Another sum or another list than shown: show the one that holds now, and let it be pressed anew. */
  async changed() {
    this.dialog.close();
    await this.refresh();
    if (!this.dialog) return;
    await this.ask();
    this.say("The price or the list has changed since it was shown; this is what holds now. Nothing was charged.");
  }

  refresh() {
    this.refreshing = this.fetchAnew();
    return this.refreshing;
  }

  async fetchAnew() {
    const answer = await fetch(this.facts.part_path, { headers: { Accept: "text/html" }, cache: "no-store" }).catch(() => null);
    if (!answer?.ok || !this.root.isConnected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-release]");
    const focused = this.root.contains(document.activeElement) ? document.activeElement.id : "";
    for (const name of PARTS) {
      const [old, part] = [this.root.querySelector(`[data-part=${name}]`), fresh?.querySelector(`[data-part=${name}]`)];
      // A dialog that is open stays: somebody is reading it, and its list is checked when it is pressed.
      if (old && part && !old.querySelector("dialog[open]")) old.replaceWith(document.adoptNode(part));
    }
    if (fresh) this.root.dataset.release = fresh.dataset.release;
    this.read();
    this.render();
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
}
