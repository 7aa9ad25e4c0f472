/* The player: one for the whole site. It knows what is heard, what it costs and what was paid; the boxes on the pages
   and the bar at the foot only show its state. States are those of FACE section 5:

   idle, loading, opening, asks, going (on by itself, for the lead seconds), charging, playing, stopped, refused, signin,
   gone (no answer), resume (paid already, not yet pressed), ended.

   It charges in two cases only: a button with the price was pressed, or playback (never a seek) passed the free seconds
   of a listener who chose that plays go on by themselves. */

import * as api from "../api.js";
import * as kept from "./kept.js";
import { Sound, ready } from "./sound.js";

const CLEAR_OF_GATE_SECONDS = 5;
const STOP_HERE_SECONDS = 2.5;
const END_MARGIN_SECONDS = 0.25;
/* Played faster, or on a slow machine, the sound runs dry somewhat before its last moment. */
const DRY_SECONDS = 1.5;
const TICK_MS = 100;
const REPORT_SECONDS = 30;
const ASK_AGAIN_MS = 3000;
const REPORT_PATIENCE_MS = 2000;
/* Nobody has touched anything for so long: perhaps nobody listens. */
const UNTOUCHED_MS = 3 * 60 * 60 * 1000;
const isOpen = (session) => session.owned || session.own || session.free || session.charged;

export class Player extends EventTarget {
  constructor() {
    super();
    this.sound = new Sound();
    this.audio = this.sound.audio;
    this.turn = 0;
    this.askAgain = "";
    this.touched();
    for (const name of ["pointerdown", "keydown", "wheel", "touchmove"]) document.addEventListener(name, () => this.touched(), { capture: true, passive: true });
    this.clear();
    this.audio.addEventListener("timeupdate", () => this.tick());
    this.audio.addEventListener("play", () => this.began());
    this.audio.addEventListener("pause", () => this.paused());
    this.audio.addEventListener("ended", () => this.ended());
    this.audio.addEventListener("waiting", () => this.endAt(DRY_SECONDS));
    this.sound.addEventListener("lost", (event) => this.lost(event.detail));
    this.sound.addEventListener("back", () => { if (this.state === "gone" && !this.asking) this.set(this.before); });
    addEventListener("pagehide", () => this.report("stopped"));
    this.others = "BroadcastChannel" in self ? new BroadcastChannel("refrain") : null;
    // One listener hears one thing: a tab that begins to play quiets the others.
    this.others?.addEventListener("message", () => this.audio.pause());
  }

  clear() {
    Object.assign(this, { facts: null, session: null, state: "idle", problem: null, wanted: null, arriving: null, paid: null, credit: null,
      held: false, chooses: false, asking: false, last: 0, reported: 0, before: "idle" });
  }

  /* What the boxes read. */

  /** Where the listener is: where they want to be, where the sound is about to begin, or where it stands. */
  get place() { return this.wanted ?? this.arriving ?? this.audio.currentTime; }
  get price() { return this.session?.price_micros ?? this.facts?.price_micros ?? null; }
  get isPlaying() { return !this.audio.paused && !["idle", "resume", "ended"].includes(this.state); }
  /** Why a play does not go on by itself though its listener chose so: the queue is `over`, all is `untouched`. */
  get asksAgain() { return this.askAgain || (Date.now() - this.touchedAt > UNTOUCHED_MS ? "untouched" : ""); }
  get goesOn() { return Boolean(this.facts?.consented && this.facts.goes_on && !this.asksAgain); }
  isOf(work) { return this.facts?.work === work && this.state !== "idle"; }

  /** Take over what a page has learnt anew: the next price, what is left, the credit. */
  learn({ price_micros, remaining_micros, credit_micros, goes_on, consented, owned, basis }) {
    Object.assign(this.facts, { price_micros, remaining_micros, credit_micros, goes_on, consented, owned, basis });
    this.set(this.state);
  }

