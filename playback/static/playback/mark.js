/* A button that follows a creator or keeps a favourite, in place: the page stays, and so does the sound. */

import * as api from "../api.js";

export function attach(form) {
  if (form.dataset.attached) return;
  form.dataset.attached = "yes";
  const button = form.querySelector("button");
  const says = form.querySelector("[data-place=said]");
  const on = form.elements.namedItem("on");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = on.value === "1";
    try {
      await api.send(wanted ? "PUT" : "DELETE", form.dataset.mark);
      on.value = wanted ? "0" : "1";
      button.textContent = wanted ? form.dataset.made : form.dataset.make;
      if (!button.classList.contains("button--quiet")) button.classList.toggle("button--plain", wanted);
      says.textContent = wanted ? form.dataset.said : form.dataset.saidNot;
    } catch (error) {
      says.classList.remove("vh");
      says.textContent = error.message;
    }
  });
}
