// One conversation: its messages with what became of each, and the place to write.
import { arrange, avatar, dateOf, dayOf, exactTimeOf, fullTimeOf, h, onNodes, reasonOf, sameDay, timeOf } from "./dom.js";

const nearEnd = 80; // px: whoever reads here wants to see what comes
const recallFor = 120_000; // the server's window as it comes; beyond it the server would refuse
const kinds = ["", "image", "file", "audio", "video"];

/** ThreadView draws one conversation at a time. It keeps no messages: the timeline does. */
export class ThreadView {
  #on;
  #chat = null;
  #rows = new Map(); // message.key -> element
  #drafts = new Map(); // chat.key -> text not sent yet
  #title = h("header", { class: "title" });
  #older = h("button", { type: "button", class: "quiet older", text: "Earlier messages", onclick: () => this.#on.older(this.#chat) });
  #list = h("ol", { class: "messages" });
  #scroll = h("div", { class: "scroll", tabindex: "0", role: "log", onscroll: () => this.#scrolled() }, this.#older, this.#list);
  #below = h("button", { type: "button", class: "below", hidden: true, text: "New messages ↓", onclick: () => this.toEnd() });
  #input = h("textarea", { id: "compose", rows: "1", placeholder: "Message", autocomplete: "off", onkeydown: (event) => this.#key(event), oninput: () => this.#typed() });
  #compose;
  #problem = h("p", { class: "problem", role: "alert" });
  #nobody = h("p", { class: "nobody", text: "Choose a conversation, or begin one." });

  /** @param {object} on send, typing, recall, again, older, back */
  constructor(on) {
    this.#on = on;
    this.#compose = h("form", { class: "compose", onsubmit: (event) => this.#submit(event) },
      h("label", { class: "hidden", for: "compose", text: "Message. Enter sends, Shift and Enter begins a new line." }),
      this.#input, h("button", { type: "submit", class: "primary", text: "Send" }));
    this.element = h("section", { class: "thread", "aria-label": "Conversation" });
    this.open(null);
  }

