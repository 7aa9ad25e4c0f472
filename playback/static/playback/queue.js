/* The queue: what is heard after what is heard now. Works are named by the server's ids and kept by the tab; what they
   cost is asked of the server each time something may have changed it, sums and all. It goes on by itself from the end
   of a track to the opening of the next; whether a play is then paid for by itself is the player's to say. */

import * as kept from "./kept.js";

const AGAIN_SECONDS = 4;
const UNDONE = { works: [], at: 0, title: "", href: "" };

export class Queue extends EventTarget {
  constructor(player) {
    super();
    this.player = player;
    this.lines = [];
    this.turn = 0;
    Object.assign(this, UNDONE, kept.queue());
    document.addEventListener("click", (event) => {
      const control = event.target.closest?.("[data-play-these]");
      if (control) this.playThese(control.closest("[data-list]").dataset, control.dataset.from);
    });
    player.addEventListener("took", (event) => this.took(event.detail.work));
    player.addEventListener("heard", () => this.goOn());
    player.addEventListener("credit", () => this.refresh());
    player.addEventListener("charged", () => this.charged());
    this.ready = this.refresh();
  }

  get current() { return this.lines[this.at] ?? null; }
  /** The line that comes next, if there is one that can be played. */
  get following() { return this.lines.find((line, i) => i > this.at && line.facts.available) ?? null; }
  get former() { return this.lines.findLast((line, i) => i < this.at && line.facts.available) ?? null; }
  /** How many lines are still to come. */
  get toCome() { return Math.max(0, this.lines.length - this.at - 1); }

  /* What a listener does. */

  /** Play a list through: the works a page names, from the first that can be played, or from `from`. */
  async playThese({ list, title = "", href = "", source = "queue" }, from = "") {
    if (!list.trim()) return;
    this.player.prime();
    Object.assign(this, { works: list.trim().split(/\s+/), at: 0, title, href });
    if (!(await this.refresh())) return;
    const first = (from && this.lines.find((line) => line.facts.work === from)) || this.lines.find((line) => line.facts.available);
    if (first) this.play(first, source);
  }

  play(line, source = "queue") {
    const { player } = this;
    this.at = this.lines.indexOf(line);
    if (!player.isOf(line.facts.work) || !player.isPlaying) player.press({ ...line.facts, source });
    this.keep();
  }

  next() { if (this.following) this.play(this.following); }

  /** Back to the beginning of what is heard, or from its beginning to the one before. */
  previous() {
    const { player } = this;
    if (this.former && (player.place < AGAIN_SECONDS || !player.isPlaying)) this.play(this.former);
    else if (player.isPlaying) player.seek(0);
  }

  remove(work) {
    const i = this.works.indexOf(work);
    if (i < 0 || i === this.at) return;
    this.works = this.works.filter((one) => one !== work);
    if (i < this.at) this.at -= 1;
    this.refresh();
  }

  clear() {
    Object.assign(this, UNDONE, { works: [], lines: [] });
    this.keep();
  }

  /* What happens by itself. */

  /** A work was begun, from wherever: one of the queue, or another, which then comes in between. */
  took(work) {
    if (!this.works.length || this.works[this.at] === work) return;
    const i = this.works.indexOf(work);
    if (i < 0) {
      this.works = this.works.toSpliced(this.at + 1, 0, work);
      this.at += 1;
      this.refresh();
    } else {
      this.at = i;
      this.keep();
    }
  }

  /** What was heard has ended: on to the next; after the last it asks again before anything is charged. */
  async goOn() {
    if (!this.works.length) return;
    const { following } = this;
    if (following) {
      this.play(following);
    } else {
      this.player.askAgain = "over";
      this.keep();
    }
    await this.player.reporting;
    this.refresh();
  }

  /** Ask the server what the lines cost now; what it does not know any more is gone. */
  async refresh() {
    this.turn += 1;
    const { turn } = this;
    if (!this.works.length) {
      this.lines = [];
      this.keep();
      return false;
    }
    const lines = await ask(this.works);
    if (!lines || turn !== this.turn) return false;
    this.lines = lines;
    this.teach(lines);
    const heard = this.works[this.at];
    this.works = this.lines.map((line) => line.facts.work);
    const i = this.works.indexOf(heard);
    this.at = i >= 0 ? i : Math.min(this.at, Math.max(0, this.works.length - 1));
    this.keep();
    return this.lines.length > 0;
  }

  /** A play was paid: its next one costs something else, and so does the rest of the queue. */
  async charged() {
    const { work } = this.player.facts;
    if (this.works.includes(work)) await this.refresh();
    else this.teach((await ask([work])) ?? []);
  }

  /** Tell the player what the work it plays costs now. */
  teach(lines) {
    const { player } = this;
    const line = lines.find(({ facts }) => player.isOf(facts.work));
    if (line) player.learn(line.facts);
  }

  keep() {
    kept.keepQueue({ works: this.works, at: this.at, title: this.title, href: this.href });
    this.dispatchEvent(new CustomEvent("change"));
  }
}

/** Return the works as lines with the server's figures, or null when it did not answer. */
async function ask(works) {
  const ids = works.map((work) => work.replaceAll("-", "")).join(",");
  const answer = await fetch(`/queue?works=${ids}`, { headers: { Accept: "text/html" }, cache: "no-store" }).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => "") : "";
  if (!text) return null;
  const rows = new DOMParser().parseFromString(text, "text/html").querySelectorAll("[data-facts]");
  return Array.from(rows, (row) => ({ row, facts: JSON.parse(row.dataset.facts) }));
}
