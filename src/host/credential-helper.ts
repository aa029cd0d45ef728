import * as v from "valibot";
import { UserError } from "../errors.ts";
import type { RunProcess } from "./spawn.ts";

const answerSchema = v.object({ Username: v.string(), Secret: v.string() });
const helperTimeoutMilliseconds = 30_000;

/**
 * Asks `docker-credential-<name> get` for a server's login (Docker's credential helper protocol): undefined when it has
 * none. Throws a UserError, without anything the helper printed, when it is absent or answers something else.
 */
export function createAskCredentialHelper(run: RunProcess) {
  return async (name: string, server: string): Promise<{ username: string; secret: string } | undefined> => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)) throw new UserError("its name is not a helper's");
    const command = { file: `docker-credential-${name}`, args: ["get"], env: {} };
    const result = await run(command, { stdin: server, timeoutMilliseconds: helperTimeoutMilliseconds });
    if (result.exitCode !== 0) {
      if (/credentials not found/i.test(`${result.stdout}${result.stderr}`)) return undefined;
      throw new UserError(`it ended with exit code ${result.exitCode}`);
    }
    const parsed = v.safeParse(answerSchema, parseJson(result.stdout));
    if (!parsed.success) throw new UserError("its answer is not JSON with Username and Secret");
    const { Username: username, Secret: secret } = parsed.output;
    return secret === "" ? undefined : { username, secret };
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
