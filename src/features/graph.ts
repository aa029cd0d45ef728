import type { FeatureValue } from "../devcontainer/schema.ts";
import { messageOf, UserError } from "../errors.ts";
import { type ComparableFeature, isSameFeature, matchesReference } from "./compare.ts";
import type { FeatureManifest } from "./manifest-schema.ts";
import type { FeatureReference } from "./reference.ts";

/** A Feature whose description is known: found under `userId`, with digest and content as they were found. */
export type LoadedFeature = {
  readonly userId: string;
  readonly reference: FeatureReference;
  readonly digest: string | undefined;
  readonly manifest: FeatureManifest;
};

/** A Feature to install and what must be installed before it. */
export type FeatureNode<Loaded extends LoadedFeature = LoadedFeature> = ComparableFeature & {
  readonly loaded: Loaded;
  /** Installed too, and before this one. */
  readonly dependsOn: readonly ComparableFeature[];
  /** Before this one, if it is installed at all. */
  readonly installsAfter: readonly FeatureReference[];
};

type Asked = { readonly userId: string; readonly value: FeatureValue };

/** What the graph needs to know of the world: an id's meaning, and a Feature's description (the same one each time). */
export type FeatureSource<Loaded extends LoadedFeature> = {
  classify(userId: string): FeatureReference;
  load(userId: string): Promise<Loaded>;
};

/**
 * Every Feature to install, each once: the requested ones in order, then breadth first what they depend on (§4.7).
 * Descriptions are asked for as soon as their ids are known, so that they arrive side by side.
 */
export async function buildFeatureGraph<Loaded extends LoadedFeature>(
  requested: readonly Asked[],
  source: FeatureSource<Loaded>,
): Promise<FeatureNode<Loaded>[]> {
  const loading = new Map<string, Promise<Loaded>>();
  const load = (userId: string): Promise<Loaded> => {
    const known = loading.get(userId);
    if (known !== undefined) return known;
    const started = source.load(userId).then((loaded) => {
      for (const dependency of Object.keys(loaded.manifest.dependsOn ?? {})) load(dependency);
      return loaded;
    });
    // Whoever needs the Feature awaits it and sees the failure; without a listener the early start would crash instead.
    started.catch(() => undefined);
    loading.set(userId, started);
    return started;
  };
  for (const { userId } of requested) load(userId);

  const nodes: FeatureNode<Loaded>[] = [];
  const pending = [...requested];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const loaded = await load(next.userId);
    const node = { ...comparable(loaded, next), loaded };
    if (nodes.some((other) => isSameFeature(other, node))) continue;
    const dependencies = Object.entries(loaded.manifest.dependsOn ?? {});
    const dependsOn = await Promise.all(
      dependencies.map(async ([userId, value]) => comparable(await load(userId), { userId, value })),
    );
    nodes.push({ ...node, dependsOn, installsAfter: softDependencies(loaded, source) });
    pending.push(...dependencies.map(([userId, value]) => ({ userId, value })));
  }
  return nodes;
}

/** The members of `installsAfter` that are installed and can come before: a Feature never waits for itself. */
export function effectiveSoftDependencies(
  node: FeatureNode,
  nodes: readonly FeatureNode[],
): readonly FeatureReference[] {
  return node.installsAfter.filter(
    (wanted) => !matchesReference(node, wanted) && nodes.some((other) => matchesReference(other, wanted)),
  );
}

function comparable(loaded: LoadedFeature, asked: Asked): ComparableFeature {
  const { manifest, reference, digest } = loaded;
  const aliases = [manifest.currentId ?? manifest.id, ...(manifest.legacyIds ?? [])];
  return { userId: asked.userId, value: asked.value, reference, digest, aliases };
}

function softDependencies<Loaded extends LoadedFeature>(
  loaded: Loaded,
  source: FeatureSource<Loaded>,
): FeatureReference[] {
  return (loaded.manifest.installsAfter ?? []).map((userId) => {
    try {
      return source.classify(userId);
    } catch (cause) {
      throw new UserError(
        `installsAfter dependency '${userId}' of Feature '${loaded.userId}' could not be processed: ${messageOf(cause)}`,
        { cause },
      );
    }
  });
}
