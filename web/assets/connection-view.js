// How the connection stands: a banner while there is none, and nothing to see while all is well.
import { h } from "./dom.js";

/** ConnectionView draws the banner. */
export class ConnectionView {
  element = h("div", { class: "connection", role: "status", "aria-live": "polite" });
  #on;
  #ticking;

  /** @param {{retry: () => void, start: () => void}} on */
  constructor(on) {
    this.#on = on;
  }

  /** Draws, counting down while it waits. @param {import("./yanlink.js").Connection} connection */
  show(connection) {
    this.stop();
    const draw = () => this.#draw(connection);
    if (connection.state === "waiting") this.#ticking = setInterval(draw, 1000);
    draw();
  }

  stop() {
    clearInterval(this.#ticking);
  }

  #draw({ state, retryAt, why }) {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const [text, action] = {
      connecting: ["Connecting…"],
      online: ["Connected"],
      waiting: [seconds > 0 ? `Disconnected, retry in ${seconds} s` : "Disconnected, retrying", ["Now", this.#on.retry]],
      ended: {
        replaced: ["This device is connected elsewhere", ["Use here", this.#on.start]],
        forbidden: ["The server does not let you in", ["Try again", this.#on.start]],
        closed: ["Disconnected", ["Connect", this.#on.start]],
        bug: ["The server did not understand this page", ["Reload", () => location.reload()]],
        identity_mismatch: ["The token is somebody else's"],
        signed_out: ["Logged out"],
      }[why],
    }[state];
    if (this.element.dataset.text === text) return;
    Object.assign(this.element.dataset, { text, state });
    this.element.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), h("span", { text }));
    if (action) this.element.append(h("button", { type: "button", class: "quiet", text: action[0], onclick: action[1] }));
  }
}
