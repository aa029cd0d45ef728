import { expect, test } from "bun:test";
import { parseExactJson, pythonJson, pythonNumber } from "../../src/profile/python-json.ts";
import { parseRepoProfile, profileIdOf } from "../../src/profile/repo-profile.ts";

const parse = (text: string) => parseRepoProfile(text, "p.json");

// Made with Python 3: p = json.loads(text); p["working_dir"] = "."
// hashlib.sha256(json.dumps(p, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
const VECTORS: readonly (readonly [text: string, id: string])[] = [
  ['{"install_cmds":["pip install ."]}', "52f3b0d37081f75795aeba5204f2f33c7654841c155eed751cce4497b00c595c"],
  [
    String.raw`{"working_dir":"/elsewhere","install_cmds":["a"],"env":{"\u00e9":"\u00fc\u007f\n\u2028\ud83d\ude00","Z":"1"},"gates":{"test":{"cmd":"t","timeout_sec":1e16}}}`,
    "8a48718f3e0b6e6c97bdcc4c16b8c1685d39985d6674f9914e3c21f8a8965bd7",
  ],
  [
    String.raw`{"install_cmds":[],"env":{"\ud83d\ude00":"a","\uffee":"b","a":1.0,"b":-0,"c":1e-5,"d":12345678901234567890,"e":0.1,"f":-0.0,"g":1E3,"h":123456.789e3,"i":true}}`,
    "1330947af0be424239fb586a61ea471d4cbd7203a07e9f624eb5000421998211",
  ],
];

for (const [text, id] of VECTORS) {
  test(`the id of ${text.slice(0, 60)} is the sha256 of Python's canonical JSON`, () => {
    expect(parse(text).id).toBe(id);
    expect(parse(`{"profile_id":null,"profile":${text},"profile_runtime":{"repo_dir_abs":"/x"}}`).id).toBe(id);
  });
}

test("numbers are written as Python writes them", () => {
  const written = ["1", "-0", "1.0", "1e3", "1e15", "1e16", "0.0001", "0.00001", "1.5e-7", "-2.50", "1e999", "-0.0"];
  expect(written.map(pythonNumber)).toEqual([
    "1",
    "0",
    "1.0",
    "1000.0",
    "1000000000000000.0",
    "1e+16",
    "0.0001",
    "1e-05",
    "1.5e-07",
    "-2.5",
    "Infinity",
    "-0.0",
  ]);
});

test("keys are sorted by code point, and what is not printable ASCII is escaped", () => {
  expect(pythonJson(parseExactJson('{"\u{1F600}":1,"\uffee":2,"a\u007f":[null,true]}'))).toBe(
    '{"a\\u007f":[null,true],"\\uffee":2,"\\ud83d\\ude00":1}',
  );
});

test("a given id counts, and tells what it should have been", () => {
  const id = "ab".repeat(32);
  const found = parse(`{"profile_id":"${id}","profile":{"install_cmds":[]}}`);
  expect(found.id).toBe(id);
  expect(found.computedId).toBe(profileIdOf({ install_cmds: [] }));
});

const WRONG: readonly (readonly [text: string, message: string])[] = [
  ["nope", "is not JSON"],
  ["[]", "wanted an object"],
  ["{}", "install_cmds is missing"],
  ['{"install_cmds":"x"}', "install_cmds: found a string; wanted an array of strings"],
  ['{"install_cmds":["a",1]}', "install_cmds[1]: found the number 1"],
  ['{"install_cmds":[],"env":{"A":null}}', "env.A: found null"],
  ['{"install_cmds":[],"gates":{"test":{"cmd":4}}}', "gates.test.cmd: found the number 4"],
  ['{"install_cmds":[],"status":"fine"}', 'status: found "fine"'],
  ['{"install_cmds":[],"install_cmd":[]}', 'unknown member install_cmd; did you mean "install_cmds"?'],
  [
    '{"install_cmds":[],"gates":{"test":{"cmd":"t","tmeout_sec":1,"x":2}},"y":3}',
    'unknown member gates.test.tmeout_sec; did you mean "timeout_sec"?\n  unknown member gates.test.x.\n  unknown member y.',
  ],
  ['{"profile_id":"AB","profile":{"install_cmds":[]}}', 'profile_id: found "AB"; wanted a sha256'],
  ['{"profile":{"install_cmds":[1]}}', "profile.install_cmds[0]"],
];

for (const [text, message] of WRONG) {
  test(`the profile ${text} is refused: ${message}`, () => {
    expect(() => parse(text)).toThrow(message);
  });
}

test("values of env that are no strings become Python's text of them", () => {
  expect(parse('{"install_cmds":[],"env":{"A":true,"B":3}}').profile.env).toEqual({ A: "True", B: "3" });
});
