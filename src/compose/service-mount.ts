import type { JsonObject } from "../json.ts";
import { csvFields } from "../plan/csv-record.ts";

/** A mount as Compose has it, and the volume that it needs at the top level of the file. */
export interface ServiceMount {
  readonly mount: JsonObject;
  readonly volume: { readonly name: string; readonly settings: JsonObject } | undefined;
}

/** The long form of a `--mount` value; fields that Compose has no word for are left out. */
export function serviceMount(value: string): ServiceMount {
  const fields = readFields(value);
  const get = (...names: string[]) => names.map((name) => fields.get(name)).find((found) => found !== undefined);
  const type = get("type") ?? "volume";
  const source = get("source", "src");
  const target = get("target", "dst", "destination");
  const readOnly = isSet(get("readonly", "ro"));
  const mount: JsonObject = {
    type,
    ...(source === undefined || type === "tmpfs" ? {} : { source }),
    ...(target === undefined ? {} : { target }),
    ...(readOnly ? { read_only: true } : {}),
    ...member("consistency", get("consistency")),
    ...optionsOf(type, get),
  };
  const isNamed = type === "volume" && source !== undefined && source !== "";
  return { mount, volume: isNamed ? { name: source, settings: volumeSettings(value) } : undefined };
}

type Get = (...names: string[]) => string | undefined;

function optionsOf(type: string, get: Get): JsonObject {
  switch (type) {
    case "bind": {
      const selinux = { shared: "z", private: "Z" }[get("relabel") ?? ""];
      // As with docker compose's short form, and unlike `docker run --mount`: a missing folder is made.
      return {
        bind: {
          create_host_path: true,
          ...member("propagation", get("bind-propagation")),
          ...member("selinux", selinux),
        },
      };
    }
    case "volume":
      return isSet(get("volume-nocopy")) ? { volume: { nocopy: true } } : {};
    case "tmpfs": {
      const mode = get("tmpfs-mode");
      const settings = {
        ...member("size", get("tmpfs-size")),
        ...(mode !== undefined && /^[0-7]+$/.test(mode) ? { mode: Number.parseInt(mode, 8) } : {}),
      };
      return Object.keys(settings).length === 0 ? {} : { tmpfs: settings };
    }
    default:
      return {};
  }
}

function volumeSettings(value: string): JsonObject {
  const driver = readFields(value).get("volume-driver");
  const options = csvFields(value).flatMap((field) => {
    const match = /^volume-opt=([^=]+)=(.*)$/s.exec(field);
    return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
  });
  return {
    ...member("driver", driver),
    ...(options.length === 0 ? {} : { driver_opts: Object.fromEntries(options) }),
  };
}

/** Fields by their names in lower case, as docker reads them; one without a value is empty. */
function readFields(value: string): ReadonlyMap<string, string> {
  return new Map(
    csvFields(value).map((field) => {
      const equals = field.indexOf("=");
      return equals === -1
        ? ([field.toLowerCase(), ""] as const)
        : ([field.slice(0, equals).toLowerCase(), field.slice(equals + 1)] as const);
    }),
  );
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !/^(?:0|f|false)$/i.test(value);
}

function member(name: string, value: string | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}
