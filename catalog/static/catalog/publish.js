/* The button that publishes a draft from its own page. */

import * as api from "../api.js";

export function attach(button) {
  const says = button.closest(".slip").querySelector("[data-place=refusal]");
  button.addEventListener("click", async () => {
    says.hidden = true;
    try {
      await api.send("POST", button.dataset.publish);
      location.reload();
    } catch (error) {
      says.textContent = error.message;
      says.hidden = false;
    }
  });
}
