import * as v from "valibot";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";

const string = v.string("a string");
const boolean = v.boolean("true or false");
const strings = v.array(string, "an array of strings");
const stringOrStrings = v.union([string, strings], "a string or an array of strings");
const json = v.custom<JsonValue>(() => true);
/** valibot's object schemas let arrays pass: every one is preceded by this check. */
const plainObject = (wanted: string) => v.custom<JsonObject>(isJsonObject, wanted);
const anyObject = v.pipe(plainObject("an object"), v.record(v.string(), json));

/** Written as a number or boolean by many projects; both engines and shells see text anyway. */
const scalar = v.pipe(
  v.union([v.string(), v.number(), v.boolean()], "a string"),
  v.transform((value) => String(value)),
);
const scalars = v.pipe(plainObject("an object of strings"), v.record(v.string(), scalar));

function oneOf<const Names extends readonly string[]>(names: Names) {
  return v.picklist(names, `one of ${names.map((name) => `"${name}"`).join(", ")}`);
}

const command = v.union([string, strings], "a string or an array of strings");
const hook = v.union(
  [string, strings, v.pipe(plainObject("an object of commands"), v.record(v.string(), command))],
  "a string, an array of strings or an object of those",
);

const mount = v.union(
  [
    string,
    v.pipe(
      plainObject("an object with type and target"),
      v.objectWithRest(
        { type: string, source: v.exactOptional(string), target: string, external: v.exactOptional(boolean) },
        json,
      ),
    ),
  ],
  "a string or an object with type, source and target",
);

const optionValue = v.pipe(
  v.union([v.string(), v.boolean(), v.number()], "a string or true or false"),
  v.transform((value) => (typeof value === "number" ? String(value) : value)),
);
const featureOptions = v.pipe(
  v.union(
    [
      v.string(),
      v.boolean(),
      v.number(),
      v.null(),
      v.pipe(plainObject("an object of options"), v.record(v.string(), optionValue)),
    ],
    "a string, true or false, or an object of options",
  ),
  v.transform((value) => (value === null ? {} : typeof value === "number" ? String(value) : value)),
);

const portNumber = v.pipe(
  v.number("a port number"),
  v.integer("a port number"),
  v.minValue(0, "a port number from 0 to 65535"),
  v.maxValue(65535, "a port number from 0 to 65535"),
);
const port = v.union([portNumber, string], 'a port number or a string like "db:5432"');
const portAttributes = v.pipe(
  plainObject("an object"),
  v.objectWithRest(
    {
      label: v.exactOptional(string),
      protocol: v.exactOptional(v.pipe(string, v.regex(/^https?$/, "http or https"))),
      onAutoForward: v.exactOptional(
        oneOf(["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"]),
      ),
      elevateIfNeeded: v.exactOptional(boolean),
      requireLocalPort: v.exactOptional(boolean),
    },
    json,
  ),
);

const memory = v.union([string, v.number()], 'a size like "8gb"');
const gpu = v.union(
  [
    boolean,
    oneOf(["optional"]),
    v.pipe(
      plainObject("an object with cores and memory"),
      v.objectWithRest({ cores: v.exactOptional(v.number("a number")), memory: v.exactOptional(memory) }, json),
    ),
  ],
  'true, false, "optional" or an object with cores and memory',
);
const hostRequirements = v.pipe(
  plainObject("an object"),
  v.objectWithRest(
    {
      cpus: v.exactOptional(v.number("a number")),
      memory: v.exactOptional(memory),
      storage: v.exactOptional(memory),
      gpu: v.exactOptional(gpu),
    },
    json,
  ),
);

const build = v.pipe(
  plainObject("an object"),
  v.objectWithRest(
    {
      dockerfile: v.exactOptional(string),
      context: v.exactOptional(string),
      target: v.exactOptional(string),
      args: v.exactOptional(scalars),
      cacheFrom: v.exactOptional(stringOrStrings),
      options: v.exactOptional(strings),
    },
    json,
  ),
);

