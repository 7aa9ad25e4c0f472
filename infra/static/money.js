/* Amounts on the page, printed as members/money.py prints them: whole micros in, exact digits out, no float. */

const SIGNS = { EUR: "€", GBP: "£", USD: "$" };

/** Return `€0.032` for 32000: at least two decimals, at most six, zeros dropped after the second, never rounded. */
export function show(micros, currency = document.body.dataset.currency || "EUR") {
  if (typeof micros !== "bigint" && !Number.isSafeInteger(micros)) throw new TypeError(`${micros} is no whole number of micros`);
  const amount = BigInt(micros);
  const digits = String(amount < 0n ? -amount : amount).padStart(7, "0");
  const whole = digits.slice(0, -6).replace(/\B(?=(\d{3})+$)/g, ",");
  const part = digits.slice(-6).replace(/0+$/, "").padEnd(2, "0");
  return `${amount < 0n ? "\u2212" : ""}${SIGNS[currency] ?? `${currency} `}${whole}.${part}`;
}
