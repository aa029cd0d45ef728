import type { HostRequirements } from "./schema.ts";

type Gpu = HostRequirements["gpu"];

const units = new Map([
  ["", 1n],
  ["kb", 1n << 10n],
  ["mb", 1n << 20n],
  ["gb", 1n << 30n],
  ["tb", 1n << 40n],
]);

/**
 * The least machine that satisfies all; sizes in bytes as decimal text, those that cannot be read left out. Undefined when
 * nothing is required.
 */
export function mergeHostRequirements(all: readonly HostRequirements[]): HostRequirements | undefined {
  const cpus = Math.max(0, ...all.map((one) => one.cpus ?? 0));
  const memory = largest(all.map((one) => one.memory));
  const storage = largest(all.map((one) => one.storage));
  const gpu = all.map((one) => one.gpu).reduce(mergeGpu, undefined);
  if (cpus === 0 && memory === undefined && storage === undefined && !gpu) return undefined;
  return {
    cpus,
    ...(memory === undefined ? {} : { memory }),
    ...(storage === undefined ? {} : { storage }),
    ...(gpu ? { gpu } : {}),
  };
}

function mergeGpu(left: Gpu, right: Gpu): Gpu {
  if (!left) return right;
  if (!right) return left;
  if (left === "optional" && right === "optional") return "optional";
  const parts = [left, right].map((gpu) => (typeof gpu === "object" ? gpu : {}));
  const cores = Math.max(0, ...parts.map((gpu) => gpu.cores ?? 0));
  const memory = largest(parts.map((gpu) => gpu.memory));
  return { ...(cores === 0 ? {} : { cores }), ...(memory === undefined ? {} : { memory }) };
}

function largest(sizes: readonly (string | number | undefined)[]): string | undefined {
  const [bytes = 0n] = sizes.map(bytesOf).sort((left, right) => (left < right ? 1 : -1));
  return bytes === 0n ? undefined : String(bytes);
}

function bytesOf(size: string | number | undefined): bigint {
  const match = /^(\d+)([tgmk]b)?$/.exec(String(size ?? ""));
  const unit = units.get(match?.[2] ?? "");
  return match?.[1] === undefined || unit === undefined ? 0n : BigInt(match[1]) * unit;
}
