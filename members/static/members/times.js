/* Say beside each moment of a proposal's way what the visitor's own clock shows, where it is another one than the co-op's. */

const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY = { day: "numeric", month: "short" };
const shown = (moment, shape, timeZone) => new Intl.DateTimeFormat("en-GB", { ...shape, timeZone }).format(moment);

/** Add one's own time to every moment within the place, and the day where it is another one. */
export function attach(place) {
  const coop = document.body.dataset.timeZone;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of place.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const shape = shown(moment, DAY, own) === shown(moment, DAY, coop) ? TIME : { ...DAY, ...TIME };
    if (shown(moment, shape, own) !== shown(moment, shape, coop)) {
      time.append(` (${shown(moment, shape, own)} where you are)`);
    }
  }
}
