/* The player's box on a work's page, with its ring and ladder: shows the player's state, passes on what is pressed. */

import { clockTime, figures, filled, templateOf } from "./states.js";
import { cameFrom } from "./came.js";
import { askToOwn, keepFree } from "./purchase.js";
import { ready } from "./sound.js";

const PARTS = ["holding", "states", "dialog"];
const AGAIN = ["stopped", "refused", "signin"];

export class Playbox {
  constructor(root, player) {
    this.root = root;
    this.player = player;
    this.box = root.querySelector(".playbox");
    this.round = this.box.querySelector("[data-act=toggle]");
    this.range = this.box.querySelector("[data-seek]");
    this.bars = Array.from(this.box.querySelectorAll(".wave rect"));
    this.read(root);
    ready();
    this.ends = new AbortController();
    const { signal } = this.ends;
    root.addEventListener("click", (event) => this.pressed(event), { signal });
    this.range.addEventListener("input", () => { this.dragging = true; this.draw(Number(this.range.value)); }, { signal });
    this.range.addEventListener("change", () => { this.dragging = false; this.seek(Number(this.range.value)); }, { signal });
    for (const [name, use] of [["change", () => this.render()], ["time", () => this.time()], ["charged", (e) => this.charged(e)], ["chose", () => this.chose()], ["heard", () => this.refresh()]]) {
      player.addEventListener(name, use, { signal });
    }
    player.remember(this.facts);
    this.render();
  }

  get mine() { return this.player.isOf(this.facts.work); }

  leave() { this.ends.abort(); }

  read(root) {
    this.facts = JSON.parse(root.dataset.listening);
    this.facts.source = cameFrom(this.facts.href);
    this.scope = root.querySelector("[data-part=states]");
  }

  pressed(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const { player } = this;
    if (act === "toggle" || act === "again") player.press(this.facts);
    else if (act === "go-on") { if (!this.mine) player.take(this.facts); player.goOn(); }
    else if (act === "stop") player.stop();
    else if (act === "go-on-by-itself") player.choose(true);
    else if (act === "ask-each-time") player.choose(false);
    else if (act === "own") askToOwn(this);
    else if (act === "keep") keepFree(this);
  }

  seek(to) {
    if (this.mine && !["ended", "resume"].includes(this.player.state)) this.player.seek(to);
    else this.time();
  }

  /* Showing. */

  render() {
    const { player } = this;
    const state = this.mine ? player.state : "idle";
    const template = this.mine ? templateOf(this.scope, player) : this.scope.querySelector("template[data-state=idle]");
    if (template) this.say(filled(template, figures(player, this.facts)));
    this.box.classList.toggle("playbox--asks", state === "asks");
    this.box.dataset.shows = state;
    const plays = this.mine && player.isPlaying;
    const again = this.mine && AGAIN.includes(state);
    this.round.querySelector("[data-icon=pause]").toggleAttribute("hidden", !plays);
    this.round.querySelector("[data-icon=play]").toggleAttribute("hidden", plays);
    this.round.classList.toggle("round--plain", again);
    const asksFirst = this.box.hasAttribute("data-asks-first") && ["idle", "stopped", "refused"].includes(state);
    this.round.hidden = asksFirst || this.box.hasAttribute("data-unavailable");
    this.round.setAttribute("aria-label", plays ? "Pause" : again ? `Hear the opening of ${this.facts.title} again` : `Play ${this.facts.title}`);
    this.box.classList.toggle("playbox--open", this.mine ? !player.held && Boolean(player.session ?? this.facts.charged) : this.facts.basis !== "paid");
    this.time();
  }

  /** Put a state's parts in their places; the status is spoken, so it is only touched when its words change. */
  say(parts) {
    const focused = this.box.contains(document.activeElement) ? document.activeElement : null;
    for (const name of ["status", "aside", "acts"]) {
      const place = this.box.querySelector(`[data-place=${name}]`);
      const part = parts.querySelector(`[data-part=${name}]`);
      const html = part ? part.innerHTML : "";
      if (place.innerHTML !== html) place.replaceChildren(...(part ? part.childNodes : []));
    }
    if (focused && !focused.isConnected) {
      const same = focused.id ? this.box.querySelector(`#${CSS.escape(focused.id)}`) : null;
      (same ?? this.nextAct()).focus({ preventScroll: true });
    }
  }

  nextAct() { return this.box.querySelector("[data-place=acts] button, [data-place=acts] a") ?? this.round; }

  time() {
    if (this.dragging) return;
    const { player } = this;
    const at = this.mine ? player.place : 0;
    this.draw(at);
    this.range.value = String(at);
    const counter = this.box.querySelector("[data-count]");
    if (counter) counter.textContent = this.count(counter.dataset.count, at);
  }

  count(what, at) {
    const until = { free: this.player.facts?.free_seconds, open: this.player.facts?.open_seconds, goes: this.player.goesAt }[what] ?? 0;
    return `${Math.max(0, Math.ceil(until - at))}\u00a0s`;
  }

  draw(at) {
    const heard = (at / this.facts.duration_seconds) * this.bars.length;
    if (this.heard !== Math.floor(heard)) {
      this.heard = Math.floor(heard);
      this.bars.forEach((bar, i) => bar.classList.toggle("w-heard", i < heard && at > 0));
    }
    const label = clockTime(at);
    this.box.querySelector("[data-at]").textContent = label;
    this.range.setAttribute("aria-valuetext", `${label} of ${clockTime(this.facts.duration_seconds)}`);
  }

  /* After money moved. */

  chose() {
    if (this.mine) this.facts.goes_on = this.player.facts.goes_on;
  }

  async charged(event) {
    if (!this.mine) return;
    this.facts.consented = true;
    await this.refresh();
    this.turn(event.detail.play_number);
  }

  /** One segment turns from red to ink, once, now that the charge is confirmed. */
  turn(number) {
    this.root.querySelector(`.ring [data-number="${number}"].seg-paid`)?.classList.add("just-paid");
  }

  /** Fetch ring, ladder, figures and words anew; the box itself stays, and with it the focus and the sound. */
  refresh() {
    this.refreshing = this.fetchAnew();
    return this.refreshing;
  }

  async fetchAnew() {
    const answer = await fetch(this.facts.listening_path, { headers: { Accept: "text/html" }, cache: "no-store" }).catch(() => null);
    if (!answer?.ok || !this.root.isConnected) return null;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-listening]");
    const focused = this.root.contains(document.activeElement) ? document.activeElement.id : "";
    for (const name of PARTS) {
      const [old, part] = [this.root.querySelector(`[data-part=${name}]`), fresh.querySelector(`[data-part=${name}]`)];
      // A dialog that is open stays: somebody is reading it, and its sum is checked when it is pressed.
      if (old && part && !old.querySelector("dialog[open]")) old.replaceWith(document.adoptNode(part));
    }
    this.root.dataset.listening = fresh.dataset.listening;
    this.read(this.root);
    if (this.mine) this.player.learn(this.facts);
    else this.render();
    if (focused && !this.root.contains(document.activeElement)) document.getElementById(focused)?.focus({ preventScroll: true });
    return this.facts;
  }
}
