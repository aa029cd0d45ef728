import { UserError } from "../errors.ts";

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** Milliseconds of an age such as `72h`, `30d` or `1h30m`; throws a UserError that starts with `what` for anything else. */
export function parseAge(text: string, what: string): number {
  const parts = [...text.matchAll(/(\d+)([smhdw])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new UserError(`${what} was given ${JSON.stringify(text)}: wanted an age.`, {
      hint: "Write it as 90m, 72h, 30d or 1h30m: s, m, h, d and w stand for seconds to weeks.",
    });
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * secondsOf(unit) * 1000, 0);
}

function secondsOf(unit: string | undefined): number {
  const found = Object.entries(SECONDS).find(([name]) => name === unit);
  return found?.[1] ?? 0;
}
