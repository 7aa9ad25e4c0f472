/* What the system is told and tells: the keys of a keyboard or headset, the lock screen of a phone (Media Session), and
   keys on the page itself. */

const STEP_SECONDS = 10;
const system = navigator.mediaSession;
let told = "";
let placedAt = -1;

/** Say what is heard and what may be pressed. */
export function tellSystem(facts, { plays, player, queue }) {
  if (!system) return;
  system.playbackState = plays ? "playing" : "paused";
  offer("nexttrack", queue.following && (() => queue.next()), player);
  offer("previoustrack", queue.lines.length ? () => queue.previous() : null, player);
  if (told === facts.work) return;
  told = facts.work;
  placedAt = -1;
  const artwork = facts.cover ? [{ src: new URL(facts.cover, location.href).href, sizes: "any" }] : [];
  system.metadata = new MediaMetadata({ title: facts.title, artist: facts.by, album: facts.release ?? "", artwork });
}

/** Say where it stands, once a second: more often than a lock screen draws it would be of no use. */
export function tellPlace({ facts, place, audio }) {
  const second = Math.floor(place);
  if (!system?.setPositionState || second === placedAt) return;
  placedAt = second;
  const duration = facts.duration_seconds;
  if (duration > 0) system.setPositionState({ duration, position: Math.min(place, duration), playbackRate: audio.playbackRate || 1 });
}

/** Listen to the system's buttons, and to the keys that the queue's panel names. */
export function listen(bar) {
  const { player, queue } = bar;
  const step = (seconds) => player.facts && player.seek(player.place + seconds);
  offer("play", () => player.audio.paused && bar.facts && player.press(bar.state === "idle" ? bar.facts : player.facts), player);
  offer("pause", () => player.audio.pause(), player);
  offer("stop", () => player.audio.pause(), player);
  offer("seekto", ({ seekTime }) => player.facts && player.seek(seekTime), player);
  offer("seekforward", ({ seekOffset }) => step(seekOffset || STEP_SECONDS), player);
  offer("seekbackward", ({ seekOffset }) => step(-(seekOffset || STEP_SECONDS)), player);
  const keys = {
    " ": () => bar.root.querySelector("[data-act=toggle]").click(),
    ArrowLeft: () => step(-STEP_SECONDS),
    ArrowRight: () => step(STEP_SECONDS),
    ArrowDown: () => queue.next(),
    ArrowUp: () => queue.previous(),
  };
  document.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || !event.shiftKey || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (bar.root.hidden || isBusy(event.target)) return;
    event.preventDefault();
    act();
  });
}

/** Whether the key means something where it was pressed: a field, a button, a dialog, text that is being selected. */
function isBusy(target) {
  const control = target.closest?.("input, textarea, select, button, a, summary, dialog, [contenteditable], [role=slider], [tabindex='0']");
  return Boolean(control || !getSelection().isCollapsed);
}

function offer(name, act, player) {
  try {
    system?.setActionHandler(name, act ? (details) => { player.touched(); act(details); } : null);
  } catch {
    // a browser that does not know this button has none
  }
}
