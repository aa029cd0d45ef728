/** A line of an env file that gives a variable no value: the engine takes this machine's, Podman of all that a `*` stands for. */
export interface BareName {
  readonly name: string;
  readonly line: number;
}

/** The names in the text of an env file, and those of them that come without a value; read as Docker and Podman do. */
export function readEnvFile(text: string): { readonly names: readonly string[]; readonly bare: readonly BareName[] } {
  const names: string[] = [];
  const bare: BareName[] = [];
  for (const [index, written] of text
    .replace(/^\ufeff/, "")
    .split("\n")
    .entries()) {
    const line = written.replace(/\r$/, "").replace(/^[ \t]+/, "");
    if (line === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    const name = equals === -1 ? line : line.slice(0, equals);
    names.push(name);
    if (equals === -1) bare.push({ name, line: index + 1 });
  }
  return { names: [...new Set(names)], bare };
}
