/* The queue's panel over the bar, opened by who wants to see it: the lines as the server printed them, with prices. */

import { show } from "../money.js";

export class Panel {
  constructor(root, queue) {
    this.root = root;
    this.queue = queue;
    this.panel = root.querySelector("#queue");
    this.opener = root.querySelector("[data-act=queue]");
    this.opener.addEventListener("click", () => this.open(this.panel.hidden));
    this.panel.addEventListener("click", (event) => this.pressed(event));
    this.panel.addEventListener("keydown", (event) => { if (event.key === "Escape") this.open(false); });
    queue.addEventListener("change", () => this.render());
  }

  open(wanted) {
    this.panel.hidden = !wanted;
    this.opener.setAttribute("aria-expanded", String(wanted));
    if (wanted) this.panel.querySelector(".is-heard")?.scrollIntoView({ block: "nearest" });
    else if (this.panel.contains(document.activeElement)) this.opener.focus();
  }

  pressed(event) {
    const act = event.target.closest("[data-act]")?.dataset.act;
    const line = this.queue.lines.find(({ row }) => row.contains(event.target));
    if (act === "queue-to" && line) this.queue.play(line);
    else if (act === "queue-remove" && line) this.queue.remove(line.facts.work);
    else if (act === "queue-clear") { this.open(false); this.queue.clear(); }
  }

  render() {
    const { queue, panel, opener } = this;
    const place = (name) => this.root.querySelector(`[data-place=${name}]`);
    opener.hidden = !queue.lines.length;
    if (!queue.lines.length) { this.open(false); return; }
    const { following } = queue;
    place("next").hidden = !following;
    place("last").hidden = Boolean(following);
    if (following) {
      place("next-title").textContent = following.facts.title;
      place("next-price").replaceChildren(following.row.querySelector(".queue__price").cloneNode(true));
      place("queue-sum").textContent = show(following.facts.rest_micros);
    }
    place("queue-rest").hidden = !following;
    place("to-come").textContent = String(queue.toCome);
    const from = place("queue-from");
    from.hidden = !queue.title;
    from.textContent = queue.title;
    if (queue.href) from.href = queue.href;
    else from.removeAttribute("href");
    queue.lines.forEach(({ row }, i) => {
      row.classList.toggle("is-heard", i === queue.at);
      if (i === queue.at) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
      row.querySelector("[data-act=queue-remove]").hidden = i === queue.at;
    });
    this.put(place("queue-lines"), queue.lines.map(({ row }) => row));
    if (panel.hidden) opener.setAttribute("aria-expanded", "false");
  }

  /** Put the rows in; who used the keyboard stays at the same button of the same line, or of the one in its place. */
  put(list, rows) {
    if (list.children.length === rows.length && rows.every((row, i) => list.children[i] === row)) return;
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    const i = focused ? Array.from(list.children).findIndex((row) => row.contains(focused)) : -1;
    list.replaceChildren(...rows);
    if (!focused || focused.isConnected) return;
    const row = rows[Math.min(i, rows.length - 1)];
    (row?.querySelector(`[data-act=${focused.dataset.act}]:not([hidden])`) ?? row?.querySelector("button"))?.focus();
  }
}
