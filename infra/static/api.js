/* The JSON API as the pages call it: session cookie, CSRF header, problems (RFC 9457) as exceptions. */

const PATIENCE_MS = [300, 600, 1200, 2400, 4800, 8000];

/** An answer that says what cannot be done. `slug` is the rule's name, `content` the whole problem. */
export class Problem extends Error {
  constructor(status, content) {
    super(content.detail || content.title || `Answer ${status}`);
    this.status = status;
    this.content = content;
    this.slug = String(content.type || "").split("/").pop() || String(status);
  }
}

/** Nobody answered, or the server broke: it is not known whether the request was carried out. */
export class Unanswered extends Error {}

/** Return the token that a request which changes something must carry. Read each time: signing in renews it. */
export function csrf() {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith("csrftoken="));
  return found ? decodeURIComponent(found.slice("csrftoken=".length)) : "";
}

/** Send one request and return its JSON. Throws Problem for a refusal and Unanswered when the outcome is unknown. */
export async function send(method, path, body, { key, keepalive = false, form = false } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrf();
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method, headers, keepalive, cache: "no-store", credentials: "same-origin",
      body: body === undefined ? undefined : form ? body : JSON.stringify(body),
    });
  } catch {
    throw new Unanswered("The connection is gone.");
  }
  if (answer.status >= 500) throw await unanswered(answer);
  const text = await answer.text();
  let content = {};
  try {
    content = text ? JSON.parse(text) : {};
  } catch {
    content = { title: "The answer cannot be read" };
  }
  if (answer.ok) return content;
  const problem = new Problem(answer.status, content);
  problem.wait = Number(answer.headers.get("Retry-After")) || 0;
  throw problem;
}

/** Return what a broken server's answer is; `said` is its own word for why, where it has one: a restored co-op is closed. */
async function unanswered(answer) {
  const error = new Unanswered(`The server answered ${answer.status}.`);
  if ((answer.headers.get("Content-Type") ?? "").includes("problem+json")) {
    error.said = (await answer.json().catch(() => ({}))).detail;
  }
  return error;
}

/** Send a request that may safely be repeated until somebody answers; `waiting(attempt)` is told before each pause. */
export async function insist(request, { waiting = () => {}, wanted = () => true } = {}) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      const busy = error instanceof Problem && error.status === 429;
      if (!(error instanceof Unanswered) && !busy) throw error;
      if (!wanted()) throw error;
      waiting(attempt, error);
      const pause = busy && error.wait ? error.wait * 1000 : PATIENCE_MS[Math.min(attempt, PATIENCE_MS.length - 1)];
      await new Promise((go) => setTimeout(go, pause));
    }
  }
}

/** Return a new Idempotency-Key. One intent has one key, however often it is sent. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const beginSession = (work, source = "work") => send("POST", "/api/v1/sessions", { work, source });
export const opening = (work) => send("GET", `/api/v1/works/${work}/opening`);
export const charge = (session, price_micros) => send("POST", `/api/v1/sessions/${session}/charge`, { price_micros });
export const progress = (session, position_seconds, state) =>
  send("POST", `/api/v1/sessions/${session}/progress`, { position_seconds, state }, { keepalive: true });
export const purchase = (work, price_micros, key) => send("POST", `/api/v1/works/${work}/purchase`, { price_micros }, { key });
export const purchaseRelease = (release, shown, key) => send("POST", `/api/v1/releases/${release}/purchase`, shown, { key });

/** Post a form to a page of ours that answers 204. */
export async function submit(path, fields) {
  return send("POST", path, new URLSearchParams(fields), { form: true });
}
