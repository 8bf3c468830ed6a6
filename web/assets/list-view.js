// The conversations, the way to begin one, and who we are.
import { arrange, avatar, h, onNodes, whenOf } from "./dom.js";

/** ListView draws the side of the page; it holds no state but its elements. */
export class ListView {
  #on;
  #me;
  #rows = new Map(); // chat.key -> element
  #list = h("ul", { class: "rows", onkeydown: (event) => this.#arrows(event) });
  #empty;
  #about = h("span", { class: "faint", title: "your id and the name of this device" });

  /** @param {{openid: string, name: string}} me @param {object} on open, start, devices, logOut */
  constructor(me, on) {
    this.#on = on;
    this.#me = me;
    const other = me.openid === "will" ? ["rose", "Rose"] : ["will", "Will"];
    this.#empty = h("div", { class: "empty" },
      h("p", { text: "No conversations yet." }),
      h("p", {}, "Write to somebody by their id, for instance after logging in as ",
        h("a", { href: `?${new URLSearchParams({ as: other[0], name: other[1], with: me.openid })}`, target: "_blank", rel: "noopener", text: `${other[1]} in a second window` }), "."));
    this.element = h("div", { class: "side" },
      h("header", { class: "me" }, avatar(me),
        h("div", { class: "who" }, h("strong", { text: me.name }), this.#about),
        h("button", { type: "button", class: "quiet devices-button", text: "Devices", onclick: on.devices }),
        h("button", { type: "button", class: "quiet log-out", text: "Log out", onclick: on.logOut })),
      this.#beginForm(),
      h("nav", { "aria-label": "Conversations" }, this.#list, this.#empty));
  }

  /** Draws the list. @param {import("./chats.js").Chat[]} chats @param {import("./chats.js").Chat|null} open */
  show(chats, open) {
    this.#empty.hidden = chats.length > 0;
    arrange(this.#list, chats.map((chat) => this.#row(chat, chat === open)));
  }

  /** Draws as which device we are here, and on which nodes. @param {string[]} [nodes] known to an administrator only */
  where(device, nodes = []) {
    this.#about.textContent = [this.#me.openid, device, ...onNodes(nodes)].join(" · ");
  }

  /** Puts the keyboard where one begins. */
  focus() {
    (this.#list.querySelector("[aria-current] , button") ?? this.element.querySelector("input")).focus();
  }

  #row(chat, current) {
    let row = this.#rows.get(chat.key);
    if (!row) {
      const button = h("button", { type: "button", class: "row", dataset: { peer: chat.peer.openid }, onclick: () => this.#on.open(chat) });
      row = h("li", {}, button);
      this.#rows.set(chat.key, row);
    }
    const types = chat.typingUntil > Date.now();
    const drawn = JSON.stringify([chat.peer, chat.unread, chat.last, chat.presence?.status, current, types]);
    if (row.dataset.drawn === drawn) return row;
    row.dataset.drawn = drawn;
    const button = row.firstChild;
    if (current) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    button.replaceChildren(...this.#parts(chat, types));
    return row;
  }

  #parts(chat, types) {
    const sign = avatar(chat.peer);
    const status = chat.presence?.status;
    if (status) sign.dataset.presence = status;
    const preview = chat.last ? `${chat.last.mine ? "You: " : ""}${chat.last.text || "(taken back)"}` : "No messages yet";
    return [sign,
      h("span", { class: "who" }, h("strong", { text: chat.peer.name || chat.peer.openid }),
        h("span", { class: types ? "preview types" : "preview faint", text: types ? "typing…" : preview })),
      h("span", { class: "aside" },
        chat.last && h("span", { class: "faint", text: whenOf(chat.last.at) }),
        chat.unread > 0 && h("span", { class: "unread", text: chat.unread > 99 ? "99+" : chat.unread }),
        chat.unread > 0 && h("span", { class: "hidden", text: "unread" }),
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
