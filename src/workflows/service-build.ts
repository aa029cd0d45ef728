import { servicePlatform } from "../compose/service-source.ts";
import { UserError } from "../errors.ts";
import type { BuildRequest } from "./build-request.ts";
import type { ComposeProject } from "./compose-project.ts";
import type { Tools } from "./tools.ts";

/** Throws UserError for what the reference CLI does not build of a Compose service either. */
export function refuseForCompose(request: BuildRequest): void {
  const refused =
    request.platform !== undefined || request.push
      ? "--platform or --push"
      : request.output !== undefined
        ? "--output"
        : request.cacheTo !== undefined
          ? "--cache-to"
          : undefined;
  if (refused === undefined) return;
  throw new UserError(`${refused} not supported.`, {
    hint: 'The image belongs to a Docker Compose service: set "platform" there, and push or save what build made with the engine.',
  });
}

/** The request with what the service's own build asks for beside it; names of the image that were asked for stay. */
export function requestOfService(
  request: BuildRequest,
  project: ComposeProject,
  tools: Pick<Tools, "log">,
): BuildRequest {
  const { source, service } = project;
  const platform = servicePlatform(service);
  switch (source.kind) {
    case "image":
      return { ...request, platform };
    case "build": {
      const { build } = source;
      for (const key of build.ignored) {
        tools.log.warning(
          `"${key}" of the build of the Docker Compose service ${project.serviceName} has no effect here.`,
        );
      }
      return {
        ...request,
        platform,
        imageNames: request.imageNames.length > 0 ? request.imageNames : [project.imageName, ...build.tags],
        labels: [...Object.entries(build.labels).map(([name, value]) => `${name}=${value}`), ...request.labels],
        noCache: request.noCache || build.noCache,
        secrets: [...request.secrets, ...build.secrets],
        ssh: [...request.ssh, ...build.ssh],
      };
    }
  }
}
