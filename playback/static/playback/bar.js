/* The bar at the foot: what is heard, where in it, what it costs. It stays while one moves through the site. */

import { figures, filled, templateOf } from "./states.js";

export class Bar {
  constructor(root, player) {
    this.root = root;
    this.player = player;
    root.addEventListener("click", (event) => this.pressed(event));
    for (const name of ["change", "charged"]) player.addEventListener(name, () => this.render());
    player.addEventListener("time", () => this.time());
    this.listenToKeys();
  }

  /** Whether the page shown has the box of the work that is heard; then the box asks and the bar only tells. */
  get hasBox() {
    const box = document.querySelector("[data-listening]");
    return Boolean(box && this.player.facts && JSON.parse(box.dataset.listening).work === this.player.facts.work);
  }

  pressed(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const { player } = this;
    if (act === "toggle") player.press(player.facts);
    else if (act === "go-on") player.goOn();
    else if (act === "stop") player.stop();
  }

  render() {
    const { player, root } = this;
    root.hidden = !player.facts || ["idle", "resume"].includes(player.state);
    if (root.hidden) return;
    const { facts } = player;
    const title = root.querySelector("[data-place=title]");
    title.textContent = facts.title;
    title.href = facts.href;
    root.querySelector("[data-place=by]").textContent = facts.by;
    const cover = root.querySelector("img");
    cover.hidden = !facts.cover;
    if (facts.cover && cover.getAttribute("src") !== facts.cover) cover.src = facts.cover;
    const plays = player.isPlaying;
    const round = root.querySelector("[data-act=toggle]");
    round.setAttribute("aria-label", plays ? "Pause" : `Play ${facts.title}`);
    round.querySelector("[data-icon=pause]").toggleAttribute("hidden", !plays);
    round.querySelector("[data-icon=play]").toggleAttribute("hidden", plays);
    const template = templateOf(root, player);
    const cost = root.querySelector("[data-place=cost]");
    const hasBox = this.hasBox;
    // One message for a state: where the box is shown, it speaks.
    if (hasBox) cost.removeAttribute("role");
    else cost.setAttribute("role", "status");
    if (template) {
      const parts = filled(template, figures(player, facts));
      cost.replaceChildren(...parts.querySelector("[data-part=cost]").childNodes);
      const acts = parts.querySelector("[data-part=acts]");
      root.querySelector("[data-place=acts]").replaceChildren(...(acts && !hasBox ? acts.childNodes : []));
    }
    this.tellSystem(facts, plays);
    this.time();
  }

  time() {
    const { facts, held } = this.player;
    if (!facts || this.root.hidden) return;
    const percent = (seconds) => String(Math.min(100, (100 * seconds) / facts.duration_seconds).toFixed(2));
    this.root.querySelector(".player__line i").style.setProperty("--at", percent(this.player.place));
    const gate = this.root.querySelector(".player__line b");
    gate.hidden = !held || !facts.free_seconds;
    if (!gate.hidden) gate.style.setProperty("--gate", percent(facts.free_seconds));
  }

  /* The keys of a keyboard or headset, and the lock screen of a phone. */

  listenToKeys() {
    const system = navigator.mediaSession;
    if (!system) return;
    const { player } = this;
    system.setActionHandler("play", () => player.facts && player.audio.paused && player.press(player.facts));
    system.setActionHandler("pause", () => player.audio.pause());
    system.setActionHandler("seekto", ({ seekTime }) => player.facts && player.seek(seekTime));
  }

  tellSystem(facts, plays) {
    const system = navigator.mediaSession;
    if (!system) return;
    system.playbackState = plays ? "playing" : "paused";
    if (this.told === facts.work) return;
    this.told = facts.work;
    system.metadata = new MediaMetadata({ title: facts.title, artist: facts.by, artwork: facts.cover ? [{ src: new URL(facts.cover, location.href).href }] : [] });
  }
}
