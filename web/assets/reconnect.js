// What to do when a connection has ended, and when. Knows no socket and no timer.

const base = 500;
const cap = 20_000;

/** Full jitter: a random time up to a ceiling that doubles with each failure in a row. In ms. */
export function backoff(failures, random = Math.random) {
  return Math.round(random() * Math.min(cap, base * 2 ** Math.min(failures, 16)));
}

/**
 * @typedef {object} Verdict
 * @property {"retry"|"token"|"stay"|"bug"} then retry: connect again after `delay`; token: get a new token first;
 *   stay: somebody decided that this ends here; bug: we broke the protocol, so trying again cannot help
 * @property {number} delay ms
 */

/**
 * The table of close codes.
 * @param {number} code the close code; 1005 and 1006 are what a browser reports for a connection that just broke
 * @param {string} reason may carry {"retryAfterMs": N}
 * @param {number} failures connections in a row that came to nothing
 * @returns {Verdict}
 */
export function afterClose(code, reason, failures, random = Math.random) {
  switch (code) {
    case 1000:
    case 1001:
    case 4403:
    case 4409:
      return { then: "stay", delay: 0 };
    case 1007:
    case 1009:
    case 4400:
      return { then: "bug", delay: 0 };
    case 4401:
      return { then: "token", delay: failures === 0 ? 0 : backoff(failures, random) };
    case 1012:
      // At once, since another node is waiting; but not in a circle if that one ends too.
      return { then: "retry", delay: failures === 0 ? 0 : backoff(failures, random) };
    case 1011:
    case 1013:
    case 4410:
      return { then: "retry", delay: hint(reason) ?? backoff(failures, random) };
    default:
      return { then: "retry", delay: backoff(failures, random) };
  }
}

/**
 * What the answer of GET me says about a handshake that failed: a browser never sees the handshake's own status.
 * @param {number} status 0 if there was no answer
 * @param {number} [retryAfter] seconds, from the header
 * @param {boolean} fresh the token was new already
 * @returns {Verdict}
 */
export function afterRefusal(status, retryAfter, fresh, failures, random = Math.random) {
  if (status === 401) return fresh ? { then: "stay", delay: 0 } : { then: "token", delay: 0 };
  if (status === 403) return { then: "stay", delay: 0 };
  // Some more than was asked for, so that those who were turned away together do not come back together.
  const delay = retryAfter > 0 ? Math.round(retryAfter * 1000 * (1 + random() / 4)) : backoff(failures, random);
  return { then: "retry", delay };
}

function hint(reason) {
  try {
    const { retryAfterMs } = JSON.parse(reason);
    return Number.isFinite(retryAfterMs) && retryAfterMs >= 0 ? retryAfterMs : null;
  } catch {
    return null;
  }
}
