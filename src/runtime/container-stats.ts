/** What a container uses just now; sizes as the engine writes them. */
export interface ContainerStats {
  readonly id: string;
  /** Of one processor; null where the engine does not know. */
  readonly cpuPercent: number | null;
  /** Used and allowed. */
  readonly memory: string;
  readonly memoryPercent: number | null;
  /** Received and sent. */
  readonly network: string;
  /** Read and written. */
  readonly block: string;
  readonly processes: number | null;
}

const FIELDS = ["ID", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"];

/** The arguments of docker's and podman's `stats` for one reading of these containers, which `readStats` reads. */
export function statsArgs(ids: readonly string[]): string[] {
  const format = FIELDS.map((field) => `{{.${field}}}`).join("\t");
  return ["stats", "--no-stream", "--no-trunc", "--format", format, ...ids];
}

/** The containers of what `stats` printed, in its order. */
export function readStats(text: string): readonly ContainerStats[] {
  return text.split("\n").flatMap((line) => {
    const [id = "", cpu = "", memory = "", share = "", network = "", block = "", processes = ""] = line
      .split("\t")
      .map((field) => field.trim());
    if (id === "") return [];
    const [cpuPercent, memoryPercent] = [numberOf(cpu), numberOf(share)];
    return [{ id, cpuPercent, memory, memoryPercent, network, block, processes: numberOf(processes) }];
  });
}

/** Engines write `--` for what they do not know. */
function numberOf(text: string): number | null {
  const number = /^(\d+(?:\.\d+)?)%?$/.exec(text)?.[1];
  return number === undefined ? null : Number(number);
}
