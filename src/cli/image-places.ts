import type { ImagePlaces } from "../workflows/find-images.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import { type FlagDefinitions, type Flags, UsageError } from "./flags.ts";

/** Where images are looked for: in cooper's store and in the engine, or in one of them. */
export const IMAGE_PLACE_FLAGS = {
  store: { type: "boolean", description: "Only cooper's own store" },
  engine: { type: "boolean", description: "Only the engine's images" },
  "docker-path": ENGINE_FLAGS["docker-path"],
  ...LOG_FLAGS,
} as const satisfies FlagDefinitions;

/** Throws a UsageError for places that exclude each other. */
export function checkImagePlaces(flags: Flags): void {
  if (!flags.boolean("store")) return;
  if (flags.boolean("engine")) throw new UsageError("--store and --engine are mutually exclusive.");
  if (flags.string("docker-path") !== undefined) {
    throw new UsageError("--store and --docker-path are mutually exclusive.");
  }
}

/** The places that the options say. */
export function readImagePlaces(flags: Flags): ImagePlaces {
  const scope = flags.boolean("store") ? "store" : flags.boolean("engine") ? "engine" : "all";
  return { scope, dockerPath: flags.string("docker-path") };
}
