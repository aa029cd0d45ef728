// token-front.mjs --certificates DIR --listen HOST:PORT --upstream HOST:PORT
//
// What stands in front of a registry that asks for bearer tokens: TLS, /token on the same origin (as ghcr.io has it), and a proxy
// for the rest. Anyone may pull from every repository but private/*; ci with the password "secret" may do everything.
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:https";
import { parseArgs } from "node:util";

const USER = "ci";
const PASSWORD = "secret";
const REFRESH_TOKEN = "refresh-token-of-ci";

const { values } = parseArgs({
  options: { certificates: { type: "string" }, listen: { type: "string" }, upstream: { type: "string" } },
});
const [listenHost, listenPort] = values.listen.split(":");
const [upstreamHost, upstreamPort] = values.upstream.split(":");
const key = createPrivateKey(readFileSync(`${values.certificates}/server.key`));
const certificate = readFileSync(`${values.certificates}/server.crt`);
const x5c = [new X509Certificate(certificate).raw.toString("base64")];
const agent = new Agent({ keepAlive: true });

/** The user that a token request proves to be, "" for nobody, undefined for a wrong password. */
function userOf(authorization, parameters) {
  const basic = /^Basic (.+)$/i.exec(authorization ?? "");
  if (basic) {
    return Buffer.from(basic[1], "base64").toString() === `${USER}:${PASSWORD}` ? USER : undefined;
  }
  switch (parameters.get("grant_type")) {
    case "refresh_token":
      return parameters.get("refresh_token") === REFRESH_TOKEN ? USER : undefined;
    case "password":
      return parameters.get("username") === USER && parameters.get("password") === PASSWORD ? USER : undefined;
    default:
      return "";
  }
}

/** The part of the scopes asked for ("repository:acme/tools:pull,push") that the user is given. */
function grant(scopes, user) {
  return scopes
    .map((scope) => /^([^:]+):(.+):([^:]+)$/.exec(scope))
    .filter((match) => match !== null)
    .map(([, type, name, actions]) => ({
      type,
      name,
      actions: actions
        .split(",")
        .filter((action) => user !== "" || (action === "pull" && !name.startsWith("private/"))),
    }))
    .filter(({ actions }) => actions.length > 0);
}

function signedToken(claims) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${encode({ typ: "JWT", alg: "ES256", x5c })}.${encode(claims)}`;
  return `${body}.${sign("sha256", Buffer.from(body), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

function answerTokenRequest(message, body, response) {
  const query = new URL(message.url, "https://token-front").searchParams;
  const parameters = new URLSearchParams([...query, ...new URLSearchParams(body)]);
  const user = userOf(message.headers.authorization, parameters);
  if (user === undefined) {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "wrong user or password" }] }));
    return;
  }
  const now = Math.floor(Date.now() / 1000);
  const scopes = parameters.getAll("scope").flatMap((scope) => scope.split(" "));
  const claims = { iss: "cooper", sub: user, aud: parameters.get("service") ?? "", jti: randomUUID() };
  const times = { iat: now, nbf: now - 10, exp: now + 300 };
  const token = signedToken({ ...claims, ...times, access: grant(scopes, user) });
  const answer = { token, access_token: token, expires_in: 300, issued_at: new Date(now * 1000).toISOString() };
  const offline = parameters.get("offline_token") === "true" || parameters.get("access_type") === "offline";
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(offline && user !== "" ? { ...answer, refresh_token: REFRESH_TOKEN } : answer));
}

function proxy(message, response) {
  const { method, url, headers } = message;
  const forwarded = { ...headers, "x-forwarded-proto": "https", "x-forwarded-host": headers.host };
  const options = { host: upstreamHost, port: upstreamPort, method, path: url, agent, headers: forwarded };
  const upstream = request(options, (answer) => {
    console.error(`${method} ${url} ${answer.statusCode}`);
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  upstream.on("error", (error) => response.writeHead(502).end(String(error)));
  message.pipe(upstream);
}

createServer({ key: key.export({ type: "pkcs8", format: "pem" }), cert: certificate }, (message, response) => {
  if (!message.url.startsWith("/token")) {
    proxy(message, response);
    return;
  }
  const chunks = [];
  message.on("data", (chunk) => chunks.push(chunk));
  message.on("end", () => {
    console.error(`${message.method} /token`);
    answerTokenRequest(message, Buffer.concat(chunks).toString(), response);
  });
}).listen(Number(listenPort), listenHost);
