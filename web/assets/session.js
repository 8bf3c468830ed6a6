// Who is signed in on this tab, and how to get another token.
import { YanlinkError } from "./yanlink.js";

const patience = 10_000;

/** Nobody is signed in any more, and only a person can change that. */
export class SignedOut extends Error {
  final = true;
}

/**
 * Session of one tab, kept in sessionStorage so that a reload goes on and a new tab may be somebody else.
 * @property {string} openid
 * @property {string} name
 */
export class Session {
  static #key = "yanlink:session:";
  #base;
  #kept; // {openid, name, roles, dev, token, endsAt}

  constructor(base, kept) {
    this.#base = base;
    this.#kept = kept;
    this.openid = kept.openid;
    this.name = kept.name || kept.openid;
    this.admin = kept.roles?.includes("admin") ?? false;
  }

  /** The session that this tab had before, or null. */
  static saved(base) {
    const text = sessionStorage.getItem(Session.#key + base.pathname);
    return text ? new Session(base, JSON.parse(text)) : null;
  }

  /** Signs in by the development SSO, with any roles. Rejects with YanlinkError; status 404 where there is none. */
  static async asAnyone(base, openid, name, roles = []) {
    const session = new Session(base, { openid, name, roles, dev: true });
    await session.#signIn();
    return session;
  }

  /** Signs in with a token that somebody else gave. Rejects with YanlinkError. */
  static async withToken(base, token) {
    const me = await call(new URL("api/v1/me", base), { headers: { Authorization: `Bearer ${token}` } });
    const session = new Session(base, { openid: me.openid, name: me.userName, token });
    session.#save();
    return session;
  }

  /** The token and the seconds it has left; another one if asked to renew. Rejects with SignedOut. */
  async token({ renew = false } = {}) {
    if (renew && !this.#kept.dev) throw new SignedOut("the token has ended");
    if (renew) await this.#signIn().catch((error) => { throw final(error) ? new SignedOut(error.message) : error; });
    const { token, endsAt } = this.#kept;
    return { token, expiresIn: endsAt && Math.max(1, (endsAt - Date.now()) / 1000) };
  }

  /** Forgets it on this tab. */
  end() {
    sessionStorage.removeItem(Session.#key + this.#base.pathname);
  }

  async #signIn() {
    const { openid, name, roles } = this.#kept;
    const { token, expiresIn } = await call(new URL("dev/login", this.#base), json({ openid, userName: name, roles }));
    Object.assign(this.#kept, { token, endsAt: Date.now() + expiresIn * 1000 });
    this.#save();
  }

  #save() {
    sessionStorage.setItem(Session.#key + this.#base.pathname, JSON.stringify(this.#kept));
  }
}

/** Whether anybody may sign in as anyone here: asks without changing anything. */
export async function devSSO(base) {
  return call(new URL("dev/login", base), json({})).then(() => true, ({ status }) => status !== 404);
}

const final = ({ status }) => status >= 400 && status < 500 && status !== 429;

const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

async function call(url, init) {
  const response = await fetch(url, { ...init, cache: "no-store", signal: AbortSignal.timeout(patience) })
    .catch(() => { throw new YanlinkError("unreachable", "the server cannot be reached"); });
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const { code = "http", message = `the server answered ${response.status}` } = body?.error ?? {};
  throw new YanlinkError(code, message, { status: response.status });
}
