import { hexOf, sha256Of } from "../oci/digest.ts";

/** What an agent's data volumes are named after. */
export type DataOwner =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "repository"; readonly url: string | undefined; readonly root: string }
  | { readonly kind: "folder"; readonly path: string };

/** The label of a data volume with what its name begins with, by which the volumes of a project are known together. */
export const VOLUMES_LABEL = "dev.cooper.agent.volumes";

/** The folders of the home that are kept in volumes. */
const KEPT_FOLDERS = [".cache", ".local"];

/** The volumes whose names begin with this, and the folder of the home that each is for. */
export function dataVolumesOf(base: string): readonly { readonly name: string; readonly folder: string }[] {
  return KEPT_FOLDERS.map((folder) => ({ name: `${base}-${folder.slice(1)}`, folder }));
}

/** What the names of data volumes begin with; no credentials of a remote's address get into it. */
export function dataVolumesName(owner: DataOwner): string {
  switch (owner.kind) {
    case "name":
      return owner.name;
    case "repository":
      return owner.url === undefined ? `ocx-git-${shortHash(owner.root)}` : `ocx-git-${sanitiseRemote(owner.url)}`;
    case "folder":
      return `ocx-dir-${shortHash(owner.path)}`;
  }
}

/** The address of `origin`, else of the first remote, in the text of a repository's config. */
export function remoteOf(gitConfig: string): string | undefined {
  const remotes = new Map<string, string>();
  let section: string | undefined;
  for (const line of gitConfig.split("\n")) {
    const header = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) section = /^remote\s+"(.*)"$/.exec(header)?.[1];
    const url = /^\s*url\s*=\s*(.*?)\s*$/.exec(line)?.[1];
    if (section !== undefined && url !== undefined && !remotes.has(section)) remotes.set(section, url);
  }
  return remotes.get("origin") ?? remotes.values().next().value;
}

function sanitiseRemote(url: string): string {
  const place = url
    .replace(/^[a-z+]+:\/\//i, "")
    .replace(/^[^@/]*@/, "")
    .replace(/\.git\/?$/, "")
    .toLowerCase()
    .replace(/[:/._@]+/g, "-")
    .replace(/[^a-z0-9-]+/g, "")
    .replace(/-{2,}/g, "-")
    .replace(/^-|-$/g, "");
  return place === "" || place.length > 200 ? shortHash(url.replace(/\/\/[^@/]*@/, "//")) : place;
}

function shortHash(text: string): string {
  return hexOf(sha256Of(text)).slice(0, 12);
}
