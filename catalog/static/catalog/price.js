/* The ladder of a price, drawn by the server as somebody types it. */

const PAUSE_MS = 250;

export function attach(root) {
  const place = (name) => root.querySelector(`[data-place="${name}"]`);
  const price = root.querySelector("[name=price]");
  const pricing = () => root.querySelector("[name=pricing]:checked")?.value ?? "default";
  let waiting = 0;
  let asked = 0;

  async function draw() {
    const number = (asked += 1);
    const wanted = new URLSearchParams({ pricing: pricing(), price: price.value });
    try {
      const answer = await fetch(`${root.dataset.ladder}?${wanted}`, { credentials: "same-origin", cache: "no-store" });
      const drawn = await answer.text();
      // An older answer may come after a newer one; what is typed now decides.
      if (answer.ok && number === asked && root.isConnected) place("ladder").innerHTML = drawn;
    } catch {
      // The connection is gone: what is drawn is the last price that was asked for, and keeping it says the truth.
    }
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(draw, PAUSE_MS);
  }

  function show() {
    place("own").hidden = pricing() !== "own";
    const even = place("even");
    if (even) even.hidden = pricing() !== "own";
  }

  price.addEventListener("input", soon);
  for (const radio of root.querySelectorAll("[name=pricing]")) {
    radio.addEventListener("change", () => {
      show();
      draw();
    });
  }
  for (const button of root.querySelectorAll("[data-price]")) {
    button.addEventListener("click", () => {
      price.value = button.dataset.price;
      draw();
    });
  }
  show();
}
