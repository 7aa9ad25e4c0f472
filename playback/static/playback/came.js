/* From where one came to a work, for its creator's count of sources: the kind of page whose link was followed. */

import * as kept from "./kept.js";

const PLACES = [
  [/^\/$/, "front"], [/^\/(browse|photos)/, "search"], [/^\/creators\//, "creator"], [/^\/releases\//, "release"],
  [/^\/feed/, "feed"], [/^\/library/, "library"],
];

/** Note which page leads to a work, when its link is followed. */
export function watchLinks() {
  document.addEventListener("click", (event) => {
    const href = event.target.closest?.("a[href^='/works/']")?.getAttribute("href");
    if (href) kept.keepCame({ href, source: PLACES.find(([shape]) => shape.test(location.pathname))?.[1] ?? "work" });
  }, { capture: true });
}

/** Return the source to name for a session that begins on the page of this work. */
export function cameFrom(href) {
  const came = kept.came();
  return came?.href === href ? came.source : "work";
}
