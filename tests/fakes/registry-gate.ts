/** How a fake registry wants to be logged in to. */
export type FakeAuth =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | {
      readonly kind: "bearer";
      readonly username: string;
      readonly password: string;
      /** Accepted by the token endpoint instead of name and password. */
      readonly refreshToken?: string;
      /** Whether anybody gets a token. */
      readonly anonymous?: boolean;
      /** The realm to name instead of its own `/token`. */
      readonly realm?: string;
    };

/** Lets a request through (undefined) or answers it: the challenge, or the token endpoint's answer. */
export function createGate(auth: FakeAuth | undefined): (request: Request) => Promise<Response | undefined> {
  if (auth === undefined) return async () => undefined;
  const login = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
  const tokens = new Map<string, readonly string[]>();
  return async (request) => {
    const url = new URL(request.url);
    const sent = request.headers.get("authorization");
    if (auth.kind === "basic") return sent === login ? undefined : unauthorized('Basic realm="fake"');
    if (url.pathname === "/token") {
      const form = new URLSearchParams(request.method === "POST" ? await request.text() : url.search);
      const isKnown =
        sent === login || (auth.refreshToken !== undefined && form.get("refresh_token") === auth.refreshToken);
      const isAllowed = isKnown || (sent === null && request.method === "GET" && auth.anonymous === true);
      if (!isAllowed) return unauthorized(undefined);
      const token = `token-${tokens.size + 1}`;
      tokens.set(token, isKnown ? form.getAll("scope").flatMap((scope) => scope.split(" ")) : readable(form));
      return Response.json({ token });
    }
    const scope = scopeOf(request.method, url.pathname);
    const granted = sent?.startsWith("Bearer ") === true ? tokens.get(sent.slice("Bearer ".length)) : undefined;
    if (granted?.some((grant) => grant === scope || grant === `${scope},push`) === true) return undefined;
    const realm = auth.realm ?? `${url.origin}/token`;
    return unauthorized(`Bearer realm="${realm}",service="fake",scope="${scope}"`);
  };
}

function scopeOf(method: string, path: string): string {
  const repository = /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(path)?.[1] ?? "";
  const isRead = (method === "GET" || method === "HEAD") && !path.includes("/blobs/uploads/");
  return `repository:${repository}:${isRead ? "pull" : "pull,push"}`;
}

/** What anybody is given of the scopes asked for. */
function readable(form: URLSearchParams): string[] {
  return form.getAll("scope").map((scope) => scope.replace(/,push$/, ""));
}

function unauthorized(challenge: string | undefined): Response {
  const headers: Record<string, string> = challenge === undefined ? {} : { "www-authenticate": challenge };
  return Response.json({ errors: [{ code: "UNAUTHORIZED" }] }, { status: 401, headers });
}
