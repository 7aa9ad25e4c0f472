/* The upload's page: takes files in, and shows the line of each until it is a draft. */

import { chosen, dropped, isFront, sort } from "./gathering.js";
import { sending } from "./sending.js";

const SAYS = {
  waiting: "Waits its turn.",
  sending: "Sending.",
  paused: "Paused.",
  lost: "Choose this file again, and it goes on from there.",
  complete: "Arrived. Put together and checked next.",
  received: "Received. Looking at what it is.",
  inspected: "Inspected. Making what is heard and seen of it.",
  rendered: "Rendered. Making the draft.",
  ready: "A draft that only you see.",
};
const FORGET = { waiting: "Leave it out", sending: "Give up", paused: "Give up", lost: "Give up", refused: "Take off the list", rejected: "Take off the list", ready: "Take off the list" };

export function attach(root) {
  const place = (name) => root.querySelector(`[data-place="${name}"]`);
  const rows = new Map();
  const limits = { bytesMost: Number(root.dataset.bytesMost), photoBytesMost: Number(root.dataset.photoBytesMost) };

  function take(found) {
    const { good, leftOut } = sort(found, limits);
    // The last is put in front first, so that they stand, and are sent, in the order of their names; the picture of a
    // folder behind its recordings, by which it is known.
    const byName = (one, other) => isFront(other[0].name) - isFront(one[0].name) || `${other[1]}/${other[0].name}`.localeCompare(`${one[1]}/${one[0].name}`, undefined, { numeric: true });
    for (const [file, folder] of good.sort(byName)) sending.add(file, folder, place("creator").value);
    showLeftOut(leftOut);
    sending.pump();
  }

  function showLeftOut(files) {
    place("left-out").hidden = files.length === 0;
    place("left-out-title").textContent = files.length === 1 ? "One file is not sent." : `${files.length} files are not sent.`;
    place("left-out-list").replaceChildren(...files.map(([name, why]) => Object.assign(document.createElement("li"), { textContent: `${name}: ${why}.` })));
  }

  function rowOf(line) {
    if (rows.has(line)) return rows.get(line);
    const row = place("line").content.firstElementChild.cloneNode(true);
    row.querySelector('[data-part="name"]').textContent = line.name;
    row.querySelector("progress").setAttribute("aria-label", `How far ${line.name} has come`);
    row.querySelector('[data-part="name"]').id = `line-${rows.size}`;
    for (const control of row.querySelectorAll("button, a")) control.setAttribute("aria-describedby", `line-${rows.size}`);
    for (const button of row.querySelectorAll("[data-act]")) button.addEventListener("click", () => sending[button.dataset.act](line));
    rows.set(line, row);
    return row;
  }

  function percentOf(line) {
    return sending.isOpen(line) ? Math.floor((line.sent / line.size) * 100) : line.percent;
  }

  function show(line) {
    const row = rowOf(line);
    const part = (name) => row.querySelector(`[data-part="${name}"]`);
    const act = (name) => row.querySelector(`[data-act="${name}"]`);
    const refused = ["refused", "rejected"].includes(line.state);
    row.classList.toggle("is-refused", refused);
    write(part("where"), [line.folder, size(line.size)].filter(Boolean).join(" · "));
    const bar = row.querySelector("progress");
    bar.hidden = refused || line.state === "ready";
    bar.value = percentOf(line);
    const moving = !refused && line.state !== "ready" && line.state !== "waiting";
    write(part("said"), `${moving ? `${percentOf(line)} %. ` : ""}${refused ? `Not taken in. ${line.reason}` : line.reason || SAYS[line.state]}`);
    const held = row.contains(document.activeElement) ? document.activeElement : null;
    act("pause").hidden = !["sending", "waiting"].includes(line.state);
    act("resume").hidden = line.state !== "paused" || !line.file;
    act("forget").hidden = !FORGET[line.state];
    write(act("forget"), FORGET[line.state] ?? "");
    part("link").hidden = !line.work;
    part("link").textContent = refused ? "That work" : "Look at the draft";
    if (line.work) part("link").href = root.dataset.work + line.work;
    // Who pressed a button that is gone goes on from the one in its place, and never from one that gives the file up.
    if (held?.hidden) (row.querySelector('[data-act="pause"]:not([hidden]), [data-act="resume"]:not([hidden])') ?? row).focus();
  }

  function showAll() {
    if (!root.isConnected) {
      sending.removeEventListener("changed", showAll);
      return;
    }
    for (const line of sending.lines) show(line);
    const wanted = sending.lines.map(rowOf);
    const list = place("lines");
    for (const row of [...list.children].filter((one) => !wanted.includes(one))) {
      const held = row.contains(document.activeElement) ? row.nextElementSibling ?? row.previousElementSibling ?? place("files") : null;
      row.remove();
      held?.focus();
    }
    wanted.forEach((row, at) => { if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null); });
    place("under-way").hidden = wanted.length === 0;
    const count = (...states) => sending.lines.filter((line) => states.includes(line.state)).length;
    const pictures = sending.lines.filter((line) => line.state === "ready" && !line.work).length;
    const ready = count("ready") - pictures, refused = count("refused", "rejected"), stopped = count("paused", "lost");
    const moving = wanted.length - ready - pictures - refused - stopped;
    const words = [`${ready} of ${wanted.length} are drafts`, moving && `${moving} on their way`, stopped && `${stopped} wait${stopped === 1 ? "s" : ""} for you`, pictures && `${pictures} the artwork of ${pictures === 1 ? "its folder" : "their folders"}`, refused && `${refused} not taken in`];
    write(place("summary"), `${words.filter(Boolean).join(", ")}.`);
    root.querySelector('[data-act="pause-all"]').hidden = count("sending", "waiting") < 2;
    root.querySelector('[data-act="resume-all"]').hidden = sending.lines.filter((line) => line.state === "paused" && line.file).length < 2;
    place("ended").hidden = moving > 0 || stopped > 0 || ready === 0;
    write(place("ended-title"), ready === 1 ? "It is a draft now." : `${refused ? "" : "All "}${ready} are drafts now.`);
  }

  for (const name of ["files", "folder"]) {
    const field = place(name);
    const takeChosen = () => {
      take(chosen(field.files));
      field.value = "";
    };
    field.addEventListener("change", takeChosen);
    if (field.files.length) takeChosen(); // chosen while this script was on its way
  }
  const drop = place("drop");
  const over = (event) => { event.preventDefault(); drop.classList.toggle("is-over", event.type === "dragover"); };
  drop.addEventListener("dragover", over);
  drop.addEventListener("dragleave", over);
  drop.addEventListener("drop", async (event) => { over(event); take(await dropped(event.dataTransfer)); });
  root.querySelector('[data-act="pause-all"]').addEventListener("click", () => {
    for (const line of sending.lines.filter((one) => one.state === "waiting")) line.state = "paused";
    for (const line of sending.lines.filter((one) => one.state === "sending")) sending.pause(line);
  });
  root.querySelector('[data-act="resume-all"]').addEventListener("click", () => {
    for (const line of sending.lines.filter((one) => one.state === "paused" && one.file)) line.state = "waiting";
    sending.pump();
  });
  sending.addEventListener("changed", showAll);
  sending.load().catch(() => showAll());
}

/** Write words only where they changed, so that a screen reader hears each once. */
function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function size(bytes) {
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`;
}