  set(state) {
    this.state = state;
    if (["stopped", "refused"].includes(state) && this.facts) kept.keepStop(this.facts.work, Math.floor(this.place));
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** Somebody is there: a pointer, a key, a wheel, a button of a headset. */
  touched() { this.touchedAt = Date.now(); }

  /* What a listener does. */

  /** Let the sound begin later, from inside a press: phones ask for that. */
  prime() {
    if (this.audio.paused && !this.sound.hasSource) this.audio.load();
    ready();
  }

  /** The round button: begin, pause, go on, or hear the opening again. */
  press(facts) {
    if (!this.isOf(facts.work) || ["ended", "stopped", "refused", "signin"].includes(this.state)) return this.begin(facts);
    if (this.state === "resume") return this.begin(facts);
    if (this.audio.paused) return this.play();
    this.audio.pause();
    return undefined;
  }

  /** Begin a sitting. `at` is where to start if the whole is open; an opening starts at 0 unless it is free there. */
  async begin(facts, at = null) {
    const turn = this.take(facts);
    if (facts.charged) this.wanted = kept.place(facts.work)?.seconds ?? facts.place_seconds;
    this.set("loading");
    try {
      if (!facts.signed_in) {
        const opening = await api.opening(facts.work);
        if (turn !== this.turn) return;
        const { free_seconds, open_seconds } = opening;
        this.facts = { ...this.facts, free_seconds, open_seconds };
        await this.startOpening(opening.playlist_url, turn);
        return;
      }
      await this.quote(turn);
      if (turn !== this.turn) return;
      if (isOpen(this.session)) await this.startWhole(at, turn);
      else if (at !== null && at > this.facts.free_seconds - CLEAR_OF_GATE_SECONDS) this.stopAt(at);
      else if (this.facts.free_seconds === 0) this.stopAt(0);
      else await this.startOpening(this.session.playlist_url, turn);
    } catch (error) {
      if (turn === this.turn) this.refuse(error);
    }
  }

  /** Leave what was heard and turn to `facts`; whatever is still on its way for the former is then ignored. */
  take(facts) {
    this.report("stopped");
    this.turn += 1;
    this.clear();
    this.sound.close();
    this.audio.load(); // inside the press, so that phones let the sound begin after the answer
    ready();
    kept.forgetStop(facts.work);
    this.facts = { ...facts };
    this.dispatchEvent(new CustomEvent("took", { detail: facts }));
    return this.turn;
  }

  /** Ask for the session: what this play will cost, or that it costs nothing. Safe to repeat; nothing is charged. */
  async quote(turn) {
    // A track heard to its end must be known as such first, or the server would go on with that sitting.
    await Promise.race([this.reporting, new Promise((go) => setTimeout(go, REPORT_PATIENCE_MS))]);
    const session = await api.insist(() => api.beginSession(this.facts.work, this.facts.source), {
      wanted: () => turn === this.turn,
      waiting: () => { this.asking = true; this.set("gone"); },
    });
    if (turn !== this.turn) return;
    this.asking = false;
    this.know(session);
  }

  know(session) {
    this.session = session;
    const { free_seconds, open_seconds } = session;
    this.facts = { ...this.facts, free_seconds, open_seconds };
  }

  async startOpening(address, turn) {
    this.held = true;
    await this.sound.open(address, { held: true, duration: this.facts.duration_seconds });
    if (turn !== this.turn) return;
    this.last = 0;
    this.set("opening");
    await this.play();
  }

  async startWhole(at, turn) {
    this.held = false;
    const former = kept.place(this.facts.work);
    const start = at ?? (former && former.session === this.session.id ? former.seconds : this.session.position_seconds);
    Object.assign(this, { arriving: start, last: start, reported: start });
    await this.sound.open(this.session.playlist_url, { held: false, at: start, duration: this.facts.duration_seconds });
    if (turn !== this.turn) return;
    this.wanted = null;
    this.set("playing");
    await this.play();
  }

  async play() {
    try {
      await this.audio.play();
    } catch (error) {
      if (error.name === "NotAllowedError") this.set(this.state); // the browser wants one more press
    }
  }

  /** Move to `to` seconds. Before the charge nothing near the gate or beyond is played: it stops and shows the price. */
  seek(to) {
    const target = Math.max(0, Math.min(to, this.facts.duration_seconds - END_MARGIN_SECONDS));
    if (this.state === "charging" || this.asking) {
      this.wanted = target;
    } else if (!this.held && this.session) {
      this.move(target);
    } else if (this.held && target < this.facts.free_seconds - CLEAR_OF_GATE_SECONDS) {
      this.wanted = null;
      this.move(target);
      if (this.state !== "opening") this.set("opening");
    } else {
      this.stopAt(target);
    }
    this.dispatchEvent(new CustomEvent("time"));
  }

  move(seconds) {
    this.arriving = null;
    this.last = seconds;
    this.audio.currentTime = seconds;
  }

  /** Stop at a place that is not paid for, or that the listener chose to stop at. */
  stopAt(seconds) {
    this.audio.pause();
    this.wanted = seconds;
    if (!this.facts.signed_in) this.set("signin");
    else if (this.session?.blocked) this.refuseBlocked();
    else this.set("stopped");
  }

  /** "Stop here, pay nothing". */
  stop() {
    this.stopAt(this.audio.currentTime);
    this.report("stopped");
  }

  /** The button with the price was pressed: charge exactly what it showed. */
  async goOn() {
    const shown = this.price;
    const turn = this.turn;
    this.askAgain = "";
    try {
      if (!this.session) {
        this.set("loading");
        await this.quote(turn);
        if (turn !== this.turn) return;
        if (isOpen(this.session)) { await this.startWhole(this.wanted, turn); return; }
        if (this.session.price_micros !== shown) { this.priceMoved(shown); return; }
        if (this.session.blocked) { this.refuseBlocked(); return; }
      }
      await this.charge(shown);
    } catch (error) {
      if (turn === this.turn) this.refuse(error);
    }
  }

  /** Charge the session, once, however often the request must be sent until somebody answers. */
  async charge(price) {
    const turn = this.turn;
    const { session } = this;
    const wanted = () => turn === this.turn;
    const waiting = () => { if (wanted()) { this.asking = true; this.set("gone"); } };
    this.set("charging");
    try {
      if (!this.facts.consented) {
        await api.insist(() => api.submit("/wallet/consent", { version: this.facts.consent_version }), { wanted, waiting });
      }
      const answer = await api.insist(() => api.charge(session.id, price), { wanted, waiting });
      if (wanted()) await this.charged(answer, turn);
    } catch (error) {
      if (!wanted()) return;
      this.asking = false;
      if (error.slug === "price-changed") this.priceMoved(price, error.content.quote);
      else if (error.slug === "session-expired") await this.quoteAgain(price, turn);
      else this.refuse(error);
    }
  }

  /** The quote was too old. Charge the new one if it asks the same; else show what it asks. */
  async quoteAgain(price, turn) {
    try {
      await this.quote(turn);
      if (turn !== this.turn) return;
      if (isOpen(this.session)) await this.startWhole(this.place, turn);
      else if (this.session.price_micros === price && !this.session.blocked) await this.charge(price);
      else this.priceMoved(price);
    } catch (error) {
      if (turn === this.turn) this.refuse(error);
    }
  }

  async charged(answer, turn) {
    this.asking = false;
    this.held = false;
    this.session = { ...this.session, charged: true, owned: answer.owned };
    this.paid = answer.charged_micros;
    this.credit = answer.balance_micros + answer.promo_micros;
    this.chooses = !this.facts.consented;
    this.facts.consented = true;
    kept.forgetStop(this.facts.work);
    const { wanted } = this;
    this.wanted = null;
    if (this.sound.hasSource) {
      this.sound.release();
      if (wanted !== null) this.move(wanted);
    } else {
      await this.sound.open(answer.playlist_url, { held: false, at: wanted ?? 0, duration: this.facts.duration_seconds });
      if (turn !== this.turn) return;
    }
    this.set("playing");
    this.dispatchEvent(new CustomEvent("charged", { detail: answer }));
    await this.play();
    this.report("playing");
  }

  /** What the listener chose for the plays after their first: on by themselves, or asked each time. */
  async choose(goesOn) {
    try {
      await api.insist(() => api.submit("/wallet/going-on", { goes_on: goesOn ? "1" : "0" }));
    } catch {
      return; // refused: the two buttons stay, and so does the choice in the wallet
    }
    this.chooses = false;
    this.facts.goes_on = goesOn;
    this.dispatchEvent(new CustomEvent("chose"));
    this.set(this.state);
  }

  /** A place remembered from before a reload: paid and to be gone on with, or stopped at before it was paid. */
  remember(facts) {
    if (!facts.signed_in || facts.basis !== "paid" || this.state !== "idle") return;
    const stopped = kept.stop(facts.work);
    this.facts = { ...facts };
    if (facts.charged) {
      this.wanted = kept.place(facts.work)?.seconds ?? facts.place_seconds;
      this.set("resume");
    } else if (stopped !== null) {
      this.wanted = stopped;
      if (facts.blocked) this.refuseBlocked(facts.blocked);
      else this.set("stopped");
    } else {
      this.facts = null;
    }
  }

  /** The work was bought: what was held opens at the place where it stands. */
  bought(facts) {
    if (!this.isOf(facts.work)) return undefined;
    if (!this.held && this.session) {
      this.facts = { ...this.facts, ...facts };
      this.set(this.state);
      return undefined;
    }
    return this.begin(facts, this.place);
  }

  /* What happens by itself. */

  tick() {
    const at = this.audio.currentTime;
    if (this.arriving !== null) {
      if (at < this.arriving - 1) return; // loading has not reached the place yet
      this.arriving = null;
    }
    const before = this.last;
    this.last = at;
    this.dispatchEvent(new CustomEvent("time"));
    if (!this.held) {
      if (this.session && (at - this.reported >= REPORT_SECONDS || (before < this.facts.open_seconds && at >= this.facts.open_seconds))) this.report("playing");
      return;
    }
    const { free_seconds: free, open_seconds: open } = this.facts;
    if (this.state === "opening" && before < free && at >= free) this.openingHeard(free, open);
    if (this.state === "going" && at >= this.goesAt) this.charge(this.price);
    this.endAt(END_MARGIN_SECONDS);
  }

  /** Stop at the end of the opening if nobody said that it goes on, and the sound is within `margin` of it. */
  endAt(margin) {
    const at = this.audio.currentTime;
    if (this.held && ["asks", "signin"].includes(this.state) && at >= this.facts.open_seconds - margin) this.stopAt(at);
  }

  openingHeard(free, open) {
    if (!this.facts.signed_in) {
      this.set("signin");
    } else if (this.session.blocked) {
      this.stopAt(this.audio.currentTime);
    } else if (this.goesOn) {
      this.goesAt = free + Math.min(STOP_HERE_SECONDS, (open - free) / 2);
      this.set("going");
    } else {
      this.set("asks");
    }
  }

  began() {
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), TICK_MS); // `timeupdate` alone comes only four times a second
    this.others?.postMessage("playing");
    this.dispatchEvent(new CustomEvent("change"));
  }

  paused() {
    clearInterval(this.timer);
    if (!this.held && this.session && !this.audio.ended) this.report("stopped");
    this.dispatchEvent(new CustomEvent("change"));
  }

  ended() {
    if (this.held) {
      this.stopAt(this.audio.currentTime);
      return;
    }
    this.report("completed");
    kept.forgetPlace(this.facts.work);
    this.set("ended");
    this.dispatchEvent(new CustomEvent("heard"));
  }

  report(state) {
    if (!this.session || this.state === "ended") return;
    const at = Math.floor(this.place);
    this.reported = at;
    if (!this.held && isOpen(this.session)) kept.keepPlace(this.facts.work, this.session.id, at);
    this.reporting = api.progress(this.session.id, at, state).catch(() => {}); // lost progress costs nobody anything
  }

  /** Segments or the playlist can no longer be had. */
  lost({ status }) {
    if (status === 0) {
      if (this.state !== "gone") this.before = this.state;
      this.set("gone");
      setTimeout(() => { if (this.state === "gone" && !this.asking) this.sound.reload(); }, ASK_AGAIN_MS);
    } else if ([403, 404, 410].includes(status) && !this.renewed) {
      this.renewed = true; // the address has run out: the same sitting gets a new one
      this.begin(this.facts, this.audio.currentTime).finally(() => { setTimeout(() => { this.renewed = false; }, 10 * ASK_AGAIN_MS); });
    } else {
      this.refuse(new api.Problem(status, { title: "The sound cannot be loaded", detail: `The store answered ${status}. Nothing was charged by this.` }));
    }
  }

  priceMoved(shown, quote) {
    if (quote) this.know(quote);
    this.audio.pause();
    this.wanted ??= this.audio.currentTime;
    this.problem = { slug: "price-changed", title: "The price has moved", detail: "", shown };
    this.set("refused");
  }

  refuseBlocked(blocked = this.session.blocked) {
    const content = typeof blocked === "string" ? { type: blocked } : blocked;
    this.refuse(new api.Problem(402, content));
  }

  refuse(error) {
    this.asking = false;
    if (error.status === 401 && this.facts) { // signed out meanwhile, perhaps in another tab
      this.facts.signed_in = false;
      this.stopAt(this.audio.currentTime);
      return;
    }
    this.audio.pause();
    this.wanted ??= this.audio.currentTime;
    const content = error.content ?? { title: "The player stopped", detail: error.message };
    this.problem = { slug: error.slug ?? "stopped", status: error.status, title: content.title, detail: content.detail, content };
    if (!(error instanceof api.Problem)) console.error(error);
    this.set("refused");
  }
}
