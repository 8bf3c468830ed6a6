// Small help for building a page without a framework, and how things are put into words.

/**
 * Makes an element. Attributes that begin with "on" are listeners, `class`, `text` and `dataset` mean what they say, false
 * and undefined leave an attribute out, true sets it empty. Text is always set as text, never as HTML.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Makes `parent` hold exactly these children in this order, touching only what differs, so that focus and scroll stay. */
export function arrange(parent, children) {
  let next = parent.firstChild;
  for (const child of children) {
    if (child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
  while (next) {
    const surplus = next;
    next = next.nextSibling;
    surplus.remove();
  }
}

/** A round sign with somebody's initial, in a colour of their own. */
export function avatar({ openid, name }) {
  const element = h("span", { class: "avatar", "aria-hidden": "true", text: [...(name || openid)][0].toUpperCase() });
  let hue = 0;
  for (const char of openid) hue = (hue * 31 + char.codePointAt(0)) % 360;
  element.style.setProperty("--hue", hue);
  return element;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export const timeOf = (at) => clock.format(at);
export const exactTimeOf = (at) => exact.format(at);
export const dateOf = (at) => short.format(at);
export const fullTimeOf = (at) => full.format(at);
export const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();
export const dayOf = (at) => (sameDay(at, Date.now()) ? "Today" : day.format(at));
/** The time if it was today, else the day. */
export const whenOf = (at) => (sameDay(at, Date.now()) ? clock.format(at) : short.format(at));

/** What the server's error codes mean to a person. */
const reasons = {
  unknown_user: "nobody has logged in with this openid yet",
  forbidden: "you may not write to them",
  too_large: "the message is too long",
  conflict: "another message was sent under the same key",
  rate_limited: "too fast, trying again",
  overloaded: "the server is busy, trying again",
  storage_unavailable: "the server cannot store it now, trying again",
  draining: "the server is restarting, trying again",
  internal: "something went wrong on the server, trying again",
};

export const reasonOf = ({ code, message }) => reasons[code] ?? message ?? code;

/** What an error of a REST call means to a person. */
export const failureOf = (error) => (error.status === 0 ? "The server cannot be reached." : `${error.message}.`.replace(/\.\.$/, "."));

/** What to say of the nodes somebody is on; nothing where that is not known. @param {string[]} names */
export function onNodes(names) {
  return names.length > 0 ? [`on ${names.join(", ")}`] : [];
}
