import * as v from "valibot";
import { stringMapSchema } from "./descriptor.ts";
import { readJsonDocument, readJsonValue } from "./json-document.ts";
import { normalizePlatform, type Platform } from "./platform.ts";

/** How an image's containers start by default: the part of the config that engines show as `Config`. */
export type ContainerDefaults = {
  /** Empty when the image names no user, which means root. */
  readonly user: string;
  /** `NAME=value` entries in the image's order. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
};

/** The part of an image's config that decides how things are built on it. */
export type ImageConfig = ContainerDefaults & { readonly platform: Platform };

const text = v.nullish(v.string(), "");
// Docker's old shell form is a bare string.
const words = v.pipe(
  v.nullish(v.union([v.array(v.string()), v.string()]), []),
  v.transform((value) => (typeof value === "string" ? [value] : value)),
);

const defaultsSchema = v.pipe(
  v.object({
    User: text,
    Env: v.optional(words, []),
    Entrypoint: v.optional(words, []),
    Cmd: v.optional(words, []),
    Labels: stringMapSchema,
    WorkingDir: text,
  }),
  v.transform(
    (config): ContainerDefaults => ({
      user: config.User,
      env: config.Env,
      entrypoint: config.Entrypoint,
      command: config.Cmd,
      labels: config.Labels,
      workingDirectory: config.WorkingDir,
    }),
  ),
);

const imageConfigSchema = v.object({
  os: v.string(),
  architecture: v.string(),
  variant: v.optional(v.string()),
  config: v.nullish(defaultsSchema, {}),
});

/** Reads an image config (OCI or Docker); throws a UserError that starts with `what` when it is not one. */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const document = readJsonDocument(bytes, { schema: imageConfigSchema, what });
  return { ...document.config, platform: normalizePlatform(document) };
}

/** Reads the `Config` object of `image inspect`; throws a UserError that starts with `what` when it is not one. */
export function parseContainerDefaults(value: unknown, what: string): ContainerDefaults {
  return readJsonValue(value ?? {}, { schema: defaultsSchema, what });
}
