/* What the shares of a split sheet sum to, said as they are typed. Whole ppm, as the server counts them. */

import * as rows from "./rows.js";

const WHOLE = 1_000_000;
const SHARE = /^\s*(\d{1,3})(?:[.,](\d{0,4}))?\s*%?\s*$/;

/** Return the ppm of a share as it is typed, or null for what is none. */
export function ppm(text) {
  const found = SHARE.exec(text);
  return found ? Number(found[1]) * 10_000 + Number((found[2] ?? "").padEnd(4, "0")) : null;
}

function percent(parts) {
  return `${Math.floor(parts / 10_000)}.${String(parts % 10_000).padStart(4, "0")} %`;
}

export function attach(root) {
  const says = root.querySelector("[data-place=sum]");

  function add() {
    const typed = [...root.querySelectorAll("[name=payee_share]")].map((field) => field.value).filter((text) => text.trim());
    const parts = typed.map(ppm);
    const sum = parts.reduce((all, part) => all + (part ?? 0), 0);
    let words = `${percent(sum)}: the whole.`;
    if (parts.includes(null)) words = "A share is written like 60 or 33.3333.";
    else if (sum < WHOLE) words = `${percent(sum)}. Still to be given: ${percent(WHOLE - sum)}.`;
    else if (sum > WHOLE) words = `${percent(sum)}. Too much by ${percent(sum - WHOLE)}.`;
    if (says.textContent !== words) says.textContent = words;
  }

  root.addEventListener("input", add);
  rows.attach(root, { added: add });
  add();
}
