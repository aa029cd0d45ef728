import { messageOf, UserError } from "../errors.ts";
import { parseImageReference } from "../oci/reference.ts";
import type { Engine } from "../runtime/engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import type { Tools } from "./tools.ts";

/** What a build needs to know of the image it starts from. */
export interface BaseFacts {
  readonly reference: string;
  readonly digest: string;
  readonly platform: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Whether a registry has it, so that a newer one could be pulled. */
  readonly pulled: boolean;
}

/** Reads a base image's facts from its registry, for a platform. */
export type ReadRemoteBase = (reference: string, platform: string) => Promise<BaseFacts>;

export interface BaseQuestion {
  readonly reference: string;
  /** The platform asked for, `os/arch[/variant]`; undefined takes whatever the engine has. */
  readonly platform: string | undefined;
  readonly defaultPlatform: string;
}

/** The facts of no image at all: `FROM scratch`. */
export function scratchFacts(platform: string): BaseFacts {
  return {
    reference: "scratch",
    digest: "scratch",
    platform,
    user: "",
    env: {},
    labels: {},
    entrypoint: [],
    command: [],
    pulled: false,
  };
}

/** A local image as a base, when it is one for the platform asked for. */
export function localBaseFacts(
  image: LocalImage | undefined,
  { reference, platform }: BaseQuestion,
): BaseFacts | undefined {
  if (image === undefined || (platform !== undefined && image.platform !== platform)) return undefined;
  const { digest, user, env, labels, entrypoint, command, pulled } = image;
  return { reference, digest, platform: image.platform, user, env, labels, entrypoint, command, pulled };
}

/** The facts of a base that the engine does not have: from its registry, else by pulling it. */
export async function absentBaseFacts(
  question: BaseQuestion,
  sources: { readonly engine: Engine; readonly readRemote: ReadRemoteBase; readonly tools: Tools },
): Promise<BaseFacts> {
  const { reference, platform, defaultPlatform } = question;
  if (parseImageReference(reference).domain === "localhost")
    throw absentBase(question, { engine: sources.engine, reason: "No registry is asked for a localhost/ image" });
  try {
    return await sources.readRemote(reference, platform ?? defaultPlatform);
  } catch (remoteError) {
    sources.tools.interruption.signal.throwIfAborted();
    sources.tools.log.debug(`Could not read ${reference} from its registry: ${messageOf(remoteError)}`);
    // There is nothing else that could pull it.
    if (sources.engine.kind !== "client") {
      throw absentBase(question, { engine: sources.engine, reason: messageOf(remoteError), cause: remoteError });
    }
    return pullBase(question, { ...sources, remoteError });
  }
}

async function pullBase(
  question: BaseQuestion,
  sources: { readonly engine: Engine; readonly tools: Tools; readonly remoteError: unknown },
): Promise<BaseFacts> {
  const { reference, platform } = question;
  const { engine, tools, remoteError } = sources;
  const args = ["pull", ...(platform === undefined ? [] : ["--platform", platform]), reference];
  try {
    await engine.run({ file: engine.path, args, env: {} }, { onOutput: (text) => tools.log.raw(text) });
  } catch (pullError) {
    tools.interruption.signal.throwIfAborted();
    throw absentBase(question, { engine, reason: messageOf(remoteError), cause: pullError });
  }
  const facts = localBaseFacts((await engine.inspectImages([reference])).get(reference), question);
  if (facts === undefined) throw absentBase(question, { engine, reason: "Pulling it did not change that" });
  return facts;
}

function absentBase(
  { reference, platform }: BaseQuestion,
  { engine, reason, cause }: { readonly engine: Engine; readonly reason: string; readonly cause?: unknown },
): UserError {
  const wanted = platform === undefined ? "it" : `it for ${platform}`;
  const found = `Could not find the base image ${reference}`;
  const end = `${reason.replace(/\.$/, "")}.`;
  switch (engine.kind) {
    case "client":
      return new UserError(`${found}: the engine does not have ${wanted}. ${end}`, {
        hint: "Check its name and tag, log in to its registry (docker login, podman login), or build or pull it first.",
        cause,
      });
    case "native":
      return new UserError(`${found}: cooper's store does not have ${wanted}. ${end}`, {
        hint: `Check its name and tag and your credentials, or put it into the store: cooper image copy SOURCE store:${reference}.`,
        cause,
      });
    case "none":
      return new UserError(`${found}. ${end}`, { hint: "Check its name and tag, and your credentials.", cause });
  }
}
