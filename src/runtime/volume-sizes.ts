/** The arguments that make an engine tell the sizes of its volumes, docker's first; podman's has no format of its own for it. */
export function volumeSizesArgs(): readonly (readonly string[])[] {
  const format = "{{range .Volumes}}{{.Name}}\t{{.Links}}\t{{.Size}}\n{{end}}";
  return [
    ["system", "df", "-v", "--format", format],
    ["system", "df", "-v"],
  ];
}

/** The sizes of volumes by name, of docker's lines or podman's table, as they are written there; none for one that is not known. */
export function readVolumeSizes(text: string): ReadonlyMap<string, string> {
  const table = text.split(/^VOLUME NAME\s.*$/m).at(-1) ?? "";
  const sizes = table.split("\n").flatMap((line) => {
    const [, name = "", size = ""] = /^(\S+)\s+\d+\s+(\d\S*)\s*$/.exec(line) ?? [];
    return name === "" ? [] : [[name, size] as const];
  });
  return new Map(sizes);
}
