import { UserError } from "../errors.ts";
import type { CopyEntry, CopyStep } from "../plan/build-plan.ts";
import { CONTENT_SOURCE, type ContentDelivery, filesSource } from "./content-delivery.ts";

/** A COPY for each entry of the step. Throws UserError for a path that no instruction can hold. */
export function copyLines(step: CopyStep, delivery: ContentDelivery): string[] {
  return step.entries.map((entry, index) => {
    const { uid, gid, content } = entry;
    const { from, path } = sourceOf(step, { entry, index, delivery });
    const target = checkedPath(entry.path);
    const ends = content.kind === "directory" ? "/" : "";
    return `COPY ${from}--chown=${uid}:${gid} ${path}${ends} ${target}${ends}`;
  });
}

/** Where an entry's content lies below the build's content, whichever way that is delivered. */
export function contentPath(step: CopyStep, index: number): string {
  return `${step.folder}/${index}`;
}

/** A path as an instruction's word. Throws UserError where it is none. */
export function checkedPath(path: string): string {
  if (/^\/[A-Za-z0-9_.@:+/-]*$/.test(path)) return path;
  throw new UserError(`The path ${JSON.stringify(path)} cannot be written in an image.`, {
    hint: "Use an absolute path of letters, digits and ._@:+-",
  });
}

function sourceOf(
  step: CopyStep,
  { entry, index, delivery }: { entry: CopyEntry; index: number; delivery: ContentDelivery },
): { from: string; path: string } {
  const { content } = entry;
  switch (delivery.kind) {
    case "named-context":
      return content.kind === "file"
        ? { from: `--from=${filesSource(step.folder)} `, path: checkedPath(`/${content.name}`) }
        : { from: `--from=${CONTENT_SOURCE} `, path: `/${contentPath(step, index)}` };
    case "main-context":
      return { from: "", path: contentPath(step, index) };
    case "content-image":
      return { from: `--from=${CONTENT_SOURCE} `, path: `/${contentPath(step, index)}` };
  }
}
