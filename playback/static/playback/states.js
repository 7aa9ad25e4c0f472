/* What a state says stands in the page's templates; this fills them with the figures of the moment. */

import { show } from "../money.js";

/** Return `2:31` for 151.4 seconds. */
export function clockTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** Return the moment as the co-op's clock shows it: `21:14`. */
export function timeOfDay(moment) {
  const zone = document.body.dataset.timeZone;
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(moment));
}

const amount = (micros) => (micros === null || micros === undefined ? "" : show(micros));

/** The figures that a template may ask for by name. */
export function figures(player, facts) {
  const session = player.session ?? {};
  const problem = player.problem ?? {};
  const credit = player.credit ?? facts.credit_micros;
  return {
    title: facts.title,
    price: amount(player.price),
    paid: amount(player.paid),
    next: amount(facts.price_micros),
    own: facts.remaining_micros ? amount(facts.remaining_micros) : "",
    after: player.price === null || !facts.remaining_micros ? "" : amount(Math.max(0, facts.remaining_micros - player.price)),
    credit: amount(credit),
    at: clockTime(player.place),
    free: clockTime(facts.free_seconds),
    open: clockTime(facts.open_seconds),
    until: session.expires_at ? timeOfDay(session.expires_at) : "",
    shown: amount(problem.shown),
    problem: problem.title ?? "",
    detail: problem.detail ?? "",
    slug: problem.slug ?? "",
    policy: session.pricing_version ? `pricing ${session.pricing_version}` : "",
    policyHref: session.pricing_href ?? "",
    first: !facts.consented,
    chooses: player.chooses,
    owned: Boolean(session.owned || facts.owned),
    notOwned: !(session.owned || facts.owned),
    goesOn: player.goesOn,
    over: player.asksAgain === "over" && facts.goes_on,
    untouched: player.asksAgain === "untouched" && facts.goes_on,
    blocked: Boolean(session.blocked),
    resumed: player.paid === null,
    charged: player.paid !== null && player.paid > 0,
  };
}

/** Return a copy of the template's parts with every figure filled in, and without what does not apply. */
export function filled(template, values) {
  const copy = template.content.cloneNode(true);
  for (const part of copy.querySelectorAll("[data-if]")) if (!values[part.dataset.if]) part.remove();
  for (const part of copy.querySelectorAll("[data-unless]")) if (values[part.dataset.unless]) part.remove();
  for (const part of copy.querySelectorAll("[data-fill]")) part.textContent = values[part.dataset.fill] ?? "";
  for (const link of copy.querySelectorAll("[data-problem-href]")) link.href = link.dataset.problemHref + encodeURIComponent(values.slug);
  for (const link of copy.querySelectorAll("[data-policy-href]")) link.href = values.policyHref;
  return copy;
}

/** Return the template of a state; a refusal has one of its own for the slugs that ask for one. */
export function templateOf(scope, player) {
  const { state, problem } = player;
  const own = state === "refused" && problem ? scope.querySelector(`template[data-state="refused-${CSS.escape(problem.slug)}"]`) : null;
  return own ?? scope.querySelector(`template[data-state="${state}"]`);
}
