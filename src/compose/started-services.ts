import type { ComposeModel, ComposeService } from "./compose-model.ts";

/** Which services are meant to run. */
export interface ServiceWishes {
  /** The dev container's. */
  readonly service: string;
  /** Of devcontainer.json; empty for all. */
  readonly runServices: readonly string[];
  /** The value of COMPOSE_PROFILES. */
  readonly profiles: string | undefined;
}

/** What `up` is to be told so that all that are meant run. */
export interface StartedServices {
  /** To be named; empty for all that no profile excludes. */
  readonly named: readonly string[];
  /** To be switched on beside what is on already; empty where nothing is missing. */
  readonly profiles: readonly string[];
  /** Everything that will run, what those named depend on included, in the project's order. */
  readonly all: readonly string[];
}

/** The services that run with a dev container: those that are named and itself, else all, and its own even if a profile hides it. */
export function startedServices(model: ComposeModel, wishes: ServiceWishes): StartedServices {
  const { service, runServices } = wishes;
  if (runServices.length > 0) {
    const named = runServices.includes(service) ? runServices : [...runServices, service];
    return { named, profiles: [], all: withDependencies(model, named) };
  }
  const active = (wishes.profiles ?? "").split(",").filter((profile) => profile !== "");
  const own = model.services[service];
  const hidden = own !== undefined && !isEnabled(own, active);
  const profiles = hidden ? [...active, ...own.profiles.slice(0, 1)] : [];
  const enabled = Object.entries(model.services)
    .filter(([, candidate]) => isEnabled(candidate, hidden ? profiles : active))
    .map(([name]) => name);
  return { named: [], profiles, all: withDependencies(model, enabled) };
}

function isEnabled({ profiles }: ComposeService, active: readonly string[]): boolean {
  return profiles.length === 0 || active.includes("*") || profiles.some((profile) => active.includes(profile));
}

function withDependencies(model: ComposeModel, names: readonly string[]): readonly string[] {
  const wanted = new Set<string>();
  const visit = (name: string) => {
    const service = Object.hasOwn(model.services, name) ? model.services[name] : undefined;
    if (service === undefined || wanted.has(name)) return;
    wanted.add(name);
    const { depends_on: dependencies } = service;
    for (const dependency of Array.isArray(dependencies) ? dependencies : Object.keys(dependencies)) visit(dependency);
  };
  names.forEach(visit);
  return Object.keys(model.services).filter((name) => wanted.has(name));
}
