/* Replace the file of a work: send it, watch the ingest, and show the page anew when it has taken the old one's place. */

import * as api from "../api.js";

const LOOK_AGAIN_MS = 800;

export function attach(form) {
  const place = (name) => form.querySelector(`[data-place="${name}"]`);
  const bar = form.querySelector("progress");
  const isShown = () => form.isConnected;

  function refuse(words) {
    place("state").hidden = true;
    place("refusal").textContent = words;
    place("refusal").hidden = false;
    form.querySelector("button").disabled = false;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    place("refusal").hidden = true;
    place("state").hidden = false;
    form.querySelector("button").disabled = true;
    try {
      let standing = await api.send("POST", form.dataset.uploads, fields, { form: true });
      while (isShown() && !["ready", "rejected"].includes(standing.state)) {
        bar.value = standing.percent;
        place("said").textContent = `${standing.percent} %: ${standing.state}`;
        await new Promise((go) => setTimeout(go, LOOK_AGAIN_MS));
        standing = await api.insist(() => api.send("GET", `${form.dataset.uploads}/${standing.id}`), { wanted: isShown });
      }
      if (!isShown()) return;
      if (standing.state === "rejected") refuse(standing.reason);
      else location.reload();
    } catch (error) {
      refuse(error.message);
    }
  });
}
