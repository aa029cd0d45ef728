import { expect, test } from "bun:test";
import { csvFields, csvRecord } from "../../src/plan/csv-record.ts";

test("fields are quoted where they need it and read back as they were", () => {
  expect(csvRecord(["id=a", "src=/x"])).toBe("id=a,src=/x");
  const hostile = ["id=a,b", 'src=/"x"', "line\nbreak", "", 'm"iddle', "end"];
  expect(csvFields(csvRecord(hostile))).toEqual(hostile);
});

test("quotes in the middle of a field are its own", () => {
  expect(csvFields('a=b"c",d')).toEqual(['a=b"c"', "d"]);
  expect(csvFields('"a"b,c')).toEqual(['"a"b', "c"]);
});
