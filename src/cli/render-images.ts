import { formatSize } from "../host/format-size.ts";
import type { JsonObject } from "../json.ts";
import { type FoundImage, type ImagePurpose, purposeOf } from "../plan/made-images.ts";
import { renderColumns } from "./render-columns.ts";

/** Images as lines in columns, one a name; nothing where there are none. */
export function renderImages(images: readonly FoundImage[]): string {
  if (images.length === 0) return "";
  const rows = images.flatMap((image) =>
    (image.names.length === 0 ? ["<none>"] : image.names).map((name) => [
      name,
      image.id.slice(0, 12),
      formatTime(image.created),
      formatSize(image.size),
      image.where,
      sayPurpose(purposeOf(image)),
    ]),
  );
  return renderColumns([["NAME", "ID", "CREATED", "SIZE", "WHERE", "WHAT"], ...rows]);
}

/** An image as JSON; `lastUsed` is what the store knows, and an engine does not. */
export function imageJson(image: FoundImage): JsonObject {
  const { id, where, names, created, time, size } = image;
  const lastUsed = where === "store" ? { lastUsed: new Date(time).toISOString() } : {};
  return { where, id, names: [...names], created: created ?? null, ...lastUsed, size, what: { ...purposeOf(image) } };
}

function sayPurpose(purpose: ImagePurpose): string {
  switch (purpose.kind) {
    case "agent":
      return `agent ${purpose.agent} ${purpose.version}`;
    case "dev-container":
      return "dev container";
    case "profile":
      return `profile ${purpose.profile}`;
    case "base":
      return "base";
    case "image":
      return "image";
  }
}

/** To the minute, in UTC. */
function formatTime(text: string | undefined): string {
  const time = new Date(text ?? "");
  return Number.isNaN(time.getTime()) ? "" : time.toISOString().slice(0, 16).replace("T", " ");
}
