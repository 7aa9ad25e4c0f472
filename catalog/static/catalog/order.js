/* The order of a release, changed by its buttons without leaving the page: the focus stays on what was pressed. */

import * as api from "../api.js";

export function attach(form) {
  const says = form.querySelector("[data-place=said]");
  const lines = () => [...form.querySelectorAll("[data-work]")];

  function number() {
    lines().forEach((line, at, all) => {
      line.querySelector(".ordered__number").textContent = String(at + 1);
      line.querySelector("[name=up]").disabled = at === 0;
      line.querySelector("[name=down]").disabled = at === all.length - 1;
    });
  }

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (!button || !["up", "down"].includes(button.name)) return;
    event.preventDefault();
    const line = button.closest("[data-work]");
    const other = button.name === "up" ? line.previousElementSibling : line.nextElementSibling;
    if (!other) return;
    if (button.name === "up") other.before(line);
    else other.after(line);
    number();
    (button.disabled ? line.querySelector("[name=up]:enabled, [name=down]:enabled") : button)?.focus();
    const order = new URLSearchParams(new FormData(form));
    try {
      await api.send("POST", form.action, order, { form: true });
      says.textContent = `${line.dataset.title} is number ${lines().indexOf(line) + 1} now.`;
    } catch {
      location.reload(); // What the server has is what holds.
    }
  });
}
