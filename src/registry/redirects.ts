import { UserError } from "../errors.ts";
import type { Fetch, HttpRequest } from "../host/fetch.ts";
import { isLoopbackHost } from "../oci/registry-origin.ts";

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maximumRedirects = 5;

/**
 * A fetch that follows the redirects of GET and HEAD. To another origin only `accept` and `range` go along, never a
 * credential, not even when a later redirect leads back; from https never to http. Throws a UserError for a redirect
 * that is refused.
 */
export function followRedirects(fetch: Fetch): Fetch {
  return async (first) => {
    let request = first;
    for (let count = 0; ; count++) {
      const response = await fetch(request);
      const location = response.headers.get("location");
      const isRead = request.method === undefined || request.method === "GET" || request.method === "HEAD";
      if (!redirectStatuses.has(response.status) || location === null || !isRead) {
        return new URL(request.url).origin === new URL(first.url).origin ? response : withoutChallenge(response);
      }
      await response.body?.cancel();
      if (count >= maximumRedirects) throw refused(request, `more than ${maximumRedirects} redirects in a row`);
      request = redirected(request, location);
    }
  };
}

function redirected(request: HttpRequest, location: string): HttpRequest {
  const from = new URL(request.url);
  const to = URL.parse(location, from.href);
  if (to === null || (to.protocol !== "https:" && to.protocol !== "http:")) {
    throw refused(request, "a redirect to something that is not a web address");
  }
  if (to.username !== "" || to.password !== "")
    throw refused(request, `a redirect to ${to.host} with a login in its address`);
  const staysPlain = from.protocol === "http:" && (isLoopbackHost(to.hostname) || to.host === from.host);
  if (to.protocol === "http:" && !staysPlain) throw refused(request, `a redirect to ${to.host} over plain HTTP`);
  const { headers = {} } = request;
  const harmless = Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === "accept" || name === "range"),
  );
  return { ...request, url: to.href, headers: to.origin === from.origin ? headers : harmless };
}

// Only the server that was asked may ask for a login.
function withoutChallenge({ body, status, statusText, headers: sent }: Response): Response {
  const headers = new Headers(sent);
  headers.delete("www-authenticate");
  return new Response(body, { status, statusText, headers });
}

function refused(request: HttpRequest, reason: string): UserError {
  return new UserError(`Stopped at an answer of ${new URL(request.url).host}: ${reason}.`, {
    hint: "Credentials and downloads could be read or changed on the way; whoever runs that server can put it right.",
  });
}
