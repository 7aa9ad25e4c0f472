/* Another empty line in a form made of lines. Without this the page offers a few, and more after each keeping. */

export function attach(root, { added = () => {} } = {}) {
  const more = root.querySelector("[data-act=more]");
  if (!more) return;
  more.hidden = false;
  more.addEventListener("click", () => {
    const rows = root.querySelectorAll("[data-row]");
    const row = rows[rows.length - 1].cloneNode(true);
    for (const field of row.querySelectorAll("input")) {
      field.value = "";
      field.setAttribute("aria-label", field.getAttribute("aria-label").replace(/\d+/, String(rows.length + 1)));
    }
    rows[rows.length - 1].after(row);
    row.querySelector("input").focus();
    added(row);
  });
}
