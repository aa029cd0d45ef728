import type { Fetch } from "../host/fetch.ts";
import { readBody } from "../registry/read-body.ts";
import { followRedirects } from "../registry/redirects.ts";

/** One GET, redirects followed; gives whatever status answers in the end. */
export type Download = (
  url: string,
  options: { headers: Readonly<Record<string, string>> },
) => Promise<{ status: number; bytes: Uint8Array }>;

const maximumBytes = 512 * 1024 * 1024;

/** Downloads by way of `fetch`; no header that could be a secret goes to another host. */
export function createDownload(fetch: Fetch): Download {
  const follow = followRedirects(fetch);
  return async (url, { headers }) => {
    const response = await follow({ url, headers });
    const what = `The answer of ${new URL(url).host}`;
    return { status: response.status, bytes: await readBody(response, { maximum: maximumBytes, what }) };
  };
}