  /** Shows another conversation. @param {import("./chats.js").Chat|null} chat */
  open(chat) {
    if (this.#chat) this.#drafts.set(this.#chat.key, this.#input.value);
    this.#chat = chat;
    this.#rows.clear();
    this.problem("");
    if (!chat) return this.element.replaceChildren(this.#nobody);
    this.#list.replaceChildren();
    this.#input.value = this.#drafts.get(chat.key) ?? "";
    this.element.replaceChildren(this.#title, this.#scroll, this.#below, this.#problem, this.#compose);
    this.show();
    this.toEnd();
    this.#grow();
  }

  /** Draws what changed. Whoever stands at the end stays at the end. */
  show() {
    const chat = this.#chat;
    if (!chat) return;
    const atEnd = this.atEnd;
    const height = this.#scroll.scrollHeight;
    this.#drawTitle(chat);
    this.#scroll.setAttribute("aria-label", `Messages with ${chat.peer.name || chat.peer.openid}`);
    this.#scroll.setAttribute("aria-busy", String(chat.loaded === "busy"));
    this.#older.hidden = !chat.more;
    arrange(this.#list, this.#items(chat.timeline.messages));
    if (atEnd) this.toEnd();
    else if (this.#scroll.scrollHeight > height) this.#below.hidden = false;
  }

  /** Draws what came before, keeping under the eyes what was there. */
  showOlder() {
    const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    this.show();
    this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
    this.#below.hidden = true;
  }

  /** Says what went wrong; empty for nothing. */
  problem(text) {
    this.#problem.textContent = text;
  }

  /** Puts the keyboard where one writes. */
  focus() {
    this.#input.focus();
  }

  get atEnd() {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight < nearEnd;
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#below.hidden = true;
  }

  #drawTitle(chat) {
    const { status, devices = [], nodes = [], lastSeen } = chat.presence ?? {};
    const presence = {
      online: ["online", ...(devices.length > 0 ? [devices.join(", ")] : []), ...onNodes(nodes)].join(" · "),
      offline: lastSeen && Date.parse(lastSeen) > 0 ? `offline, last seen ${timeOf(Date.parse(lastSeen))}` : "offline",
      unknown: "presence unknown",
    }[status] ?? "";
    const types = chat.typingUntil > Date.now();
    const drawn = JSON.stringify([chat.peer, presence, status, types]);
    if (this.#title.dataset.drawn === drawn) return;
    this.#title.dataset.drawn = drawn;
    const sign = avatar(chat.peer);
    if (status) sign.dataset.presence = status;
    this.#title.replaceChildren(
      h("button", { type: "button", class: "quiet back", text: "←", "aria-label": "Back to the conversations", onclick: this.#on.back }),
      sign,
      h("div", { class: "who" }, h("h2", { text: chat.peer.name || chat.peer.openid }),
        types
          ? h("span", { class: "types", role: "status", text: "typing…" }) // in its place, so that nothing jumps
          : h("span", { class: "faint presence", text: [chat.peer.name && chat.peer.name !== chat.peer.openid ? chat.peer.openid : "", presence].filter(Boolean).join(" · ") })));
  }

  /** The elements of the list: messages, and a line where a day begins. */
  #items(messages) {
    const items = [];
    let before = null;
    for (const message of messages) {
      if (!before || !sameDay(before.at, message.at)) items.push(this.#day(message));
      const row = this.#row(message);
      row.classList.toggle("first", !before || before.mine !== message.mine || before.from?.openid !== message.from?.openid && !message.mine);
      items.push(row);
      before = message;
    }
    if (this.#rows.size > 2 * items.length) this.#forgetRows(items);
    return items;
  }

  /** Lets go of the elements of messages that do not stand here any more. */
  #forgetRows(items) {
    const standing = new Set(items);
    for (const [key, row] of this.#rows) if (!standing.has(row)) this.#rows.delete(key);
  }

  #day(message) {
    const key = `day:${new Date(message.at).toDateString()}`;
    let line = this.#rows.get(key);
    if (!line) this.#rows.set(key, (line = h("li", { class: "day", text: dayOf(message.at) })));
    return line;
  }

  #row(message) {
    let row = this.#rows.get(message.key);
    if (!row) this.#rows.set(message.key, (row = h("li", { class: message.mine ? "message mine" : "message" })));
    if (row.dataset.version === String(message.version)) return row;
    Object.assign(row.dataset, { version: message.version, state: message.state ?? "", seq: message.seq ?? "", msgid: message.msgid ?? "" });
    row.replaceChildren(
      h("span", { class: "hidden", text: message.mine ? "You:" : `${message.from?.userName || message.from?.openid || ""}:` }),
      h("div", { class: "bubble" }, body(message)),
      this.#meta(message));
    return row;
  }

  #meta(message) {
    const meta = h("div", { class: "meta" }, h("time", { datetime: new Date(message.at).toISOString(), title: fullTimeOf(message.at), text: timeOf(message.at) }));
    if (!message.mine) return meta;
    meta.append(h("span", { class: "sign", "aria-hidden": "true" }), h("span", { class: "state" }, ...stateOf(message)));
    if (message.kind !== "message") return meta;
    if (message.state === "refused") {
      meta.append(h("button", { type: "button", class: "quiet", text: "Send again", onclick: () => this.#on.again(this.#chat, message) }));
    } else if (message.messageId && message.at > Date.now() - recallFor) {
      meta.append(h("button", { type: "button", class: "quiet recall", text: "Take back", onclick: () => this.#on.recall(message) }));
    }
    return meta;
  }

  #key(event) {
    if (event.key === "Escape") this.#on.back();
    // While an input method composes, Enter picks a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#compose.requestSubmit();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#input.value.trimEnd();
    if (!text.trim()) return;
    this.#on.send(this.#chat, text);
    this.#input.value = "";
    this.#grow();
    this.toEnd();
    this.#input.focus();
  }

  #typed() {
    this.#grow();
    if (this.#input.value.trim()) this.#on.typing(this.#chat);
  }

  /** As high as its text, up to what the style allows. */
  #grow() {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight + 2}px`;
  }

  #scrolled() {
    if (this.atEnd) this.#below.hidden = true;
  }
}

function body({ kind, message: text, fileType }) {
  if (kind === "recalled") return h("em", { text: "taken back" });
  if (kind === "expired") return h("em", { text: "expired" });
  if (fileType > 0 && /^https?:\/\//i.test(text)) {
    return h("a", { href: text, target: "_blank", rel: "noopener noreferrer", text: `${kinds[fileType] ?? "file"}: ${text}` });
  }
  return document.createTextNode(text);
}

/** What became of a message of ours: a word, and its proof. */
function stateOf({ state, devices, error, at: sent }) {
  // The day only where it is another one.
  const when = (at) => (sameDay(at, sent) ? exactTimeOf(at) : `${dateOf(at)}, ${exactTimeOf(at)}`);
  switch (state) {
    case "sending":
      return [error ? `sending: ${reasonOf(error)}` : "sending"];
    case "delivered":
    case "read":
      return [state, ...devices.map(({ device, at }) => h("span", { class: "proof", text: ` (${device}, ${when(at)})` }))];
    case "refused":
      return [`not sent: ${reasonOf(error)}`];
    case "gone":
      return ["taken back or expired"];
    default:
      return ["stored"];
  }
}
