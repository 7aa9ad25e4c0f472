/* A photo's page: the preview, the full size for the price on its button, and the ten minutes for which that stays
   open. The server says what stands on the page; this asks, pays what was pressed, and fetches the page's parts anew. */

import * as api from "../api.js";
import { show } from "../money.js";
import { cameFrom } from "./came.js";
import { askToOwn, keepFree } from "./purchase.js";
import { filled } from "./states.js";

const PARTS = ["plate", "strip", "dialog", "holding"];
const isOpen = (session) => session.owned || session.own || session.free || session.charged;

export function attach(root, { player }) {
  new Photo(root, player).begin();
}

class Photo {
  constructor(root, player) {
    this.root = root;
    this.box = root;
    this.player = player;
    this.read();
    root.addEventListener("click", (event) => this.pressed(event));
  }

  get round() { return this.root.querySelector("#size, #open") ?? document.querySelector("#main"); }

  read() {
    this.facts = JSON.parse(this.root.dataset.looking);
    this.facts.source = cameFrom(this.facts.href);
  }

  begin() {
    this.watch();
    if (this.facts.counts) this.count();
  }

  /** What opens free is counted as seen, as a track that is heard; it never moves money. */
  async count() {
    try {
      const session = await api.beginSession(this.facts.work, this.facts.source);
      if (session.owned || session.own || session.free) await api.progress(session.id, 0, "playing");
    } catch {
      // a view that was not counted costs nobody anything
    }
  }

  pressed(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (act === "open") this.open();
    else if (act === "own") askToOwn(this);
    else if (act === "keep") keepFree(this);
    else if (act === "size") this.size(event.target.closest("[data-act]"));
  }

  /** Between the whole in the window and a point of the picture for each point of the screen. */
  size(button) {
    const plate = this.root.querySelector(".plate");
    button.setAttribute("aria-pressed", String(plate.classList.toggle("plate--actual")));
    if (plate.classList.contains("plate--actual")) plate.focus();
  }

  /** Pay for a view what the button showed, never more, and show it. */
  async open() {
    if (this.busy) return;
    this.busy = true;
    const shown = this.facts.price_micros;
    const waiting = () => this.say("gone");
    this.root.querySelector("[data-place=slip]").replaceChildren();
    this.say("asking", { price: show(shown) });
    try {
      const session = await api.insist(() => api.beginSession(this.facts.work, this.facts.source), { waiting });
      if (!isOpen(session)) {
        if (session.price_micros !== shown) { this.moved(shown, session); return; }
        if (!this.facts.consented) await api.insist(() => api.submit("/wallet/consent", { version: this.facts.consent_version }), { waiting });
        const answer = await api.insist(() => api.charge(session.id, shown), { waiting });
        this.player.dispatchEvent(new CustomEvent("credit", { detail: answer }));
        await this.refresh();
        this.root.querySelector(`.ring [data-number="${answer.play_number}"].seg-paid`)?.classList.add("just-paid");
      } else {
        await this.refresh();
      }
      this.round.focus({ preventScroll: true });
    } catch (error) {
      this.refused(error, shown);
    } finally {
      this.busy = false;
    }
  }

  async refused(error, shown) {
    if (!(error instanceof api.Problem)) throw error;
    if (error.slug === "price-changed") { this.moved(shown, error.content.quote); return; }
    if (error.slug === "insufficient-funds" || error.status === 401) { location.reload(); return; }
    await this.refresh();
    this.slip("refused", { problem: error.content.title, detail: error.message, slug: error.slug });
  }

  async moved(shown, quote) {
    await this.refresh();
    const policy = `pricing ${quote.pricing_version}`;
    this.slip("refused-price-changed", { price: show(quote.price_micros), shown: show(shown), policy, policyHref: quote.pricing_href });
  }

  say(state, values = {}) {
    const template = this.root.querySelector(`template[data-state=${state}]`);
    this.root.querySelector("[data-place=status]").replaceChildren(filled(template, values));
  }

  slip(state, values) {
    this.root.querySelector("[data-place=slip]").replaceChildren(filled(this.root.querySelector(`template[data-state="${state}"]`), values));
  }

  /** When the time is over, the preview comes back. Nothing is pressed by it, and nothing charged. */
  watch() {
    clearTimeout(this.timer);
    if (!this.facts.open_seconds_left) return;
    this.timer = setTimeout(async () => {
      if (!this.root.isConnected || !(await this.refresh())) return;
      if (!this.facts.open_seconds_left) this.say("over");
    }, this.facts.open_seconds_left * 1000 + 500);
  }

  refresh() {
    this.refreshing = this.fetchAnew();
    return this.refreshing;
  }

  async fetchAnew() {
    const answer = await fetch(this.facts.listening_path, { headers: { Accept: "text/html" }, cache: "no-store" }).catch(() => null);
    if (!answer?.ok || !this.root.isConnected) return null;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-looking]");
    for (const name of PARTS) {
      const [old, part] = [this.root.querySelector(`[data-part=${name}]`), fresh.querySelector(`[data-part=${name}]`)];
      if (old && part && !old.querySelector("dialog[open]")) old.replaceWith(document.adoptNode(part));
    }
    this.root.dataset.looking = fresh.dataset.looking;
    this.read();
    this.watch();
    return this.facts;
  }
}
