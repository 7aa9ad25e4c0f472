/* A month that is being closed: its bar goes on while the workers divide it, and at the end says what there is now. */

const PAUSE_MS = 700;

export function attach(place) {
  if (place.dataset.attached) return;
  place.dataset.attached = "yes";
  const part = (name) => place.querySelector(`[data-place="${name}"]`);

  function show({ state, percent, words }) {
    part("bar").value = percent;
    part("bar").textContent = part("percent").textContent = `${percent} %`;
    // Only what is new is said, so that nobody has to hear every percent.
    if (part("words").textContent !== words) part("words").textContent = words;
    if (state === "sealed") {
      part("state").textContent = "sealed, books open";
      part("sealed").hidden = false;
    }
    if (state === "stuck") part("stuck").hidden = false;
    return state === "running";
  }

  async function look() {
    let goesOn = true;
    try {
      const answer = await fetch(place.dataset.run, { headers: { Accept: "application/json" } });
      if (answer.ok) goesOn = show(await answer.json());
      else goesOn = answer.status >= 500 || answer.status === 429;
    } catch {
      // The line broke; the run goes on without us, and so does asking.
    }
    if (goesOn && place.isConnected) setTimeout(look, PAUSE_MS);
  }
  look();
}
