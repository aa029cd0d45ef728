import { expect, test } from "bun:test";
import { parseProfileRequest } from "../../src/profile/profile-request.ts";

test("a request has two members that must be there and two that need not", () => {
  expect(parseProfileRequest('{"repo_dir":"r","profile_path":"p"}')).toEqual({
    repo_dir: "r",
    profile_path: "p",
    image_cache_dir: null,
    force_rebuild: false,
  });
  const whole = { repo_dir: "r", profile_path: "p", image_cache_dir: "c", force_rebuild: true };
  expect(parseProfileRequest(JSON.stringify(whole))).toEqual(whole);
});

const WRONG: readonly (readonly [text: string, message: string])[] = [
  ["", "The request is not JSON"],
  ["[]", "wanted an object"],
  ['{"repo_dir":"r"}', "profile_path is missing"],
  ['{"repo_dir":"r","profile_path":""}', "wanted a path that is not empty"],
  ['{"repo_dir":"r","profile_path":"p","force_rebuild":"yes"}', "force_rebuild: found a string; wanted true or false"],
  ['{"repo_dir":"r","profile_path":"p","extra":1}', "unknown member extra"],
  [
    '{"repo_dir":4,"b":1,"profile_path":"p","a":{"c":2}}',
    "unknown member b.\n  unknown member a.\n  repo_dir: found the number 4",
  ],
  ['{"repo_dir":"r","profile_path":"p","force_rebuld":true}', 'did you mean "force_rebuild"?'],
];

for (const [text, message] of WRONG) {
  test(`the request ${text} is refused: ${message}`, () => {
    expect(() => parseProfileRequest(text)).toThrow(message);
  });
}
