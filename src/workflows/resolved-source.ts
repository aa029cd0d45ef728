import type { PlanSource } from "../plan/build-plan.ts";
import type { SourceFiles } from "../runtime/build-layout.ts";
import type { Frontend } from "../runtime/choose-delivery.ts";
import type { Engine } from "../runtime/engine.ts";
import type { LocalImage } from "../runtime/local-image.ts";
import type { BaseFacts } from "./resolve-base.ts";

/** Where a build starts: the plan's source with what had to be looked up for it. */
export interface ResolvedSource {
  readonly plan: PlanSource;
  readonly base: BaseFacts;
  /** The USER that the source ends with; empty for none. */
  readonly user: string;
  readonly files: SourceFiles | null;
  readonly frontend: Frontend;
  /** Whether every image that the source starts from can be had from a registry; looked into only for a build without cache. */
  readonly pullable: boolean;
  /** Cache sources that the configuration names. */
  readonly cacheFrom: readonly string[];
  readonly engine: Engine;
  /** Those of the images asked about that the engine has. */
  readonly images: ReadonlyMap<string, LocalImage>;
}
