// Which device this tab is. Two tabs under one name would take the connection from each other for ever.

const patience = 800; // how long a reload waits for its own past to let go

const ours = new Set(); // claims of this page: whoever logs out and in again finds their own

/**
 * Claims a device name for as long as this page lives: the one this tab had before, else "web" if no other tab of this
 * user has it, else a name that the server forgets soon (~ and some chance).
 * @param {string} scope what the name is unique in: the server's address and the user
 */
export async function claimDevice(scope, storage = sessionStorage) {
  const key = `yanlink:device:${scope}`;
  // A duplicated tab comes with a copy of the storage: the claim on that name then fails, as it should.
  const before = storage.getItem(key);
  const claim = navigator.locks ? lock : announce;
  for (const [name, wait] of [[before, patience], ["web", 0]]) {
    if (name && (ours.has(`${key}:${name}`) || (await claim(`${key}:${name}`, wait)))) return keep(name);
  }
  const name = `~${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
  await claim(`${key}:${name}`, 0);
  return keep(name);

  function keep(name) {
    ours.add(`${key}:${name}`);
    storage.setItem(key, name);
    return name;
  }
}

/** By Web Locks: the browser lets go of it when the page is gone, however it went. */
function lock(name, wait) {
  const options = wait > 0 ? { signal: AbortSignal.timeout(wait) } : { ifAvailable: true };
  return new Promise((resolve) => {
    navigator.locks
      .request(name, options, (held) => {
        resolve(held !== null);
        return held && new Promise(() => {}); // held until the page is gone
      })
      .catch(() => resolve(false));
  });
}

/** Pages over plain HTTP have no Web Locks: ask the other tabs, and answer those that ask later. */
function announce(name) {
  const channel = new BroadcastChannel(name);
  return new Promise((resolve) => {
    const free = setTimeout(() => {
      channel.onmessage = ({ data }) => data === "whose?" && channel.postMessage("mine");
      resolve(true);
    }, 150);
    channel.onmessage = ({ data }) => {
      if (data !== "mine") return;
      clearTimeout(free);
      channel.close();
      resolve(false);
    };
    channel.postMessage("whose?");
  });
}
