// Where this person is connected, and a way to end it there.
import { dateOf, failureOf, h, onNodes, sameDay, timeOf } from "./dom.js";

/** DevicesView is a dialog over the page. */
export class DevicesView {
  #link;
  #me;
  #list = h("ul", { class: "devices" });
  #problem = h("p", { class: "problem", role: "alert" });
  #done = h("p", { class: "faint", role: "status" });
  #close = h("button", { type: "button", class: "quiet", text: "Close", onclick: () => this.element.close() });
  #opener;

  /** @param {import("./yanlink.js").Link} link @param {string} me */
  constructor(link, me) {
    this.#link = link;
    this.#me = me;
    this.element = h("dialog", { class: "dialog", "aria-labelledby": "devices-title", onclose: () => this.#opener?.focus() },
      h("header", {}, h("h2", { id: "devices-title", text: "Your devices" }), this.#close),
      h("p", { class: "hint", text: "Each kind of device has one connection; tabs of one browser share it." }),
      this.#list, this.#done, this.#problem);
  }

  /** Opens it, and reads who is connected. */
  async open() {
    this.#opener = document.activeElement;
    this.#say("");
    this.#list.replaceChildren(h("li", { class: "faint", text: "Reading…" }));
    this.element.showModal();
    await this.#read();
  }

  async #read() {
    try {
      const { items } = await this.#link.rest("GET", "sessions", { query: { user: this.#me } });
      this.#list.replaceChildren(...items.map((session) => this.#row(session)));
    } catch (error) {
      this.#list.replaceChildren();
      this.#problem.textContent = error.status === 404 ? "This server does not list devices." : failureOf(error);
    }
  }

  #row({ sessionId, device, since, node }) {
    const here = device === this.#link.device;
    const at = Date.parse(since);
    const when = `since ${sameDay(at, Date.now()) ? timeOf(at) : `${dateOf(at)}, ${timeOf(at)}`}`;
    return h("li", { dataset: { device } },
      h("div", { class: "who" }, h("strong", { text: here ? `${device} (here)` : device }),
        h("span", { class: "faint", text: [when, ...onNodes(node ? [node] : [])].join(" · ") })),
      !here && h("button", { type: "button", class: "danger", text: "Sign out there", "aria-label": `Sign out on ${device}`, onclick: (event) => this.#signOut(event.target, device, sessionId) }));
  }

  async #signOut(button, device, sessionId) {
    button.disabled = true;
    this.#say("");
    try {
      await this.#link.rest("DELETE", `sessions/${encodeURIComponent(sessionId)}`);
      this.#say(`Signed out on ${device}.`);
      await this.#read();
      this.#close.focus(); // the button that had the keyboard is gone
    } catch (error) {
      button.disabled = false;
      this.#problem.textContent = failureOf(error);
    }
  }

  #say(text) {
    this.#problem.textContent = "";
    this.#done.textContent = text;
  }
}
