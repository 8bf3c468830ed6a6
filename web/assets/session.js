// Who is logged in on this tab, and how to get another token.
import { Api, ApiError, request } from "./api.js";

/** Nobody is logged in any more, and only a person can change that. */
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
  #token;
  #dev;

  constructor(base, { openid, name, token, dev, roles }) {
    Object.assign(this, { openid, name: name || openid, roles });
    this.#base = base;
    this.#token = token;
    this.#dev = dev;
  }

  /** The session that this tab had before, or null. */
  static saved(base) {
    const text = sessionStorage.getItem(Session.#key + base.pathname);
    return text ? new Session(base, JSON.parse(text)) : null;
  }

  /** Logs in by the development SSO, with any roles. Rejects with ApiError; status 404 where there is none. */
  static async asAnyone(base, openid, name, roles = []) {
    const { token } = await devLogin(base, openid, name, roles);
    return new Session(base, { openid, name, token, dev: true, roles }).#save();
  }

  /** Logs in with a token that somebody else gave. Rejects with ApiError. */
  static async withToken(base, token) {
    const me = await new Api(base, () => token).get("api/v1/me");
    return new Session(base, { openid: me.openid, name: me.userName, token, dev: false }).#save();
  }

  /** The token; another one if asked to renew. Rejects with SignedOut. */
  async token({ renew = false } = {}) {
    if (!renew) return this.#token;
    if (!this.#dev) throw new SignedOut("the token has ended");
    try {
      this.#token = (await devLogin(this.#base, this.openid, this.name, this.roles)).token;
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) throw new SignedOut(error.message);
      throw error;
    }
    this.#save();
    return this.#token;
  }

  /** Forgets it on this tab. */
  end() {
    sessionStorage.removeItem(Session.#key + this.#base.pathname);
  }

  #save() {
    const { openid, name, roles } = this;
    sessionStorage.setItem(Session.#key + this.#base.pathname, JSON.stringify({ openid, name, token: this.#token, dev: this.#dev, roles }));
    return this;
  }
}

/** Whether anybody may log in as anyone here: asks without changing anything. */
export async function devSSO(base) {
  const { status } = await fetch(new URL("dev/login", base), {
    method: "POST", headers: { "Content-Type": "application/json" }, body: "{}", cache: "no-store", signal: AbortSignal.timeout(5000),
  }).catch(() => ({ status: 0 }));
  return status !== 404;
}

function devLogin(base, openid, userName, roles) {
  return request(fetch.bind(globalThis), new URL("dev/login", base), {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ openid, userName, roles }),
  });
}
