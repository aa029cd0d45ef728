/** The value of a key in a section of an INI file such as setup.cfg; its further lines, which are indented, belong to it. */
export function iniValue(text: string, section: string, key: string): string | undefined {
  let inside = false;
  let found: string[] | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[#;]/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    const assignment = /^([^\s=:][^=:]*?)\s*[=:]\s*(.*)$/.exec(line);
    if (header === undefined && /^\s/.test(line) && found !== undefined) {
      found.push(line.trim());
      continue;
    }
    if (found !== undefined) break;
    if (header !== undefined) inside = header.trim() === section;
    else if (inside && assignment?.[1] === key) found = [assignment[2] ?? ""];
  }
  const value = found?.join("\n").trim();
  return value === "" ? undefined : value;
}

/** Whether an INI file has a section. */
export function hasIniSection(text: string | undefined, section: string): boolean {
  return (text ?? "").split(/\r?\n/).some((line) => line.trim() === `[${section}]`);
}
