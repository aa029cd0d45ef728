import { metadataLabelName } from "../devcontainer/metadata-label.ts";
import { startScript } from "../dockerfile/start-script.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { ContainerSpec } from "../plan/container-spec.ts";
import { serviceMount } from "./service-mount.ts";

/** Which service an override file is for. */
export interface OverriddenService {
  readonly name: string;
  /** The image that the service's own files name; undefined where they have it built. */
  readonly image: string | undefined;
}

/** The text of a Compose file that makes a service's container the one of the spec; JSON, which is YAML that nothing can break out of. */
export function renderOverrideFile(service: OverriddenService, spec: ContainerSpec): string {
  const mounts = spec.mounts.map(serviceMount);
  const volumes = Object.fromEntries(
    mounts.flatMap(({ volume }) =>
      volume === undefined
        ? []
        : [[volume.name, spec.externalVolumes.includes(volume.name) ? { external: true } : volume.settings] as const],
    ),
  );
  const file: JsonObject = {
    services: {
      [service.name]: serviceOverride(
        service,
        spec,
        mounts.map(({ mount }) => mount),
      ),
    },
    ...(Object.keys(volumes).length === 0 ? {} : { volumes }),
  };
  return renderFile(file);
}

/** The text of a Compose file that makes a service run an image that is there, and nothing else. */
export function renderImageOverride(service: string, image: string): string {
  return renderFile({ services: { [service]: { image, pull_policy: "never" } } });
}

function serviceOverride(service: OverriddenService, spec: ContainerSpec, volumes: JsonObject[]): JsonObject {
  const engine = engineSettings(spec.engineArgs);
  const securityOpt = [...engine.securityOpt, ...spec.securityOpt];
  const labels = [
    ...spec.labels,
    ...(spec.metadataLabel === undefined ? [] : [[metadataLabelName, spec.metadataLabel] as const]),
  ];
  return {
    // An image that the service names itself is pulled as the service says.
    ...(spec.image === service.image ? {} : { image: spec.image, pull_policy: "never" }),
    entrypoint: ["/bin/sh", "-c", startScript(spec.entrypoints), "-", ...spec.command],
    // What the service had here is behind its entrypoint now.
    command: [],
    ...(spec.init ? { init: true } : {}),
    ...(spec.user === undefined ? {} : { user: spec.user }),
    ...(Object.keys(spec.env).length === 0 ? {} : { environment: { ...spec.env } }),
    ...(spec.privileged ? { privileged: true } : {}),
    ...(spec.capAdd.length === 0 ? {} : { cap_add: [...spec.capAdd] }),
    ...(securityOpt.length === 0 ? {} : { security_opt: securityOpt }),
    ...(engine.userNamespace === undefined ? {} : { userns_mode: engine.userNamespace }),
    ...(labels.length === 0 ? {} : { labels: Object.fromEntries(labels) }),
    ...(volumes.length === 0 ? {} : { volumes }),
    ...(spec.gpus ? { deploy: { resources: { reservations: { devices: [{ capabilities: ["gpu"] }] } } } } : {}),
  };
}

/** What the engine needs on this host, in Compose's words. */
function engineSettings(engineArgs: readonly string[]): { securityOpt: string[]; userNamespace: string | undefined } {
  return {
    securityOpt: engineArgs.filter((_, index) => engineArgs[index - 1] === "--security-opt"),
    userNamespace: engineArgs.flatMap((arg) => /^--userns=(.+)$/.exec(arg)?.[1] ?? []).at(-1),
  };
}

function renderFile(file: JsonObject): string {
  return `${printable(JSON.stringify(withoutInterpolation(file), null, 2))}\n`;
}

/** Compose replaces variables in values, not in keys. */
function withoutInterpolation(value: JsonValue): JsonValue {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(withoutInterpolation);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutInterpolation(member)]));
}

/** JSON may hold characters as they are that YAML wants escaped. */
function printable(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
