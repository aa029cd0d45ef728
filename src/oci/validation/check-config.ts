import * as v from "valibot";
import { digestSchema } from "../descriptor.ts";
import type { Digest } from "../digest.ts";
import { normalizePlatform, type Platform } from "../platform.ts";
import type { Fault } from "./fault.ts";
import { faultsOfSchema } from "./schema-faults.ts";

const date = v.pipe(
  v.string(),
  v.check(isDate, "expected a date and time as in RFC 3339, such as 2024-02-29T12:00:00Z"),
);
const text = v.nullish(v.string());
const words = v.nullish(v.array(v.string()));
const names = v.nullish(v.record(v.string(), v.nullish(v.looseObject({}))));
const port = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}(?:-\d{1,5})?(?:\/(?:tcp|udp|sctp))?$/, 'expected a port such as "80" or "53/udp"'),
);
const variable = v.pipe(v.string(), v.regex(/^[^=]+=/, "expected NAME=value"));

const configSchema = v.looseObject({
  architecture: v.pipe(v.string(), v.nonEmpty("expected an architecture such as amd64")),
  os: v.pipe(v.string(), v.nonEmpty("expected an operating system such as linux")),
  variant: v.optional(v.string()),
  "os.version": v.optional(v.string()),
  "os.features": words,
  created: v.optional(date),
  author: v.optional(v.string()),
  rootfs: v.looseObject({ type: v.literal("layers"), diff_ids: v.array(digestSchema) }),
  history: v.nullish(
    v.array(
      v.looseObject({
        created: v.optional(date),
        author: v.optional(v.string()),
        created_by: v.optional(v.string()),
        comment: v.optional(v.string()),
        empty_layer: v.optional(v.boolean()),
      }),
    ),
  ),
  config: v.nullish(
    v.looseObject({
      User: text,
      Env: v.nullish(v.array(variable)),
      Entrypoint: words,
      Cmd: words,
      WorkingDir: text,
      StopSignal: text,
      Volumes: names,
      ExposedPorts: v.nullish(v.record(port, v.nullish(v.looseObject({})))),
      Labels: v.nullish(v.record(v.string(), v.string())),
      ArgsEscaped: v.nullish(v.boolean()),
    }),
  ),
});

/** What a config says about its layers and its platform. */
export type ConfigFacts = {
  readonly platform: Platform;
  readonly diffIds: readonly Digest[];
  /** How many layers the history tells of; undefined when there is no history. */
  readonly historyLayers: number | undefined;
};

/** Checks a config document against the image specification; gives its facts when its fields can be relied on. */
export function checkConfig(
  document: unknown,
  place: string,
): { readonly faults: readonly Fault[]; readonly facts: ConfigFacts | undefined } {
  const result = v.safeParse(configSchema, document);
  if (!result.success) return { faults: faultsOfSchema(result.issues, place), facts: undefined };
  const { rootfs, history, os, architecture, variant } = result.output;
  const told = history ?? [];
  return {
    faults: [],
    facts: {
      platform: normalizePlatform({ os, architecture, variant }),
      diffIds: rootfs.diff_ids,
      historyLayers: told.length === 0 ? undefined : told.filter((entry) => entry.empty_layer !== true).length,
    },
  };
}

function isDate(written: string): boolean {
  const pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))$/;
  const [, ...fields] = pattern.exec(written) ?? [];
  if (fields.length === 0) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, hours = 0, minutes = 0] = fields.map((field) =>
    Number(field ?? 0),
  );
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days && hour < 24 && minute < 60 && second <= 60 && hours < 24 && minutes < 60;
}
