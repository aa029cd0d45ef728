/** One record of comma-separated fields, quoted where a field needs it: what `--secret` and `--mount` take. */
export function csvRecord(fields: readonly string[]): string {
  return fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}

/** The fields of one record. */
export function csvFields(record: string): string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/gy;
  while (pattern.lastIndex < record.length) {
    const match = pattern.exec(record);
    // Quotes in the middle of a field are the field's own.
    if (match === null) return record.split(",");
    fields.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
  }
  return fields;
}
