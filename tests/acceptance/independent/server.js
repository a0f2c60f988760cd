// A CAP service with its OData V2 adapter, over TLS: node server.js MODEL CERTIFICATE
//
// MODEL is the .cds file, CERTIFICATE a PEM file with the key and the chain. Prints one JSON line,
// {"url"}, when it answers, and ends when its standard input does.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const cds = require("@sap/cds");
const adapter = require("@cap-js-community/odata-v2-adapter");
const express = require("express");

const HOST = "127.0.0.1";

async function main([model, certificate]) {
  cds.env.requires.db = { kind: "sqlite", driver: "sql.js", credentials: { url: ":memory:" } };
  cds.env.requires.auth = { kind: "dummy" };
  const csn = await cds.load(model);
  cds.model = cds.compile.for.nodejs(csn);
  await cds.connect.to("db");
  await cds.deploy(csn).to("db");

  // The adapter translates to the V4 service, which answers on a port of its own.
  const app = express();
  await cds.serve("all").from(csn).in(app);
  const inner = http.createServer(app);
  await new Promise((done) => inner.listen(0, HOST, done));
  const front = express();
  const target = `http://${HOST}:${inner.address().port}`;
  front.use(adapter({ target, registerOnListening: false }));
  front.use(app); // V4 itself, at /odata/v4/commerce
  const pem = fs.readFileSync(certificate);
  const outer = https.createServer({ key: pem, cert: pem }, front);
  await new Promise((done) => outer.listen(0, HOST, done));
  const url = `https://${HOST}:${outer.address().port}/odata/v2/commerce`;
  process.stdout.write(`${JSON.stringify({ url })}\n`);
  process.stdin.on("end", () => process.exit(0)).resume();
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
