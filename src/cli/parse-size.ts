import { UserError } from "../errors.ts";

const POWERS = ["", "k", "m", "g", "t"];

/** Bytes of a size such as `10GB`, `500MB`, `1.5GiB` or `4096`; throws a UserError that starts with `what` for anything else. */
export function parseSize(text: string, what: string): number {
  const [, number = "", power = "", binary] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text) ?? [];
  if (number === "" || (binary !== "" && power === "")) {
    throw new UserError(`${what} was given ${JSON.stringify(text)}: wanted a size.`, {
      hint: "Write it as 500MB, 10GB or 10GiB.",
    });
  }
  return Math.floor(Number(number) * (binary === "" ? 1000 : 1024) ** POWERS.indexOf(power.toLowerCase()));
}
