import { parseImageTransport } from "../oci/transport.ts";
import type { Tools } from "../workflows/tools.ts";
import { type Validation, validateImage } from "../workflows/validate-image.ts";
import type { CliCommand } from "./command.ts";
import { ENGINE_FLAGS, LOG_FLAGS } from "./flag-groups.ts";
import { UsageError } from "./flags.ts";
import { printFailure } from "./outcome.ts";
import { REGISTRY_FLAGS, withImageFlags } from "./registry-flags.ts";

const description = "Check all there is to check of an image, and name every fault";

/** `image validate IMAGE`: exit code 1 when anything is wrong with it; lines on a terminal, else one JSON document. */
export const imageValidate: CliCommand = {
  name: "validate",
  description,
  flags: {
    json: { type: "boolean", description: "Print one JSON document on a terminal too" },
    "docker-path": ENGINE_FLAGS["docker-path"],
    ...REGISTRY_FLAGS,
    ...LOG_FLAGS,
  },
  positionals: { kind: "words", atMost: 1 },
  words: "image",
  check: (flags) => {
    if (flags.positionals.length === 0)
      throw new UsageError("Say which image: a reference, oci:DIR, store:NAME, FILE.tar …");
  },
  run: async (flags, tools) => {
    const [image = ""] = flags.positionals;
    try {
      const validation = await validateImage(parseImageTransport(image), withImageFlags(flags, tools));
      const asJson = flags.boolean("json") || !tools.terminal.dataIsLive;
      tools.terminal.writeData(asJson ? toJson(image, validation) : toLines(image, validation));
      if (asJson) tellFaults(image, { validation, tools });
      return validation.faults.length === 0 ? 0 : 1;
    } catch (error) {
      return printFailure(tools, "An error occurred validating the image.", error);
    }
  },
};

function toJson(image: string, { faults, manifests, layers }: Validation): string {
  const outcome = faults.length === 0 ? "success" : "error";
  const message = faults.length === 0 ? {} : { message: countOf(image, faults.length) };
  return `${JSON.stringify({ outcome, ...message, image, valid: faults.length === 0, manifests, layers, faults })}\n`;
}

/** Every fault by name, then the sum. */
function toLines(image: string, { faults, manifests, layers }: Validation): string {
  const lines = faults.map(({ kind, place, problem }) => `${kind.padEnd(14)} ${place}: ${problem}\n`);
  const checked = `${manifests} ${manifests === 1 ? "manifest" : "manifests"}, ${layers} ${layers === 1 ? "layer" : "layers"}`;
  const sum = faults.length === 0 ? `${image} is in order: ${checked} checked.` : countOf(image, faults.length);
  return `${lines.join("")}${sum}\n`;
}

function tellFaults(image: string, { validation, tools }: { validation: Validation; tools: Tools }): void {
  const { faults } = validation;
  for (const { kind, place, problem } of faults) tools.log.error(`${kind}: ${place}: ${problem}`);
  if (faults.length > 0) tools.log.error(countOf(image, faults.length));
}

function countOf(image: string, count: number): string {
  return `${image} has ${count === 1 ? "one fault" : `${count} faults`}.`;
}
