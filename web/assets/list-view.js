// The conversations, the way to begin one, and who we are.
import { arrange, avatar, h, onNodes, whenOf } from "./dom.js";

/** ListView draws the side of the page; it holds no state but its elements. */
export class ListView {
  #on;
  #rows = new Map(); // chat.key -> element
  #list = h("ul", { class: "rows", onkeydown: (event) => this.#arrows(event) });
  #empty;
  #about = h("span", { class: "faint", title: "your id and the name of this device" });
  #device;
  #me;
  #connection = h("div", { class: "connection", role: "status", "aria-live": "polite" });
  #ticking;

  /** @param {{openid: string, name: string}} me @param {string} device @param {object} on open, start, logOut, retry, takeOver */
  constructor(me, device, on) {
    this.#on = on;
    this.#me = me;
    this.#device = device;
    this.nodes();
    const other = me.openid === "will" ? ["rose", "Rose"] : ["will", "Will"];
    this.#empty = h("div", { class: "empty" },
      h("p", { text: "No conversations yet." }),
      h("p", {}, "Write to somebody by their id, for instance after logging in as ",
        h("a", { href: `?${new URLSearchParams({ as: other[0], name: other[1], with: me.openid })}`, target: "_blank", rel: "noopener", text: `${other[1]} in a second window` }), "."));
    this.element = h("aside", { class: "side" },
      h("header", { class: "me" }, avatar(me),
        h("div", { class: "who" }, h("strong", { text: me.name }), this.#about),
        h("button", { type: "button", class: "quiet", text: "Log out", onclick: on.logOut })),
      this.#connection,
      this.#beginForm(),
      h("nav", { "aria-label": "Conversations" }, this.#list, this.#empty));
  }

  /** Draws the list. @param {import("./chats.js").Chat[]} chats @param {import("./chats.js").Chat|null} open */
  show(chats, open) {
    this.#empty.hidden = chats.length > 0;
    arrange(this.#list, chats.map((chat) => this.#row(chat, chat === open)));
  }

  /** Draws on which nodes we are. @param {string[]} [names] known to an administrator only */
  nodes(names = []) {
    this.#about.textContent = [this.#me.openid, this.#device, ...onNodes(names)].join(" · ");
  }

  /** Draws how the connection stands, counting down while it waits. @param {import("./link.js").Connection} connection */
  connection(connection) {
    clearInterval(this.#ticking);
    const draw = () => this.#drawConnection(connection);
    if (connection.state === "waiting") this.#ticking = setInterval(draw, 1000);
    draw();
  }

  /** Puts the keyboard where one begins. */
  focus() {
    (this.#list.querySelector("[aria-current] , button") ?? this.element.querySelector("input")).focus();
  }

  #drawConnection({ state, retryAt, why }) {
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    const [text, action] = {
      connecting: ["Connecting…"],
      online: ["Connected"],
      waiting: [seconds > 0 ? `Disconnected, retry in ${seconds} s` : "Disconnected, retrying", ["Now", this.#on.retry]],
      ended: {
        replaced: ["This device is connected elsewhere", ["Use here", this.#on.takeOver]],
        forbidden: ["The server does not let you in", ["Try again", this.#on.takeOver]],
        closed: ["Disconnected", ["Connect", this.#on.takeOver]],
        bug: ["The server did not understand this page", ["Reload", () => location.reload()]],
        signed_out: ["Logged out"],
      }[why],
    }[state];
    const mood = { online: "good", ended: "bad" }[state] ?? "busy";
    if (this.#connection.dataset.text === text) return;
    Object.assign(this.#connection.dataset, { text, mood, state });
    this.#connection.replaceChildren(h("span", { class: "dot", "aria-hidden": "true" }), h("span", { text }));
    if (action) this.#connection.append(h("button", { type: "button", class: "quiet", text: action[0], onclick: action[1] }));
  }

  #row(chat, current) {
    let row = this.#rows.get(chat.key);
    if (!row) {
      const button = h("button", { type: "button", class: "row", dataset: { peer: chat.peer.openid }, onclick: () => this.#on.open(chat) });
      row = h("li", {}, button);
      this.#rows.set(chat.key, row);
    }
    const drawn = JSON.stringify([chat.peer, chat.unread, chat.last, chat.presence?.status, current]);
    if (row.dataset.drawn === drawn) return row;
    row.dataset.drawn = drawn;
    const button = row.firstChild;
    if (current) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    button.replaceChildren(...this.#parts(chat));
    return row;
  }

  #parts(chat) {
    const sign = avatar(chat.peer);
    const status = chat.presence?.status;
    if (status) sign.dataset.presence = status;
    const preview = chat.last ? `${chat.last.mine ? "You: " : ""}${chat.last.text || "(recalled)"}` : "No messages yet";
    return [sign,
      h("span", { class: "who" }, h("strong", { text: chat.peer.name || chat.peer.openid }), h("span", { class: "preview faint", text: preview })),
      h("span", { class: "aside" },
        chat.last && h("span", { class: "faint", text: whenOf(chat.last.at) }),
        chat.unread > 0 && h("span", { class: "unread", text: chat.unread > 99 ? "99+" : chat.unread, "aria-label": `${chat.unread} unread` }),
        status === "online" && h("span", { class: "hidden", text: "online" }))];
  }

  #beginForm() {
    const input = h("input", { id: "begin", name: "openid", required: true, maxlength: 128, autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "Write to (openid)" });
    return h("form", {
      class: "begin",
      onsubmit: (event) => {
        event.preventDefault();
        const openid = input.value.trim();
        if (!openid) return;
        input.value = "";
        this.#on.start(openid);
      },
    }, h("label", { class: "hidden", for: "begin", text: "Write to somebody, by openid" }), input,
    h("button", { type: "submit", text: "Start" }));
  }

  #arrows(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = [...this.#list.querySelectorAll("button.row")];
    rows[rows.indexOf(document.activeElement) + step]?.focus();
    event.preventDefault();
  }
}
