import { AGENTS } from "../agent/agents.ts";
import { basesOfAgents, type FoundImage, purposeOf } from "../plan/made-images.ts";
import { findImages } from "../workflows/find-images.ts";
import type { CliCommand } from "./command.ts";
import type { Flags } from "./flags.ts";
import { checkImagePlaces, IMAGE_PLACE_FLAGS, readImagePlaces } from "./image-places.ts";
import { imageJson, renderImages } from "./render-images.ts";

/** `image list`: the images that cooper made in the engine, and all of its own store. */
export const imageList: CliCommand = {
  name: "list",
  description: "List the images that cooper made, in its own store and in the engine",
  flags: {
    agent: { type: "string", choices: AGENTS.map(({ name }) => name), description: "Only images of this agent" },
    base: { type: "boolean", description: "Only what agents' images were put on" },
    json: { type: "boolean", description: "Print JSON" },
    ...IMAGE_PLACE_FLAGS,
  },
  positionals: { kind: "words", atMost: 0 },
  check: checkImagePlaces,
  run: async (flags, tools) => {
    const images = choose(await findImages(readImagePlaces(flags), tools), flags);
    const asJson = flags.boolean("json");
    tools.terminal.writeData(asJson ? `${JSON.stringify(images.map(imageJson))}\n` : renderImages(images));
    if (images.length === 0 && !asJson) tools.log.info("No such image that cooper made.");
    return 0;
  },
};

/** In the order of places and names. */
function choose(images: readonly FoundImage[], flags: Flags): readonly FoundImage[] {
  const agent = flags.string("agent");
  const wanted = flags.boolean("base")
    ? basesOfAgents(images, agent)
    : images.filter((image) => agent === undefined || isOf(image, agent));
  return wanted.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

function isOf(image: FoundImage, agent: string): boolean {
  const purpose = purposeOf(image);
  return purpose.kind === "agent" && purpose.agent === agent;
}

function keyOf({ where, names, id }: FoundImage): string {
  return `${where}\0${names[0] ?? "\uffff"}\0${id}`;
}
