/* The sound behind one address that grows: hls.js with a loader that holds the playlist's reloads until the charge.
   Polling would load for ever and still miss a late charge; a held reload continues without a gap. */

const RELOADS_MAX = 5;
const CALM_MS = 20_000;

let library;
/** Fetch hls.js once; called when a page shows a player, so that it is there when play is pressed. */
export function ready() {
  library ??= import("../vendor/hls.js-1.7.4/hls.light.min.mjs").then((module) => module.default);
  return library;
}

function growing(address) {
  const url = new URL(address, location.href);
  url.searchParams.set("growing", "1");
  return url.href;
}

function loaderFor(Hls, gate) {
  return class HeldLoader extends Hls.DefaultConfig.loader {
    load(context, config, callbacks) {
      // The first load of a media playlist is of type 'manifest'; its reloads are of type 'level'.
      if (context.type !== "level" || gate.isOpen) {
        super.load(context, config, callbacks);
        return;
      }
      this.dropped = false;
      gate.opened.then(() => { if (!this.dropped) super.load(context, config, callbacks); });
    }
    abort() { this.dropped = true; super.abort(); }
    destroy() { this.dropped = true; super.destroy(); }
  };
}

function newGate(isOpen) {
  const gate = { isOpen };
  gate.opened = new Promise((resolve) => { gate.open = () => { gate.isOpen = true; resolve(); }; });
  if (isOpen) gate.open();
  return gate;
}

/** One audio element, never in the document, and whatever feeds it. Events: `lost` (detail: status), `back`. */
export class Sound extends EventTarget {
  constructor() {
    super();
    this.audio = new Audio();
    this.audio.preload = "auto";
    this.audio.disableRemotePlayback = true;
    this.gate = newGate(true);
    this.hls = null;
    this.reloads = [];
    this.address = "";
  }

  get hasSource() { return this.hls !== null || Boolean(this.audio.src); }

  /** Load the address and start at `at`. With `held`, the playlist is the opening and grows when `release` is called. */
  async open(address, { held, at = 0, duration }) {
    const Hls = await ready();
    this.close();
    this.address = address;
    this.duration = duration;
    this.gate = newGate(!held);
    // Media source extensions are asked for first: some browsers' native HLS plays a growing playlist wrongly.
    if (!Hls.isSupported()) {
      this.openNatively(at);
      return;
    }
    const hls = new Hls({
      pLoader: loaderFor(Hls, this.gate),
      startPosition: at,
      maxBufferLength: 30,
      enableWorker: false,
    });
    this.hls = hls;
    this.mediaMended = false;
    hls.on(Hls.Events.ERROR, (_, fault) => this.mend(Hls, fault));
    hls.on(Hls.Events.FRAG_BUFFERED, () => this.dispatchEvent(new CustomEvent("back")));
    hls.loadSource(growing(address));
    hls.attachMedia({ media: this.audio, overrides: { duration } });
  }

  /** Without media source extensions the plain playlist is played: the opening, and after the charge the whole. */
  openNatively(at) {
    this.audio.src = this.address;
    if (at) this.audio.addEventListener("loadedmetadata", () => { this.audio.currentTime = at; }, { once: true });
  }

  /** Let the playlist grow: the charge is confirmed. */
  release() {
    const wasHeld = !this.gate.isOpen;
    this.gate.open();
    if (wasHeld && !this.hls && this.address) {
      const playing = !this.audio.paused;
      this.openNatively(this.audio.currentTime);
      if (playing) this.audio.play().catch(() => {});
    }
  }

  /** Load the same address again where the sound stands: addresses of segments live shorter than a long pause. */
  async reload() {
    const playing = !this.audio.paused;
    const held = !this.gate.isOpen;
    await this.open(this.address, { held, at: this.audio.currentTime, duration: this.duration });
    if (playing) this.audio.play().catch(() => {});
  }

  mend(Hls, fault) {
    if (!fault.fatal) return;
    const status = fault.response?.code ?? 0;
    if (fault.type === Hls.ErrorTypes.MEDIA_ERROR && !this.mediaMended) {
      this.mediaMended = true;
      this.hls.recoverMediaError();
      return;
    }
    const now = performance.now();
    this.reloads = this.reloads.filter((moment) => now - moment < CALM_MS);
    const playlistRefused = fault.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR || fault.details === Hls.ErrorDetails.LEVEL_LOAD_ERROR;
    if ([403, 404, 410].includes(status) && !playlistRefused && this.reloads.length < RELOADS_MAX) {
      this.reloads.push(now);
      this.reload();
      return;
    }
    this.dispatchEvent(new CustomEvent("lost", { detail: { status, details: fault.details } }));
  }

  close() {
    this.gate.open();
    if (this.hls) {
      this.hls.destroy();
      this.hls = null;
    } else if (this.audio.src) {
      this.audio.removeAttribute("src");
      this.audio.load();
    }
  }
}
