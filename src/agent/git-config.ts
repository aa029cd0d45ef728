/** A setting of a git configuration file: `core.hookspath`, `include.path`; a subsection's name is left out. */
export interface GitSetting {
  /** Section and key in lower case. */
  readonly name: string;
  readonly value: string;
}

/** The settings in the text of a git configuration file, in order; what is no setting is passed over. */
export function readGitConfig(text: string): readonly GitSetting[] {
  const settings: GitSetting[] = [];
  let section = "";
  // A backslash at its end continues a line.
  for (const line of text.replaceAll(/\\\r?\n/g, "").split(/\r?\n/)) {
    const [, header, after = line] = /^\s*\[\s*([^\]"]*?)\s*(?:"(?:[^"\\]|\\.)*"\s*)?\](.*)$/.exec(line) ?? [];
    if (header !== undefined) section = header.toLowerCase();
    const [, key, written = "true"] = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=(.*))?$/.exec(after) ?? [];
    if (key !== undefined) settings.push({ name: `${section}.${key.toLowerCase()}`, value: plainValue(written) });
  }
  return settings;
}

function plainValue(written: string): string {
  let value = "";
  let quoted = false;
  for (const [part] of written.matchAll(/\\.|[^\\]/g)) {
    if (part === '"') quoted = !quoted;
    else if (part.startsWith("\\")) value += escaped(part.slice(1));
    else if (!quoted && (part === "#" || part === ";")) break;
    else value += part;
  }
  return value.trim();
}

function escaped(character: string): string {
  return { n: "\n", t: "\t", b: "\b" }[character] ?? character;
}
