/* What asked figures of a policy would change, told by the server as somebody types them. */

const PAUSE_MS = 400;

export function attach(root) {
  if (root.dataset.attached) return;
  root.dataset.attached = "yes";
  const form = root.closest("form");
  const place = root.querySelector("[data-place=trial]");
  const said = root.querySelector("[data-place=said]");
  const fields = [...root.querySelectorAll("input, select")];
  let waiting = 0;
  let asked = 0;

  async function draw() {
    const number = (asked += 1);
    const wanted = new URLSearchParams(fields.map((field) => [field.name, field.value]));
    try {
      const answer = await fetch(`${root.dataset.trial}?${wanted}`, { credentials: "same-origin", cache: "no-store" });
      const told = await answer.text();
      // An older answer may come after a newer one; what is typed now decides.
      if (!answer.ok || number !== asked || !root.isConnected) return;
      place.innerHTML = told;
      mark();
    } catch {
      // The connection is gone: what is told is of the last figures that were asked for, and keeping it says the truth.
    }
  }

  /** Say at each field whether its figure can be asked for, and beneath the last of some why they cannot together. */
  function mark() {
    const refused = [...place.querySelectorAll("[data-fields]")].map((one) => ({
      names: one.dataset.fields.split(" ").filter(Boolean),
      words: one.querySelector("span").textContent,
    }));
    for (const field of fields) {
      const why = refused.filter((one) => one.names.at(-1) === field.name).map((one) => one.words);
      tell(field, why, refused.some((one) => one.names.includes(field.name)));
    }
    said.textContent = refused.length
      ? `These figures cannot be asked for. ${refused.map((one) => one.words).join(" ")}`
      : "What these figures would do is told below.";
  }

  /** Put words beneath a field, in place of those that stood there. */
  function tell(field, why, isRefused) {
    if (isRefused) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    const told = `${field.id}_error`;
    document.getElementById(told)?.remove();
    const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== told);
    if (why.length) {
      const words = document.createElement("div");
      words.id = told;
      for (const one of why) words.append(Object.assign(document.createElement("p"), { className: "field__error", textContent: one }));
      field.closest(".field").append(words);
      others.push(told);
    }
    if (others.length) field.setAttribute("aria-describedby", others.join(" "));
    else field.removeAttribute("aria-describedby");
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(draw, PAUSE_MS);
  }

  for (const field of fields) field.addEventListener("input", soon);
  root.querySelector("[data-place=try]").addEventListener("click", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    draw();
  });
  // What a refused form brought back is tried as it stands.
  if (form.dataset.sent) draw();
}
