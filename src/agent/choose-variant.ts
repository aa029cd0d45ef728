import { UserError } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";
import { AGENTS, type Agent, type AgentVariant } from "./agents.ts";

/** What the machine and the base image are, as far as a program must fit them. */
export interface ProgramNeeds {
  readonly arch: "x64" | "arm64";
  readonly libc: "glibc" | "musl";
  /** Whether the processor has AVX2; means nothing for arm64. */
  readonly avx2: boolean;
}

/** The agent of this name. Throws UserError that lists those that are known. */
export function findAgent(name: string, agents: readonly Agent[] = AGENTS): Agent {
  const agent = agents.find((candidate) => candidate.name === name);
  if (agent !== undefined) return agent;
  const names = agents.map((candidate) => candidate.name);
  const near = nearestName(name, names);
  throw new UserError(`There is no agent called ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `cooper knows ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

/** The build of an agent's program that fits; without AVX2 the baseline one. Throws UserError where there is none. */
export function chooseVariant(agent: Agent, needs: ProgramNeeds): AgentVariant {
  const fitting = agent.variants.filter(
    ({ arch, libc }) => arch === needs.arch && (libc === "any" || libc === needs.libc),
  );
  const usual = fitting.find(({ baseline }) => !baseline);
  const baseline = fitting.find((candidate) => candidate.baseline);
  const chosen = needs.avx2 && needs.arch === "x64" ? (usual ?? baseline) : (baseline ?? usual);
  if (chosen !== undefined) return chosen;
  throw new UserError(`${agent.title} has no program for ${needs.arch} with ${needs.libc}.`, {
    hint: `It has ${agent.variants.map(({ id }) => id).join(", ")}: take another base image.`,
  });
}

/** Whether /proc/cpuinfo tells of AVX2. */
export function hasAvx2(cpuinfo: string): boolean {
  return /^flags\s*:.*\bavx2\b/m.test(cpuinfo);
}
