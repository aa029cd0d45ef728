import { UserError } from "../errors.ts";
import { nearestName } from "../nearest-name.ts";
import type { ComposeModel, ComposeService } from "./compose-model.ts";

/** A configuration names a service that its project does not have. */
export class UnknownServiceError extends UserError {}

/** The service that a configuration names; throws UserError when it names none, UnknownServiceError when it is none of the project's. */
export function findService(model: ComposeModel, name: string | undefined): ComposeService {
  const names = Object.keys(model.services);
  if (name === undefined) {
    throw new UserError(
      'devcontainer.json has "dockerComposeFile" but no "service": which of its services is the dev container?',
      {
        hint: `Add one of them: ${names.map((known) => `"service": ${JSON.stringify(known)}`).join(", ")}.`,
      },
    );
  }
  const service = Object.hasOwn(model.services, name) ? model.services[name] : undefined;
  if (service !== undefined) return service;
  throw new UnknownServiceError(
    `Service '${name}' configured in devcontainer.json not found in Docker Compose configuration.`,
    { hint: knownServices(name, names) },
  );
}

/** Throws UserError for a name among `runServices` that is no service of the project. */
export function checkRunServices(model: ComposeModel, runServices: readonly string[]): void {
  const names = Object.keys(model.services);
  const unknown = runServices.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new UserError(
    `Service '${unknown}' of "runServices" in devcontainer.json not found in Docker Compose configuration.`,
    {
      hint: knownServices(unknown, names),
    },
  );
}

function knownServices(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `Did you mean ${JSON.stringify(nearest)}?`;
  return names.length === 0 ? "The project has no services." : `Its services: ${names.join(", ")}.`;
}
