/* The bar at the foot: what is heard, where in it, what it costs, and what comes next at which price. It stays while
   one moves through the site. */

import { figures, filled, templateOf } from "./states.js";
import { Panel } from "./panel.js";
import { tellPlace, tellSystem } from "./system.js";

const UNHEARD = ["idle", "resume"];

export class Bar {
  constructor(root, player, queue) {
    this.root = root;
    this.player = player;
    this.queue = queue;
    this.panel = new Panel(root, queue);
    root.addEventListener("click", (event) => this.pressed(event));
    for (const name of ["change", "charged"]) player.addEventListener(name, () => this.render());
    player.addEventListener("time", () => this.time());
    queue.addEventListener("change", () => this.render());
  }

  /** Whose bar it is: what is heard, or what the queue goes on with when play is pressed. */
  get facts() {
    const { player, queue } = this;
    return !player.facts || UNHEARD.includes(player.state) ? queue.current?.facts ?? null : player.facts;
  }

  get state() { return this.player.facts && !UNHEARD.includes(this.player.state) ? this.player.state : "idle"; }

  /** Whether the page shown has the box of the work that is heard; then the box asks and the bar only tells. */
  get hasBox() {
    const box = document.querySelector("[data-listening]");
    return Boolean(box && this.facts && JSON.parse(box.dataset.listening).work === this.facts.work);
  }

  pressed(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const { player, queue } = this;
    if (act === "toggle") player.press(this.state === "idle" ? { ...this.facts, source: "queue" } : player.facts);
    else if (act === "go-on") player.goOn();
    else if (act === "stop") player.stop();
    else if (act === "go-on-by-itself") player.choose(true);
    else if (act === "ask-each-time") player.choose(false);
    else if (act === "previous") queue.previous();
    else if (act === "next") queue.next();
  }

  render() {
    const { player, root, facts, queue } = this;
    root.hidden = !facts;
    if (root.hidden) return;
    const place = (name) => root.querySelector(`[data-place=${name}]`);
    place("title").textContent = facts.title;
    place("title").href = facts.href;
    place("by").textContent = facts.by;
    const cover = root.querySelector("img");
    cover.hidden = !facts.cover;
    if (facts.cover && cover.getAttribute("src") !== facts.cover) cover.src = facts.cover;
    const plays = this.state !== "idle" && player.isPlaying;
    const round = root.querySelector("[data-act=toggle]");
    round.setAttribute("aria-label", plays ? "Pause" : `Play ${facts.title}`);
    round.querySelector("[data-icon=pause]").toggleAttribute("hidden", !plays);
    round.querySelector("[data-icon=play]").toggleAttribute("hidden", plays);
    root.querySelector("[data-act=previous]").hidden = !queue.lines.length;
    root.querySelector("[data-act=next]").hidden = !queue.following;
    this.say(facts);
    tellSystem(facts, { plays, player, queue });
    this.time();
  }

  /** What it costs, and what is asked. One message for a state: where the work's own box is shown, that speaks. */
  say(facts) {
    const { player, root, hasBox } = this;
    const template = this.state === "idle" ? root.querySelector("template[data-state=idle]") : templateOf(root, player);
    if (!template) return;
    const cost = root.querySelector("[data-place=cost]");
    if (hasBox || this.state === "idle") cost.removeAttribute("role");
    else cost.setAttribute("role", "status");
    const parts = filled(template, { ...figures(player, facts), queued: this.queue.current?.row.querySelector(".queue__price").textContent.trim() ?? "" });
    for (const link of parts.querySelectorAll("[data-back-href]")) link.href = link.dataset.backHref.replace("BACK", encodeURIComponent(facts.href));
    put(cost, parts.querySelector("[data-part=cost]"));
    put(root.querySelector("[data-place=acts]"), hasBox ? null : parts.querySelector("[data-part=acts]"));
  }

  time() {
    const { facts, player, root } = this;
    if (!facts || root.hidden) return;
    const percent = (seconds) => String(Math.min(100, (100 * seconds) / facts.duration_seconds).toFixed(2));
    root.querySelector(".player__line i").style.setProperty("--at", percent(this.state === "idle" ? facts.place_seconds : player.place));
    const gate = root.querySelector(".player__line b");
    gate.hidden = this.state === "idle" || !player.held || !facts.free_seconds;
    if (!gate.hidden) gate.style.setProperty("--gate", percent(facts.free_seconds));
    if (this.state !== "idle") tellPlace(player);
  }
}

/** Put a part in its place, unless it stands there already: a button that is being pressed must not be taken away. */
function put(place, part) {
  if (place.innerHTML !== (part ? part.innerHTML : "")) place.replaceChildren(...(part ? part.childNodes : []));
}
