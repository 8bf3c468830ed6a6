// What an application does with the client: it takes its time to show a message, remembers what it has shown, and counts
// what became of what it said. The same in Chromium and in Node.js.

/**
 * @param {object} how connect, base, me, peer; shelf {load, save} of what was shown; options for connect
 */
globalThis.person = ({ connect, base, me, peer, shelf, options = {} }) => {
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });
  const state = { me, shown: shelf.load(), pending: 0, stored: 0, failed: [], tokens: 0, connection: "", device: "" };

  async function token() {
    state.tokens++;
    const response = await fetch(new URL("dev/login", base), {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ openid: me, userName: me }),
    });
    return (await response.json()).token;
  }

  const link = connect({ base, me, token, ...options });
  link.on("connection", ({ state: now, why }) => { state.connection = why ? `${now}: ${why}` : now; });
  link.on("message", async ({ seq, message }) => {
    await pause(20); // long enough that a server that dies always leaves something without an acknowledgement
    state.shown.push([seq, message]);
    shelf.save(state.shown);
  });

  return {
    link,
    state: () => ({ ...state, connection: state.connection, device: link.device, unsent: link.unsent.length }),
    /** Says `name from` to `name to`, one after the other, without waiting for answers. */
    async say(name, from, to) {
      for (let n = from; n <= to; n++) {
        state.pending++;
        link.send(peer, `${name} ${n}`).then(() => state.stored++, (error) => state.failed.push(error.code)).finally(() => state.pending--);
        await pause(10);
      }
    },
  };
};
