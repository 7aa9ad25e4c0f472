/* The one entry of the pages' scripts: the player, which lives as long as the tab, and what the page shown needs. */

import "./vendor/htmx-4.0.1/htmx.esm.min.js"; // begins its work once this file has run, so that what is said below holds
import { show } from "./money.js";
import { Bar } from "./playback/bar.js";
import { watchLinks } from "./playback/came.js";
import { Playbox } from "./playback/playbox.js";
import { Player } from "./playback/player.js";
import { Queue } from "./playback/queue.js";
import { listen } from "./playback/system.js";

const BEHAVIOURS = {
  upload: () => import("./catalog/upload.js"),
  publish: () => import("./catalog/publish.js"),
  price: () => import("./catalog/price.js"),
  rows: () => import("./catalog/rows.js"),
  shares: () => import("./catalog/shares.js"),
  order: () => import("./catalog/order.js"),
  replace: () => import("./catalog/replace.js"),
  mark: () => import("./playback/mark.js"),
  photo: () => import("./playback/photo.js"),
  release: () => import("./playback/release.js"),
  period: () => import("./royalties/period.js"),
  trial: () => import("./members/trial.js"),
  roll: () => import("./members/roll.js"),
  vote: () => import("./members/vote.js"),
  times: () => import("./members/times.js"),
  run: () => import("./royalties/run.js"),
};

const player = new Player();
const queue = new Queue(player);
const bar = new Bar(document.querySelector("#player"), player, queue);
listen(bar);
watchLinks();
let playbox = null;

function showCredit({ balance_micros, promo_micros }) {
  for (const place of document.querySelectorAll("[data-credit]")) place.textContent = show(balance_micros + promo_micros);
}
player.addEventListener("charged", (event) => showCredit(event.detail));
player.addEventListener("credit", (event) => showCredit(event.detail));

/** Bring a page to life; called when it is first shown and whenever another one takes its place. */
function attach() {
  playbox?.leave();
  const root = document.querySelector("[data-listening]");
  playbox = root ? new Playbox(root, player) : null;
  bar.render();
  for (const place of document.querySelectorAll("#page [data-behaviour]")) {
    BEHAVIOURS[place.dataset.behaviour]?.().then((module) => module.attach(place, { player, queue }));
  }
}

/* Links are followed without leaving the page, so that the sound goes on (hx-boost), and so are forms that only ask;
   forms that change something are sent the plain way. */
document.addEventListener("htmx:before:init", (event) => {
  if (event.target.matches?.("form:not([hx-get], [hx-post], [method=get])")) event.preventDefault();
});
document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  attach();
  if (ctx.request?.headers["HX-Boosted"]) {
    scrollTo({ top: 0, behavior: "instant" });
    document.querySelector("#main").focus({ preventScroll: true });
  }
});
document.addEventListener("htmx:error", (event) => {
  const { ctx } = event.detail;
  if (ctx?.request?.headers["HX-Boosted"]) location.assign(ctx.request.action);
});

attach();
