import { expect, test } from "bun:test";
import { readRelaySurvey } from "../../src/runtime/relay-survey.ts";

const TABLES = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22153 1 000000000 100 0 0 10 0
   1: 0100007F:0BB9 0100007F:8F1C 01 00000000:00000000 00:00000000 00000000     0        0 22154 1 000000000 20 4 30 10 -1
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
`;

test("the first line is the tool, the tables tell on which ports anything listens", () => {
  const { tool, listening } = readRelaySurvey(`perl\n\n${TABLES}`);
  expect(tool).toBe("perl");
  expect([...(listening ?? [])]).toEqual([3000, 8080]);
});

test("a container without any of the tools has none", () => {
  expect(readRelaySurvey(`\n${TABLES}`).tool).toBeUndefined();
});

test("without tables nothing is known of what listens", () => {
  expect(readRelaySurvey("python3\n\n")).toEqual({ tool: "python3", listening: undefined });
});

test("a word that is no tool is none", () => {
  expect(readRelaySurvey(`rm -rf /\n\n${TABLES}`).tool).toBeUndefined();
});
