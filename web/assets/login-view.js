// The way in: as anyone where the development SSO stands, else with a token.
import { failureOf, h } from "./dom.js";
import { Session, devSSO } from "./session.js";

/**
 * Shows the form in `root` until somebody is logged in.
 * @param {HTMLElement} root
 * @param {URL} base
 * @param {{notice?: string, openid?: string, name?: string, admin?: boolean, token?: boolean}} [how] notice: why the form is here again;
 *   token: it is known that there is no development SSO
 * @returns {Promise<Session>}
 */
export function logIn(root, base, how = {}) {
  return new Promise((resolve) => {
    const form = how.token ? tokenForm(base, resolve) : anyoneForm(base, resolve, how, toToken);
    const card = h("main", { class: "login" },
      h("img", { class: "logo", src: "assets/icon.svg", alt: "", width: "48", height: "48" }),
      h("h1", { text: "Yanlink" }),
      h("p", { class: "lead", text: "Two people, two windows, every message proved." }),
      how.notice && h("p", { class: "notice", role: "status", text: how.notice }),
      form);
    root.replaceChildren(card);
    form.querySelector("input").focus();
    if (!how.token) devSSO(base).then((there) => there || toToken()).catch(() => {});

    function toToken() {
      if (card.isConnected && form.isConnected) resolve(logIn(root, base, { ...how, token: true }));
    }
  });
}

function anyoneForm(base, resolve, { openid = "", name = "", admin = false }, noSSO) {
  return form("Log in", async (fields) => {
    try {
      const who = fields.get("openid").trim();
      resolve(await Session.asAnyone(base, who, fields.get("name").trim() || who, fields.has("admin") ? ["admin"] : []));
    } catch (error) {
      if (error.status === 404) return noSSO();
      throw error;
    }
  },
  field("openid", "Your id (openid)", { value: openid, required: true, maxlength: 128, autocomplete: "username", autocapitalize: "none", spellcheck: "false", placeholder: "rose" }),
  field("name", "Your name", { value: name, maxlength: 128, autocomplete: "nickname", placeholder: "Rose" }),
  h("label", { class: "check" }, h("input", { type: "checkbox", name: "admin", checked: admin }), "As administrator: see on which node people are"),
  h("p", { class: "hint", text: "The development login lets anybody be anyone. Log in here as one person and in a second window as another." }));
}

function tokenForm(base, resolve) {
  return form("Connect", async (fields) => resolve(await Session.withToken(base, fields.get("token").trim())),
    h("p", { class: "notice", text: "This server has no development login: it asks your own sign-on. Paste a token of it to go on." }),
    field("token", "Token", { required: true, type: "password", autocomplete: "off", spellcheck: "false" }),
    h("p", { class: "hint", text: "The token stays in this tab and is sent to this server only." }));
}

function form(label, submit, ...parts) {
  const button = h("button", { type: "submit", class: "primary", text: label });
  const problem = h("p", { class: "problem", role: "alert" });
  return h("form", {
    class: "fields",
    async onsubmit(event) {
      event.preventDefault();
      button.disabled = true;
      problem.textContent = "";
      try {
        await submit(new FormData(event.target));
      } catch (error) {
        problem.textContent = error.status === 401 ? "The server does not accept this." : failureOf(error);
      } finally {
        button.disabled = false;
      }
    },
  }, ...parts, problem, button);
}

function field(name, label, attributes) {
  const id = `login-${name}`;
  return h("div", { class: "field" }, h("label", { for: id, text: label }), h("input", { id, name, type: "text", ...attributes }));
}
