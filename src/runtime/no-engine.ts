import { UserError } from "../errors.ts";
import type { Engine } from "./engine.ts";

/** In the place of an engine where none is to be asked: it has no images, and runs nothing. */
export const noEngine: Engine = {
  kind: "none",
  path: "",
  inspectImages: async () => new Map(),
  run: refuse,
  ask: refuse,
  askHost: async () => null,
};

async function refuse(): Promise<never> {
  throw new UserError("This needs Docker or Podman, and --backend says to do without.", {
    hint: "Use --backend engine.",
  });
}
