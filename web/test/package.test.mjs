// The client as applications get it: packed, installed, imported by its name, and under the real TypeScript compiler.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const source = (name) => readFileSync(here(name), "utf8");
const tools = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "yanlink-tools", "web");

const project = mkdtempSync(join(tmpdir(), "yanlink-package-"));
after(() => rmSync(project, { recursive: true }));
run(here("project.sh"), project, here("application.ts"));
const installed = join(project, "node_modules", "yanlink");

/** Runs a program in the project; what it writes is part of the failure. */
function run(program, ...args) {
  try {
    return execFileSync(program, args, { cwd: project, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`${program}: ${error.stdout}${error.stderr}`);
  }
}

/** Compiles the application as strictly as can be. */
function compile(module, moduleResolution) {
  const compilerOptions = {
    strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noUnusedLocals: true, skipLibCheck: false,
    target: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [], module, moduleResolution, outDir: "out",
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["application.ts"] }));
  run(process.execPath, join(tools, "typescript", "node_modules", "typescript", "bin", "tsc"), "--project", ".");
}

/** Where nobody listens. */
async function nowhere() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => { server.once("listening", done); });
  const { port } = server.address();
  await new Promise((done) => { server.close(done); });
  return `http://127.0.0.1:${port}/im/`;
}

/** Names in the order of the alphabet. */
const sorted = (names) => [...new Set(names)].sort();
const found = (text, pattern) => sorted([...text.matchAll(pattern)].map(([, name]) => name));

test("the package holds the client, its types, its licence and what to know of it, and nothing else", () => {
  assert.deepEqual(readdirSync(installed).sort(), ["LICENSE", "README.md", "package.json", "yanlink.d.ts", "yanlink.js"]);
  for (const [name, from] of [["LICENSE", "../../LICENSE"], ["README.md", "../README.md"], ["yanlink.js", "../yanlink.js"], ["yanlink.d.ts", "../yanlink.d.ts"]]) {
    assert.equal(readFileSync(join(installed, name), "utf8"), source(from), name);
  }
});

test("an application compiles against it in either way of looking up packages, and finds in the code all that the types have", async () => {
  compile("preserve", "bundler");
  compile("nodenext", "nodenext");
  const told = JSON.parse(run(process.execPath, "--experimental-websocket", "--no-warnings", join("out", "application.js"), await nowhere()));
  const code = await import(join(installed, "yanlink.js"));
  const own = (object, base) => sorted(Object.getOwnPropertyNames(object).filter((name) => !(name in base)));

  assert.deepEqual(told.refusals, ["send: closed", "read: closed", "recall: closed", "renew: closed", "history: unreachable", "rest: unreachable"]);
  assert.equal(told.ended, "ended");
  assert.deepEqual(sorted(told.values), Object.keys(code), "what is exported");
  assert.deepEqual(sorted(told.members), own(code.Link.prototype, {}), "members of Link");
  const link = new code.Link({ me: "rose", base: await nowhere() });
  await link.close();
  assert.deepEqual(Object.keys(link), [], "no field of Link is public");
  assert.deepEqual(sorted(told.causes), own(new code.YanlinkError("code", "text", { retryAfter: 1, retryAfterMs: 1, field: "to", msgid: "m1" }), new Error()), "fields of YanlinkError");
  assert.deepEqual(sorted(told.options), sorted(told.asked), "options that it asks for");
  const emitted = [...found(source("../yanlink.js"), /(?:#emit|tell)\("(\w+)"/g), ...found(source("../yanlink.js"), /\[Type\.\w+\]: "(\w+)"/g)];
  assert.deepEqual(sorted(told.listeners), sorted(emitted), "events");

  const types = found(source("../yanlink.d.ts"), /^export (?:interface|class|function|type) (\w+)/gm);
  const [, imported] = /^import type \{ (.*) \}/m.exec(source("application.ts"));
  assert.deepEqual(sorted([...imported.split(", "), ...told.values]), types, "the application uses every name");
});
