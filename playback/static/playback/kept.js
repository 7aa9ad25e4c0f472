/* What a browser remembers of a listener's place, so that a reload goes on where the sound stood. Never anything that
   is money: the server alone knows what is paid. */

const PREFIX = "refrain:";

function guarded(use, otherwise = null) {
  try {
    return use();
  } catch {
    return otherwise; // storage may be switched off; then a reload begins at the start
  }
}

/** Remember where a paid session stands. */
export const keepPlace = (work, session, seconds) =>
  guarded(() => localStorage.setItem(`${PREFIX}place:${work}`, JSON.stringify({ session, seconds })));

/** Return {session, seconds} of the paid session heard last, or null. */
export const place = (work) => guarded(() => JSON.parse(localStorage.getItem(`${PREFIX}place:${work}`)));

export const forgetPlace = (work) => guarded(() => localStorage.removeItem(`${PREFIX}place:${work}`));

/** Remember where an unpaid listener stopped, in this tab only: on the way to the checkout and back. */
export const keepStop = (work, seconds) => guarded(() => sessionStorage.setItem(`${PREFIX}stop:${work}`, String(seconds)));

export const stop = (work) => guarded(() => {
  const found = sessionStorage.getItem(`${PREFIX}stop:${work}`);
  return found === null ? null : Number(found);
});

export const forgetStop = (work) => guarded(() => sessionStorage.removeItem(`${PREFIX}stop:${work}`));

/** Remember which works are queued and which of them is heard, in this tab only. */
export const keepQueue = (queue) => guarded(() => (queue.works.length
  ? sessionStorage.setItem(`${PREFIX}queue`, JSON.stringify(queue))
  : sessionStorage.removeItem(`${PREFIX}queue`)));

/** Return {works, at, title, href} of the queue of this tab, or nothing. */
export const queue = () => guarded(() => JSON.parse(sessionStorage.getItem(`${PREFIX}queue`)));

/** Remember which page led to which work, in this tab only. */
export const keepCame = (came) => guarded(() => sessionStorage.setItem(`${PREFIX}came`, JSON.stringify(came)));

export const came = () => guarded(() => JSON.parse(sessionStorage.getItem(`${PREFIX}came`)));
