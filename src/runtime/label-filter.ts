/**
 * The `--filter` for containers with a label; by its name alone where Podman would take the value apart (it reads a record of
 * comma-separated fields, Docker does not), so that whoever asks compares the values of those that are found.
 */
export function labelFilter(name: string, value: string): string[] {
  return ["--filter", /[",\r\n]/.test(value) ? `label=${name}` : `label=${name}=${value}`];
}
