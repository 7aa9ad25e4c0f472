/* Upload a track: send the file, watch the ingest, then say what it is and publish it. */

import * as api from "../api.js";

const LOOK_AGAIN_MS = 700;
const SAYS = {
  received: "Received. Looking at what it is.",
  inspected: "Inspected. Making the streams.",
  rendered: "Rendered. Reading its tags and drawing its sleeve.",
};

export function attach(root) {
  const place = (name) => root.querySelector(`[data-place="${name}"]`);
  const form = place("form");
  const bar = root.querySelector("progress");
  const isShown = () => root.isConnected;

  function show(percent, words) {
    place("state").hidden = false;
    bar.value = percent;
    place("percent").textContent = `${percent} %`;
    if (place("said").textContent !== words) place("said").textContent = words;
  }

  function refuse(reason, work) {
    place("state").hidden = true;
    place("reason").textContent = reason;
    const link = Object.assign(document.createElement("a"), { className: "button button--plain", href: `/works/${work}`, textContent: "That work" });
    place("already").replaceChildren(...(work ? [link] : []));
    place("refusal").hidden = false;
    form.querySelector("button").disabled = false;
  }

  /** Send the file with its progress, which fetch cannot tell. Resolves with the answer, rejects with a Problem. */
  function sendFile(fields) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", root.dataset.uploads);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", api.csrf());
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) show(Math.floor((event.loaded / event.total) * 100), "Sending.");
      });
      request.addEventListener("load", () => {
        let content = {};
        try { content = JSON.parse(request.responseText); } catch { /* no JSON: the status says enough */ }
        if (request.status === 202) resolve(content);
        else reject(new api.Problem(request.status, content));
      });
      request.addEventListener("error", () => reject(new api.Unanswered("The connection broke while the file was sent.")));
      request.send(fields);
    });
  }

  async function watch(upload) {
    let standing = upload;
    while (isShown() && !["ready", "rejected"].includes(standing.state)) {
      show(standing.percent, SAYS[standing.state] ?? "");
      await new Promise((go) => setTimeout(go, LOOK_AGAIN_MS));
      standing = await api.insist(() => api.send("GET", `${root.dataset.uploads}/${upload.id}`), { wanted: isShown });
    }
    return standing;
  }

  async function ready(work) {
    show(100, "Ready. It is a draft that only you see.");
    const found = await api.send("GET", `/api/v1/works/${work}`);
    const details = place("details");
    details.dataset.work = work;
    details.elements.title.value = found.title;
    details.elements.licence.value = found.licence;
    place("work").href = `/works/${work}`;
    place("ready").hidden = false;
    form.hidden = true;
    details.elements.title.focus();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    const file = fields.get("file");
    place("refusal").hidden = true;
    if (file.size > Number(root.dataset.megabytes) * 1_000_000) {
      refuse(`It is larger than ${root.dataset.megabytes} MB.`);
      return;
    }
    place("name").textContent = file.name;
    form.querySelector("button").disabled = true;
    try {
      const standing = await watch(await sendFile(fields));
      if (!isShown()) return;
      if (standing.state === "rejected") refuse(standing.reason);
      else await ready(standing.work);
    } catch (error) {
      refuse(error.message, error.content?.work);
    }
  });

  place("details").addEventListener("submit", async (event) => {
    event.preventDefault();
    const details = event.target;
    const { title, licence, origin } = details.elements;
    const says = place("publish-refusal");
    says.hidden = true;
    try {
      const path = `/api/v1/works/${details.dataset.work}`;
      await api.send("PATCH", path, { title: title.value, licence: licence.value, origin: origin.value });
      await api.send("POST", `${path}/publish`);
      location.assign(`/works/${details.dataset.work}`);
    } catch (error) {
      says.textContent = error.message;
      says.hidden = false;
    }
  });
}
