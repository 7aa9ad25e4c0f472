/* A framed opening. It asks for it when play is pressed, without any cookie, and stops where it ends. */

const PLAY = "M5 2.5v15L17 10z";
const PAUSE = "M4 3h4.2v14H4zM11.8 3H16v14h-4.2z";

const root = document.querySelector("[data-embed]");
const place = (name) => document.querySelector(`[data-place=${name}]`);
const button = place("play");
const audio = new Audio();
const title = button.getAttribute("aria-label").replace(/^Play the opening of /, "");
let loaded = null;

function say(words) { place("said").textContent = words; }

/** Fetch the opening's address and give it to the sound, by hls.js where it works and natively elsewhere. */
async function load() {
  const answer = await fetch(root.dataset.opening, { credentials: "omit", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const { playlist_url: address } = await answer.json();
  const { default: Hls } = await import("../vendor/hls.js-1.7.4/hls.light.min.mjs");
  if (!Hls.isSupported()) {
    audio.src = address;
    return;
  }
  const hls = new Hls({ startPosition: 0, xhrSetup: (request) => { request.withCredentials = false; } });
  await new Promise((ready, failed) => {
    hls.on(Hls.Events.MANIFEST_PARSED, ready);
    hls.on(Hls.Events.ERROR, (_, error) => { if (error.fatal) { hls.destroy(); loaded = null; failed(new Error(error.details)); } });
    hls.loadSource(address);
    hls.attachMedia(audio);
  });
}

function draw() {
  place("icon").setAttribute("d", audio.paused ? PLAY : PAUSE);
  button.setAttribute("aria-label", `${audio.paused ? "Play" : "Pause"} the opening of ${title}`);
}

button.addEventListener("click", async () => {
  if (!audio.paused) {
    audio.pause();
    return;
  }
  try {
    say("");
    loaded ??= load();
    await loaded;
    if (audio.ended) audio.currentTime = 0;
    await audio.play();
  } catch {
    loaded = null;
    say("The opening cannot be heard right now.");
  }
});
for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, draw);
audio.addEventListener("ended", () => say("The opening is over."));
audio.addEventListener("timeupdate", () => {
  if (Number.isFinite(audio.duration) && audio.duration > 0) place("progress").value = Math.round(1000 * audio.currentTime / audio.duration);
});
