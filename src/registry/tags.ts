import * as v from "valibot";
import { UserError } from "../errors.ts";
import { readJsonDocument } from "../oci/json-document.ts";
import { readBody } from "./read-body.ts";

const tagsSchema = v.object({ tags: v.nullish(v.array(v.string()), []) });
const maximumPage = 16 * 1024 * 1024;
const maximumPages = 1000;

/**
 * Reads a repository's tags page by page; `get` fetches a path below `/v2/` and gives undefined when there is nothing.
 */
export async function readTags(
  repository: string,
  { resource, get }: { resource: string; get: (path: string) => Promise<Response | undefined> },
): Promise<string[]> {
  const what = `The tag list of ${resource}`;
  const base = `${repository}/tags/list`;
  const tags: string[] = [];
  let path: string | undefined = base;
  for (let page = 0; path !== undefined; page++) {
    if (page === maximumPages) throw new UserError(`${what} does not end: gave up after ${maximumPages} pages.`);
    const response: Response | undefined = await get(path);
    if (response === undefined) return tags;
    const bytes = await readBody(response, { maximum: maximumPage, what });
    tags.push(...readJsonDocument(bytes, { schema: tagsSchema, what }).tags);
    path = nextPage(response, base);
  }
  return tags;
}

// Only the query is taken from the server: the next page is in the same list on the same host, whatever else it says.
function nextPage(response: Response, base: string): string | undefined {
  const link = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
  const query = link === undefined ? "" : link.slice(link.indexOf("?"));
  return query.startsWith("?") ? `${base}${query}` : undefined;
}
