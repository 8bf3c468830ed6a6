// The page's beginning: who uses this tab, and again after they have signed out.
import { failureOf } from "./dom.js";
import { logIn } from "./login-view.js";
import { Session } from "./session.js";
import { talk } from "./talk.js";

const base = new URL(".", document.baseURI);
const root = document.getElementById("app");

/** The one the address names, the one this tab had before, or whoever fills in the form. */
async function person(notice) {
  const query = new URLSearchParams(location.search);
  const openid = query.get("as")?.trim() ?? "";
  const name = query.get("name")?.trim() || openid;
  const admin = query.has("admin");
  const saved = Session.saved(base);
  if (saved && (!openid || saved.openid === openid)) return saved;
  if (!openid || notice) return byForm({ notice, openid, name, admin });
  try {
    return await Session.asAnyone(base, openid, name, admin ? ["admin"] : []);
  } catch (error) {
    return byForm({ notice: error.status === 404 ? "" : failureOf(error), openid, name, token: error.status === 404 });
  }
}

async function byForm(how) {
  const session = await logIn(root, base, how);
  history.replaceState(null, "", location.pathname + location.hash); // the form says who it is, not the address any more
  return session;
}

let notice = "";
for (;;) notice = await talk(root, base, await person(notice));
