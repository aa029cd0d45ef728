import { UserError } from "../errors.ts";

/** Seconds since 1970 as SOURCE_DATE_EPOCH has them, 0 when it is unset; throws a UserError for anything else. */
export function readEpoch(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  // The year 9999 is the last that RFC 3339 can write.
  if (/^\d{1,12}$/.test(text) && Number(text) <= 253_402_300_799) return Number(text);
  throw new UserError(
    `SOURCE_DATE_EPOCH is ${JSON.stringify(text)}: wanted whole seconds since 1970, like 1700000000.`,
  );
}

/** The time of an epoch as image configs have it. */
export function formatEpoch(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
}
