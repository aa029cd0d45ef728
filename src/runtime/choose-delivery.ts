import type { ContentDelivery } from "../dockerfile/content-delivery.ts";
import type { BuildPlan } from "../plan/build-plan.ts";
import type { Builder } from "./builder.ts";

/** What a user's Dockerfile asks to be read with: the image of its `syntax` directive, if it has one. */
export interface Frontend {
  readonly syntax: string | undefined;
}

/**
 * The best way for Feature content to reach this builder: named build context, else the main context where the source needs none,
 * else an image of its own, called `contentImage`.
 */
export function chooseDelivery(
  builder: Builder,
  plan: BuildPlan,
  options: { contentImage: string; frontend: Frontend },
): ContentDelivery {
  const mount = canMount(builder);
  if (canNameContexts(builder, options.frontend)) return { kind: "named-context", mount: true };
  switch (plan.source.kind) {
    case "image":
      return { kind: "main-context", mount };
    case "dockerfile":
      return { kind: "content-image", mount, image: options.contentImage };
  }
}

function canMount(builder: Builder): boolean {
  switch (builder.kind) {
    case "buildx":
      return true;
    case "classic":
      return false;
    case "podman":
      return builder.mounts;
  }
}

function canNameContexts(builder: Builder, frontend: Frontend): boolean {
  switch (builder.kind) {
    case "buildx":
      return builder.namedContexts && frontendKnowsContexts(frontend.syntax);
    case "classic":
      return false;
    case "podman":
      return builder.namedContexts;
  }
}

/** docker/dockerfile knows named contexts from 1.4 on; a tag like `1` or `latest` means a newer one, another image is its own affair. */
function frontendKnowsContexts(syntax: string | undefined): boolean {
  const match = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?::([^@]+))?(?:@.*)?$/.exec(syntax ?? "");
  const version = /^(\d+)(?:\.(\d+))?/.exec(match?.[1] ?? "");
  if (version === null) return true;
  const [, major, minor] = version;
  return Number(major) > 1 || (Number(major) === 1 && (minor === undefined || Number(minor) >= 4));
}
