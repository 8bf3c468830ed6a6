// A person in Node.js: node --experimental-websocket person.mjs BASE ME PEER. Takes calls as lines of JSON, [name, …arguments],
// and answers each with one line.
import { createInterface } from "node:readline";
import { connect } from "yanlink";
import "./person.js";

const [base, me, peer] = process.argv.slice(2);
const person = globalThis.person({ connect, base, me, peer, shelf: { load: () => [], save: () => {} } });

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  if (name === "say") person.say(...given); // goes on while we are asked other things
  console.log(JSON.stringify(person.state()));
}
await person.link.close();
