/** What proves to a registry who asks: a name and password, or a token that is exchanged for access tokens. */
export type Credential =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "refresh-token"; readonly token: string };

/** The result of looking for a registry's credential. */
export type FoundCredential = {
  readonly credential: Credential | undefined;
  /** Where it was found, or undefined. */
  readonly source: string | undefined;
  /** Every place that was looked in, in order, with what was wrong with it in brackets. */
  readonly places: readonly string[];
};

/** Looks for the credential of a repository's registry. */
export type FindCredential = (wanted: { domain: string; repository: string }) => Promise<FoundCredential>;

/**
 * Asks `docker-credential-<name>` for a server's credential; undefined when it has none, UserError when it cannot be
 * asked.
 */
export type AskCredentialHelper = (
  name: string,
  server: string,
) => Promise<{ readonly username: string; readonly secret: string } | undefined>;

/** The value of a Basic `Authorization` header. */
export function basicAuthorization(credential: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
}

/** The credential that a helper's answer means: the user name `<token>` marks a refresh token. */
export function credentialOfHelper(answer: { username: string; secret: string }): Credential {
  return answer.username === "<token>"
    ? { kind: "refresh-token", token: answer.secret }
    : { kind: "basic", username: answer.username, password: answer.secret };
}
