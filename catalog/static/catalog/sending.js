/* Files on their way: sent in pieces (tus), two at a time, for as long as the tab lives, whatever page is shown. */

import * as api from "../api.js";
import "../vendor/tus-js-client-4.3.1/tus.min.mjs"; // has no exports of its own: it is found as window.tus

const TRANSFERS = "/api/v1/transfers";
const AT_ONCE = 2;
const PIECE_BYTES = 8_000_000;
const PATIENCE_MS = [0, 1000, 3000, 5000, 10_000, 30_000, 60_000, 60_000, 60_000];
const LOOK_AGAIN_MS = 1500;
const OPEN = ["waiting", "sending", "paused", "lost"];

/** What the server says of a transfer, as a line of ours. */
function standing(said) {
  const state = said.state === "sending" ? "lost" : said.state === "received" ? said.upload.state : said.state;
  return {
    state, id: said.id, name: said.filename, folder: said.folder, size: said.size_bytes, modified: said.modified_ms,
    sent: said.offset_bytes, percent: said.upload?.percent ?? 0, creator: said.creator,
    reason: said.reason || said.upload?.reason || "", work: said.work || said.upload?.work || null,
  };
}

export class Sending extends EventTarget {
  constructor() {
    super();
    this.lines = [];
    this.looking = false;
  }

  tell() {
    this.dispatchEvent(new Event("changed"));
  }

  /** Fetch what the server knows; lines that this tab sends are left to it. */
  async load() {
    let next = `${TRANSFERS}?page_size=200`;
    while (next) {
      const page = await api.send("GET", next);
      for (const said of page.results) this.merge(standing(said));
      next = page.next && new URL(page.next).pathname + new URL(page.next).search;
    }
    this.tell();
    this.watch();
  }

  merge(found) {
    const line = this.lines.find((one) => one.id === found.id);
    const isBeginning = this.lines.some((one) => !one.id && one.state === "sending" && one.name === found.name && one.size === found.size);
    if (!line && found.state === "lost" && isBeginning) return;
    if (!line) this.lines.push(found);
    else if (found.state !== "lost") Object.assign(line, found);
  }

  /** Look again and again while something becomes a work; a line at rest costs no request. */
  async watch() {
    if (this.looking) return;
    this.looking = true;
    try {
      const isMoving = (line) => ["complete", "received", "inspected", "rendered"].includes(line.state);
      while (this.lines.some(isMoving)) {
        await new Promise((go) => setTimeout(go, LOOK_AGAIN_MS));
        await api.insist(() => this.load());
      }
    } finally {
      this.looking = false;
    }
  }

  /** Take a file in: a new line, or the rest of one that waits for it. */
  add(file, folder, creator) {
    const known = this.lines.find((line) => line.state === "lost" && line.name === file.name && line.size === file.size
      && line.folder === folder && (line.modified === null || line.modified === file.lastModified));
    const line = known ?? { id: null, name: file.name, folder, size: file.size, modified: file.lastModified, sent: 0, percent: 0, creator, reason: "", work: null };
    line.file = file;
    line.state = "waiting";
    if (!known) this.lines.unshift(line);
    return line;
  }

  /** Begin with as many waiting lines as may be sent at once. */
  pump() {
    while (this.lines.filter((line) => line.state === "sending").length < AT_ONCE) {
      const next = this.lines.find((line) => line.state === "waiting");
      if (!next) break;
      this.start(next);
    }
    this.tell();
  }

  start(line) {
    line.state = "sending";
    const metadata = { filename: line.name, folder: line.folder, creator: line.creator, modified: String(line.modified) };
    line.tus ??= new window.tus.Upload(line.file, {
      endpoint: TRANSFERS,
      uploadUrl: line.id && `${TRANSFERS}/${line.id}`,
      chunkSize: PIECE_BYTES,
      retryDelays: PATIENCE_MS,
      storeFingerprintForResuming: false,
      metadata,
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", api.csrf()),
      onUploadUrlAvailable: () => {
        line.id = line.tus.url.split("/").pop();
        // A look at the server may have come between its answer and this line, and made another of the same file.
        this.lines = this.lines.filter((one) => one === line || one.id !== line.id);
      },
      onProgress: (sent) => { line.sent = sent; this.tell(); },
      onSuccess: () => {
        line.id = line.tus.url.split("/").pop();
        Object.assign(line, { state: "complete", sent: line.size });
        this.pump();
        this.watch();
      },
      onError: (error) => this.fail(line, error),
    });
    line.tus.start();
  }

  fail(line, error) {
    const answer = error.originalResponse;
    let said = {};
    try { said = JSON.parse(answer?.getBody() || "{}"); } catch { /* no JSON: the status says enough */ }
    const refused = answer && answer.getStatus() >= 400 && answer.getStatus() < 500;
    line.tus = null;
    Object.assign(line, refused
      ? { state: "refused", reason: said.detail || `The server answered ${answer.getStatus()}.`, work: said.work ?? null }
      : { state: "paused", reason: "The connection is gone. What has arrived is kept." });
    this.pump();
  }

  pause(line) {
    line.tus?.abort();
    line.state = "paused";
    line.reason = "";
    this.pump();
  }

  resume(line) {
    line.state = "waiting";
    this.pump();
  }

  async forget(line) {
    line.tus?.abort();
    this.lines = this.lines.filter((one) => one !== line);
    this.pump();
    if (!line.id) return;
    await fetch(`${TRANSFERS}/${line.id}`, { method: "DELETE", credentials: "same-origin", headers: { "Tus-Resumable": "1.0.0", "X-CSRFToken": api.csrf() } });
  }

  isOpen(line) {
    return OPEN.includes(line.state);
  }
}

/** One for the tab: it goes on while its people look at other pages. */
export const sending = new Sending();