/** Properties that an image's `devcontainer.metadata` label may carry as well as a devcontainer.json. */
const metadataProperties = {
  onCreateCommand: v.exactOptional(hook),
  updateContentCommand: v.exactOptional(hook),
  postCreateCommand: v.exactOptional(hook),
  postStartCommand: v.exactOptional(hook),
  postAttachCommand: v.exactOptional(hook),
  waitFor: v.exactOptional(
    oneOf([
      "initializeCommand",
      "onCreateCommand",
      "updateContentCommand",
      "postCreateCommand",
      "postStartCommand",
      "postAttachCommand",
    ]),
  ),
  customizations: v.exactOptional(anyObject),
  mounts: v.exactOptional(v.array(mount, "an array of mounts")),
  containerEnv: v.exactOptional(scalars),
  containerUser: v.exactOptional(string),
  init: v.exactOptional(boolean),
  privileged: v.exactOptional(boolean),
  capAdd: v.exactOptional(strings),
  securityOpt: v.exactOptional(strings),
  remoteUser: v.exactOptional(string),
  userEnvProbe: v.exactOptional(oneOf(["none", "loginInteractiveShell", "interactiveShell", "loginShell"])),
  remoteEnv: v.exactOptional(
    v.pipe(plainObject("an object of strings"), v.record(v.string(), v.union([v.null(), scalar], "a string or null"))),
  ),
  overrideCommand: v.exactOptional(boolean),
  portsAttributes: v.exactOptional(v.pipe(plainObject("an object"), v.record(v.string(), portAttributes))),
  otherPortsAttributes: v.exactOptional(portAttributes),
  forwardPorts: v.exactOptional(v.array(port, "an array of ports")),
  shutdownAction: v.exactOptional(oneOf(["none", "stopContainer", "stopCompose"])),
  updateRemoteUserUID: v.exactOptional(boolean),
  hostRequirements: v.exactOptional(hostRequirements),
};

const configProperties = {
  $schema: v.exactOptional(string),
  name: v.exactOptional(string),
  image: v.exactOptional(string),
  build: v.exactOptional(build),
  dockerFile: v.exactOptional(string),
  context: v.exactOptional(string),
  dockerComposeFile: v.exactOptional(stringOrStrings),
  service: v.exactOptional(string),
  runServices: v.exactOptional(strings),
  workspaceFolder: v.exactOptional(string),
  workspaceMount: v.exactOptional(string),
  features: v.exactOptional(v.pipe(plainObject("an object of Features"), v.record(v.string(), featureOptions))),
  overrideFeatureInstallOrder: v.exactOptional(strings),
  runArgs: v.exactOptional(strings),
  appPort: v.exactOptional(v.union([port, v.array(port)], "a port or an array of ports")),
  initializeCommand: v.exactOptional(hook),
  secrets: v.exactOptional(v.pipe(plainObject("an object of secrets"), v.record(v.string(), anyObject))),
  ...metadataProperties,
};

/** The devcontainer.json of the public specification, as far as it means something here. */
export const devContainerSchema = v.pipe(plainObject("an object"), v.object(configProperties));

/** One entry of a `devcontainer.metadata` label; other keys are kept as they are. */
export const metadataEntrySchema = v.pipe(
  plainObject("an object"),
  v.objectWithRest({ id: v.exactOptional(string), entrypoint: v.exactOptional(string), ...metadataProperties }, json),
);

/** A checked devcontainer.json: known properties only, numbers and booleans in environments turned into text. */
export type DevContainerConfig = v.InferOutput<typeof devContainerSchema>;
/** A lifecycle command: a shell line, an argument vector, or named ones that run side by side. */
export type LifecycleCommand = v.InferOutput<typeof hook>;
/** A mount in either of the forms that devcontainer.json has for it. */
export type Mount = v.InferOutput<typeof mount>;
/** What stands to the right of a Feature's id in devcontainer.json. */
export type FeatureValue = v.InferOutput<typeof featureOptions>;
/** The machine that devcontainer.json asks for; sizes as written. */
export type HostRequirements = v.InferOutput<typeof hostRequirements>;
/** What an editor does with a forwarded port. */
export type PortAttributes = v.InferOutput<typeof portAttributes>;

/** Property names that mean something, by the path of the object they stand in (`*`: any key). */
export const knownProperties: readonly { path: readonly string[]; names: readonly string[] }[] = [
  { path: [], names: Object.keys(configProperties) },
  { path: ["build"], names: ["dockerfile", "context", "target", "args", "cacheFrom", "options"] },
  { path: ["hostRequirements"], names: ["cpus", "memory", "storage", "gpu"] },
  { path: ["hostRequirements", "gpu"], names: ["cores", "memory"] },
];
