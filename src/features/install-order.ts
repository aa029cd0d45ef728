import { UserError } from "../errors.ts";
import { compareFeatures, isSameFeature, matchesReference } from "./compare.ts";
import { effectiveSoftDependencies, type FeatureNode, type LoadedFeature } from "./graph.ts";
import type { FeatureReference } from "./reference.ts";

/**
 * The order in which Features are installed (§4.7): in rounds, each the Features whose dependencies are in place and
 * whose priority (`override`, first is highest) is the greatest of those. Throws a UserError that names a cycle.
 */
export function orderFeatures<Loaded extends LoadedFeature>(
  nodes: readonly FeatureNode<Loaded>[],
  override: readonly FeatureReference[] = [],
): FeatureNode<Loaded>[] {
  const waiting = new Set(nodes);
  const after = new Map(nodes.map((node) => [node, predecessors(node, nodes)] as const));
  const installed: FeatureNode<Loaded>[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter((node) => after.get(node)?.every((earlier) => earlier.some(isIn(installed))));
    if (ready.length === 0) throw circular([...waiting], after);
    const highest = Math.max(...ready.map((node) => priorityOf(node, override)));
    const round = ready.filter((node) => priorityOf(node, override) === highest).sort(compareFeatures);
    for (const node of round) waiting.delete(node);
    installed.push(...round);
  }
  return installed;
}

/** For each dependency of a node the nodes that satisfy it, any one of which must come first. */
function predecessors<Loaded extends LoadedFeature>(
  node: FeatureNode<Loaded>,
  nodes: readonly FeatureNode<Loaded>[],
): FeatureNode<Loaded>[][] {
  const hard = node.dependsOn.map((dependency) => nodes.filter((other) => isSameFeature(other, dependency)));
  const soft = effectiveSoftDependencies(node, nodes).map((wanted) =>
    nodes.filter((other) => matchesReference(other, wanted)),
  );
  return [...hard, ...soft];
}

function isIn<Node>(nodes: readonly Node[]): (node: Node) => boolean {
  return (node) => nodes.includes(node);
}

function priorityOf(node: FeatureNode, override: readonly FeatureReference[]): number {
  const place = override.findIndex((wanted) => matchesReference(node, wanted));
  return place === -1 ? 0 : override.length - place;
}

function circular<Loaded extends LoadedFeature>(
  waiting: readonly FeatureNode<Loaded>[],
  after: ReadonlyMap<FeatureNode<Loaded>, FeatureNode<Loaded>[][]>,
): UserError {
  const path: FeatureNode<Loaded>[] = [];
  let node = waiting[0];
  while (node !== undefined && !path.includes(node)) {
    path.push(node);
    const missing: FeatureNode<Loaded>[][] = after.get(node) ?? [];
    node = missing.find((earlier) => earlier.every(isIn(waiting)))?.[0];
  }
  const cycle = node === undefined ? path : [...path.slice(path.indexOf(node)), node];
  return new UserError(
    `Failed to compute Feature installation order! Circular dependency: ${cycle.map(({ userId }) => userId).join(" → ")}.`,
    { hint: "Remove one of these from dependsOn or installsAfter of the one before it." },
  );
}
