import { type Check, formatRemedy } from "./check.ts";
import type { EngineFacts } from "./engine-facts.ts";

/** What became of building an image that holds one tiny program, and of running it. */
export type TestRun =
  | { readonly kind: "succeeded" }
  | { readonly kind: "unsupported"; readonly architecture: string }
  | { readonly kind: "failed"; readonly step: "build" | "run"; readonly found: string };

/** Whether the engine can build an image and run a container of it, as it did or failed to. */
export function checkTestRun(run: TestRun, engine: EngineFacts): Check {
  const line = { id: "run", title: "Test run" };
  switch (run.kind) {
    case "succeeded":
      return { ...line, status: "ok", detail: "an image was built, a container of it ran, and both are gone again" };
    case "unsupported":
      return { ...line, status: "warning", detail: `there is no test program for ${run.architecture}` };
    case "failed": {
      const what =
        run.step === "build" ? "an image could not be built" : "an image was built, and no container of it ran";
      const remedy = remedyFor(run.found, engine);
      return {
        ...line,
        status: "problem",
        detail: `${what}: ${run.found}`,
        ...(remedy === undefined ? {} : { remedy }),
      };
    }
  }
}

function remedyFor(found: string, { kind, info }: EngineFacts): string | undefined {
  const file = info?.rootless === true ? "~/.config/containers/containers.conf" : "/etc/containers/containers.conf";
  if (kind === "podman" && /rlimit/i.test(found)) {
    return formatRemedy({
      text: `Podman asks for more open files or processes than this machine allows. Write what it allows under [containers] in ${file}: default_ulimits = ["nofile=N:N", "nproc=M:M"], with N and M from:`,
      commands: ["ulimit -Hn", "ulimit -Hu"],
    });
  }
  if (/hybrid mode/.test(found)) return `Write runtime = "runc" under [engine] in ${file}.`;
  if (/no space left/i.test(found)) return "The disk is full: free some space.";
  return undefined;
}
