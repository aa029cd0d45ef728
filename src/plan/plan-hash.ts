import { canonicalJson, isJsonObject, type JsonValue } from "../json.ts";
import type { BuildPlan } from "./build-plan.ts";

/** The label that says which plan an image was built from. */
export const PLAN_LABEL = "dev.cooper.plan";

/** 64 hex digits over the canonical plan: equal plans, equal hash, on any machine. */
export function hashPlan(plan: BuildPlan): string {
  return new Bun.CryptoHasher("sha256").update(canonicalJson(toJson(plan))).digest("hex");
}

/** The tag of an image that nobody named: `localhost/` keeps engines from looking for it in a registry. */
export function deriveTag(workspaceName: string, planHash: string): string {
  return `localhost/cooper/${slugOf(workspaceName)}:${planHash.slice(0, 12)}`;
}

/** A workspace's folder name as a valid repository component: lower case, `[a-z0-9._-]`. */
export function slugOf(workspaceName: string): string {
  const slug = workspaceName
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/[._-]{2,}/g, "-")
    .replace(/^[._-]+|[._-]+$/g, "");
  return slug === "" ? "workspace" : slug;
}

function toJson(plan: unknown): JsonValue {
  if (Array.isArray(plan)) return plan.map(toJson);
  if (isJsonObject(plan)) return Object.fromEntries(Object.entries(plan).map(([key, value]) => [key, toJson(value)]));
  if (plan === null || typeof plan === "string" || typeof plan === "number" || typeof plan === "boolean") return plan;
  throw new TypeError(`A plan holds JSON values only, found ${typeof plan}.`);
}
