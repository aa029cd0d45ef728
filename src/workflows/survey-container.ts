import { UserError } from "../errors.ts";
import { execCommand } from "../runtime/exec-command.ts";
import { failedExec, saysContainerVanished } from "../runtime/exec-failure.ts";
import type { RememberedContainer } from "./session-cache.ts";
import { surveyScript } from "./survey-script.ts";
import type { Tools } from "./tools.ts";

/** The user that tools run as in a container: as configured, and by name or number alone. */
export interface RemoteUser {
  /** What `exec -u` takes: `user` or `user:group`. */
  readonly spec: string;
  readonly name: string;
}

/** What a container says about a user. */
export interface Account {
  readonly uid: number;
  readonly home: string;
  readonly shell: string;
  /** Whether login shells keep the container's PATH. */
  readonly profilePatched: boolean;
}

/** What has to be said about HOME, where the container's own is not the user's. */
export function homeVariable(
  account: Account,
  containerEnv: Readonly<Record<string, string>>,
): { readonly HOME?: string } {
  const own = containerEnv["HOME"];
  return own === undefined || own === account.home ? {} : { HOME: account.home };
}

/** Which container is surveyed, with which engine's client, and where the markers of one-time patches are. */
export interface Survey {
  readonly enginePath: string;
  readonly container: Pick<RememberedContainer["container"], "id" | "env">;
  readonly systemDataFolder: string | undefined;
}

const SYSTEM_DATA_FOLDER = "/var/devcontainer";

/** The merged configuration's remote user, else the container's own, else root. */
export function remoteUserFor(remoteUser: string | undefined, containerUser: string): RemoteUser {
  const spec = remoteUser || containerUser || "root";
  const [name = ""] = spec.split(":");
  return { spec, name: name === "0" || name === "" ? "root" : name };
}

/**
 * Finds out home and shell of a user and, once per container, writes the container's environment to /etc/environment and lets login
 * shells keep its PATH. Throws UserError when there is no such user.
 */
export async function surveyContainer(survey: Survey, user: RemoteUser, tools: Tools): Promise<Account> {
  const facts = readFacts(await runSurvey(survey, user, tools));
  const [, , uidText, , , passwdHome, shell] = facts.entry;
  if (uidText === undefined && !/^\d+$/.test(user.name)) {
    throw new UserError(`The remote user ${JSON.stringify(user.name)} does not exist in the container.`, {
      hint: "Name a user of the image as remoteUser, or create this one in the Dockerfile (RUN useradd) or with a Feature (common-utils).",
    });
  }
  const uid = Number(uidText ?? user.name);
  const own = survey.container.env["HOME"];
  const keepsOwn =
    own !== undefined &&
    own !== "" &&
    (own === passwdHome || uid === 0 || facts.homeIsAbsent || (await mayWrite(survey, { user, path: own }, tools)));
  return {
    uid,
    // A number without an entry could not even enter root's home; engines call / its home.
    home: keepsOwn ? own : passwdHome || (uid === 0 ? "/root" : "/"),
    shell: facts.shell ?? (shell || "/bin/sh"),
    profilePatched: facts.profilePatched,
  };
}

interface Facts {
  /** Fields of the passwd entry, none without one. */
  readonly entry: readonly string[];
  readonly homeIsAbsent: boolean;
  readonly shell: string | undefined;
  readonly profilePatched: boolean;
}

function readFacts(output: string): Facts {
  const lines = output.split("\n");
  const fact = (name: string) => lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1);
  const entry = fact("entry") ?? "";
  return {
    entry: entry === "" ? [] : entry.split(":"),
    homeIsAbsent: fact("home") === "absent",
    shell: fact("shell"),
    profilePatched: fact("profile") === "patched",
  };
}

async function runSurvey(survey: Survey, user: RemoteUser, tools: Tools): Promise<string> {
  const { id, env } = survey.container;
  const words = [user.name, survey.systemDataFolder ?? SYSTEM_DATA_FOLDER, env["HOME"] ?? "", env["SHELL"] ?? ""];
  const lines = Object.entries(env).flatMap(([name, value]) => (value.includes("\n") ? [] : [`${name}="${value}"\n`]));
  const commandAs = (account: string) =>
    execCommand(survey.enginePath, {
      container: id,
      user: account,
      stdin: true,
      command: ["/bin/sh", "-c", surveyScript, "survey", ...words],
    });
  const stop = tools.log.start("Run in container: survey of user, home and shell");
  let result = { exitCode: 1, stdout: "", stderr: "" };
  let command = commandAs("0");
  // What does not come whole, as was seen of podman 4.3 on a busy machine, is asked for again.
  for (const account of ["0", "0", user.spec]) {
    command = commandAs(account);
    result = await tools.runProcess(command, { stdin: lines.join("") });
    if (result.stdout.endsWith("end\n") || saysContainerVanished(result.stderr)) break;
    tools.log.debug(`The survey did not run as ${account}: ${result.stderr.trim()}`);
  }
  stop();
  if (result.stdout.endsWith("end\n")) return result.stdout;
  throw failedExec(command, id, { exitCode: result.exitCode, output: `${result.stdout}${result.stderr}` });
}

async function mayWrite(survey: Survey, wanted: { user: RemoteUser; path: string }, tools: Tools): Promise<boolean> {
  const command = execCommand(survey.enginePath, {
    container: survey.container.id,
    user: wanted.user.spec,
    command: ["/bin/sh", "-c", '[ -w "$1" ]', "sh", wanted.path],
  });
  return (await tools.runProcess(command)).exitCode === 0;
}
