/** The value that a `.env` file gives a variable: of the last line that sets it, without quotes; undefined for none or an empty one. */
export function dotEnvValue(text: string, name: string): string | undefined {
  const values = text.split("\n").flatMap((line) => {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line.replace(/\r$/, ""));
    return match?.[1] === name ? [unquoted((match[2] ?? "").trim())] : [];
  });
  return values.at(-1) || undefined;
}

function unquoted(value: string): string {
  const quoted = /^(["'])(.*?)\1/.exec(value);
  return quoted?.[2] ?? value.replace(/\s+#.*$/, "");
}
