/* A ballot: the voter's own number is drawn here and leaves this page only inside the ballot and in what the voter keeps. */

import * as api from "../api.js";

export function attach(form) {
  if (form.dataset.attached) return;
  form.dataset.attached = "yes";
  const says = form.querySelector("[data-place=refusal]");
  const receipt = form.parentElement.querySelector("[data-place=receipt]");
  // One number for this ballot, however often it is sent: sent again it is the same ballot.
  const nonce = api.newKey();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const choice = new FormData(form).get("choice");
    const button = form.querySelector("button");
    button.disabled = true;
    says.hidden = true;
    try {
      const answer = await api.insist(() => api.send("POST", form.dataset.ballot, { choice, nonce }), {
        waiting: (attempt, error) => tell(`${error.said ?? "Nobody answers."} Trying again; your ballot is cast once.`),
      });
      show(answer, choice);
    } catch (error) {
      tell(error.message);
      button.disabled = false;
    }
  });

  function tell(words) {
    says.textContent = words;
    says.hidden = false;
  }

  function show(answer, choice) {
    const kept = JSON.stringify({ ...answer, choice, nonce }, null, 2);
    receipt.querySelector("[data-place=tracker]").textContent = answer.receipt.tracker;
    const keep = receipt.querySelector("[data-place=keep]");
    keep.href = URL.createObjectURL(new Blob([kept], { type: "application/json" }));
    keep.download = `ballot-${form.dataset.number}.json`;
    form.hidden = true;
    receipt.hidden = false;
    receipt.setAttribute("tabindex", "-1");
    receipt.focus();
  }
}
