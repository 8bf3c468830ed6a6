// The REST side: JSON under api/v1, with the same token as the socket.

const patience = 10_000;

/** A refusal by REST, with the code that 500 frames use too. status 0: no answer. */
export class ApiError extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Api calls the paths below `base`; every call gives up after 10 s. */
export class Api {
  #base;
  #token;
  #fetch;

  /**
   * @param {string|URL} base where the bundle is mounted, ending in a slash
   * @param {() => string|Promise<string>} token
   */
  constructor(base, token, fetch = globalThis.fetch.bind(globalThis)) {
    this.#base = base;
    this.#token = token;
    this.#fetch = fetch;
  }

  /** Rejects with ApiError. */
  async get(path, query = {}) {
    return this.#call("GET", path, query);
  }

  /** Rejects with ApiError. */
  async post(path, body) {
    return this.#call("POST", path, {}, body);
  }

  async #call(method, path, query, body) {
    const url = new URL(path, this.#base);
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
    const token = await this.#token();
    return request(this.#fetch, url, {
      method,
      headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
  }
}

/** One request and its JSON; rejects with ApiError. */
export async function request(fetch, url, init) {
  let response;
  try {
    response = await fetch(url, { ...init, cache: "no-store", signal: AbortSignal.timeout(patience) });
  } catch (error) {
    throw new ApiError(0, "unreachable", "the server cannot be reached");
  }
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const { code = "http", message = `the server answered ${response.status}` } = body?.error ?? {};
  throw new ApiError(response.status, code, message, Number(response.headers.get("Retry-After")) || undefined);
}
