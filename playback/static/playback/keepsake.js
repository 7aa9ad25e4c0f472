/* A library on a disk: one sound at a time, the next one after it, and a field to find things. No module, no request. */
(() => {
  "use strict";
  const sounds = [...document.querySelectorAll("audio")];
  for (const [at, sound] of sounds.entries()) {
    sound.addEventListener("play", () => {
      for (const other of sounds) if (other !== sound) other.pause();
    });
    sound.addEventListener("ended", () => {
      const next = sounds.slice(at + 1).find((one) => !one.closest("[hidden]"));
      if (next) next.play();
    });
  }

  const find = document.querySelector("[data-find]");
  const works = [...document.querySelectorAll("[data-work]")];
  find.hidden = works.length < 2;
  find.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const work of works) {
      const said = work.dataset.work.toLowerCase();
      work.hidden = !words.every((word) => said.includes(word));
      if (!work.hidden) found += 1;
    }
    find.querySelector("[data-found]").textContent = words.length ? `${found} of ${works.length}` : "";
  });
})();
