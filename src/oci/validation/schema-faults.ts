import * as v from "valibot";
import type { Fault } from "./fault.ts";

/** A fault for every field that a schema did not accept, by its path in the document. */
export function faultsOfSchema(issues: readonly v.BaseIssue<unknown>[], place: string): Fault[] {
  return issues.map((issue) => {
    const path = v.getDotPath(issue);
    return { kind: "field", place, problem: `${path === null ? "" : `${path}: `}${issue.message}` };
  });
}
