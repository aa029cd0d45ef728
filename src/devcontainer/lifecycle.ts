import type { MetadataEntry } from "./metadata-label.ts";
import type { LifecycleCommand } from "./schema.ts";

/** The hooks that run in the container, in their order. */
export const hookNames = [
  "onCreateCommand",
  "updateContentCommand",
  "postCreateCommand",
  "postStartCommand",
  "postAttachCommand",
] as const;

/** A hook that runs in the container. */
export type HookName = (typeof hookNames)[number];

/** How far the hooks of a container were run, as `run-user-commands` reports it. */
export type LifecycleResult = "skipNonBlocking" | "prebuild" | "stopForPersonalization" | "done";

/** One process of a hook; named in the form of a hook where several run side by side. */
export interface HookCommand {
  readonly name: string | undefined;
  readonly argv: readonly string[];
}

/** What one origin wants done at one hook; its commands run side by side, and all end before the next origin's begin. */
export interface HookRun {
  readonly hook: HookName;
  /** Who asks for it: `devcontainer.json`, `Feature '<id as written>'` or `the image`. */
  readonly origin: string;
  readonly commands: readonly HookCommand[];
}

/**
 * A hook that runs once keeps, in the user's data folder in the container, a file with the time of the container's creation or of its
 * last start; it runs when that is not yet what the file says.
 */
export interface HookMarker {
  readonly file: string;
  readonly content: "created" | "startedAt";
}

/** One stage of a container's life; what one stage fails with keeps the later ones from running. */
export type LifecycleStep =
  | {
      readonly kind: "hook";
      readonly hook: HookName;
      /** Written also where `runs` is empty; undefined for a hook that runs every time. */
      readonly marker: HookMarker | undefined;
      /** Whether it runs even where the marker says that it did. */
      readonly again: boolean;
      readonly runs: readonly HookRun[];
    }
  | { readonly kind: "dotfiles" };

/** What is to be run in a container now, and what to report when all of it succeeded. */
export interface LifecyclePlan {
  readonly steps: readonly LifecycleStep[];
  readonly result: LifecycleResult;
}

/** What the command line says about running hooks; `waitFor` is the merged configuration's. */
export interface LifecycleWishes {
  readonly waitFor?: MetadataEntry["waitFor"];
  readonly skipNonBlocking?: boolean;
  readonly prebuild?: boolean;
  readonly stopForPersonalization?: boolean;
  /** No hooks and no dotfiles at all. */
  readonly skipPostCreate?: boolean;
  readonly skipPostAttach?: boolean;
}

/** The stages to run for entries in the order base image, Features, devcontainer.json. */
export function planLifecycle(entries: readonly MetadataEntry[], wishes: LifecycleWishes): LifecyclePlan {
  if (wishes.skipPostCreate === true) return { steps: [], result: "done" };
  const waitFor = wishes.skipNonBlocking === true ? (wishes.waitFor ?? "updateContentCommand") : undefined;
  const steps: LifecycleStep[] = [];
  if (waitFor === "initializeCommand") return { steps, result: "skipNonBlocking" };
  for (const hook of hookNames) {
    if (hook === "postStartCommand" && wishes.stopForPersonalization === true) {
      return { steps, result: "stopForPersonalization" };
    }
    if (hook === "postAttachCommand" && wishes.skipPostAttach === true) break;
    const again = hook === "updateContentCommand" && wishes.prebuild === true;
    steps.push({ kind: "hook", hook, marker: markerOf(hook), again, runs: planHook(hook, entries) });
    if (hook === "postAttachCommand") break;
    if (hook === waitFor) return { steps, result: "skipNonBlocking" };
    if (again) return { steps, result: "prebuild" };
    if (hook === "postCreateCommand") steps.push({ kind: "dotfiles" });
  }
  return { steps, result: "done" };
}

/** The processes of a command in any of its forms: a shell line, an argument vector, or named ones of both; none for an empty one. */
export function hookCommands(command: LifecycleCommand | undefined): readonly HookCommand[] {
  if (command === undefined || typeof command === "string" || Array.isArray(command)) {
    const argv = argvOf(command);
    return argv === undefined ? [] : [{ name: undefined, argv }];
  }
  return Object.entries(command).flatMap(([name, form]) => {
    const argv = argvOf(form);
    return argv === undefined ? [] : [{ name, argv }];
  });
}

/** `Running the <hook> from <origin>...`, or of one of several commands `Running <name> of <hook> from <origin>...`. */
export function runningText({ hook, origin }: HookRun, { name }: HookCommand): string {
  return name === undefined ? `Running the ${hook} from ${origin}...` : `Running ${name} of ${hook} from ${origin}...`;
}

/** `<hook> from <origin> failed.` */
export function failedText({ hook, origin }: HookRun): string {
  return `${hook} from ${origin} failed.`;
}

function planHook(hook: HookName, entries: readonly MetadataEntry[]): readonly HookRun[] {
  // A label does not tell the image's own entries from the configuration's, but the configuration's comes last.
  const own = entries.findLast(
    (entry) => entry.id === undefined && hookNames.some((name) => entry[name] !== undefined),
  );
  return entries.flatMap((entry) => {
    const commands = hookCommands(entry[hook]);
    return commands.length === 0 ? [] : [{ hook, origin: originOf(entry, own), commands }];
  });
}

function originOf(entry: MetadataEntry, own: MetadataEntry | undefined): string {
  if (entry.id !== undefined) return `Feature '${entry.id}'`;
  return entry === own ? "devcontainer.json" : "the image";
}

function markerOf(hook: HookName): HookMarker | undefined {
  switch (hook) {
    case "onCreateCommand":
    case "updateContentCommand":
    case "postCreateCommand":
      return { file: `.${hook}Marker`, content: "created" };
    case "postStartCommand":
      return { file: `.${hook}Marker`, content: "startedAt" };
    case "postAttachCommand":
      return undefined;
  }
}

function argvOf(form: string | readonly string[] | undefined): readonly string[] | undefined {
  if (form === undefined || form.length === 0) return undefined;
  return typeof form === "string" ? ["/bin/sh", "-c", form] : form;
}
