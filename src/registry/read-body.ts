import { UserError } from "../errors.ts";

/** The whole body of a response; throws a UserError that starts with `what` as soon as it exceeds `maximum` bytes. */
export async function readBody(response: Response, limit: { maximum: number; what: string }): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > limit.maximum) throw new UserError(`${limit.what} is too large: more than ${limit.maximum} bytes.`);
    parts.push(part);
  }
  return joinBytes(parts, size);
}

/** The bytes of all parts, `size` in all. */
export function joinBytes(parts: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
