// Runs a script of a document as a page of an application would: node page.mjs CLIENT SCRIPT BASE ME. A visitor writes to
// whoever the script is, and says in JSON what became of it.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [client, script, base, me] = process.argv.slice(2);
const called = [];
const note = (name) => (...given) => { called.push(name); return given[0]; };
const login = async (openid) => (await webFetch(new URL("dev/login", base), {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ openid, userName: openid }),
})).json();
const webFetch = globalThis.fetch;

// What a browser has and Node.js has not, and what an application has and its document does not show.
Object.assign(globalThis, {
  document: { baseURI: base, hidden: true, visibilityState: "hidden", addEventListener() {} },
  fetch: async (where, how) => (where === "/my/session/token" ? Response.json(await login(me)) : webFetch(where, how)),
  fetchToken: async () => { called.push("fetchToken"); return login(me); },
  myToken: (await login(me)).token,
  show: note("show"), banner: note("banner"), tick: note("tick"), doubleTick: note("doubleTick"),
});
globalThis.Notification = class { constructor() { called.push("Notification"); } static permission = "granted"; };

const { connect } = await import(pathToFileURL(client));
const text = readFileSync(script, "utf8").replace(/"(?:[./\w]*assets\/yanlink\.js|yanlink)"/, JSON.stringify(pathToFileURL(client).href));
const names = ["link", "im"].filter((name) => new RegExp(`const ${name} =`).test(text));
writeFileSync(script, `${text}\nexport { ${names[0]} as made };\n`);

// The visitor reads and acknowledges, so that the script sees delivered and read.
const visitors = ["jack", "will", "mia"].filter((name) => name !== me).map((name) => connect({ base, me: name, token: () => login(name) }));
for (const visitor of visitors) visitor.on("message", (m) => { setTimeout(() => visitor.read(m.conversationId, m.seq).catch(() => {}), 300); });

const until = async (done) => {
  for (let n = 0; n < 600 && !done(); n++) await new Promise((go) => { setTimeout(go, 50); });
  return done();
};

const { made } = await import(pathToFileURL(script));
let received = false;
let delivered = false;
made.on("message", ({ message }) => { received ||= message === "from a visitor"; });
visitors[0].on("delivered", () => { delivered = true; });
await visitors[0].send(me, "from a visitor");
const wanted = [...text.matchAll(/\b(show|banner|tick|doubleTick|Notification)\(/g)].map(([, name]) => name);
await until(() => received && delivered && wanted.every((name) => called.includes(name)));
console.log(JSON.stringify({ received, delivered, called }));
await Promise.all([made, ...visitors].map((link) => link.close()));
process.exit(0);
