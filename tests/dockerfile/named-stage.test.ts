import { expect, test } from "bun:test";
import { withNamedStage } from "../../src/dockerfile/named-stage.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";
import { resolveBaseImage } from "../../src/dockerfile/resolve-base-image.ts";

function nameLastStage(text: string) {
  const model = parseDockerfile(text, "Dockerfile");
  return withNamedStage(model, resolveBaseImage(model).stage);
}

test("an unnamed stage gets a name right after its image", () => {
  expect(nameLastStage("ARG A\nFROM a AS b\nFROM --platform=x debian:12 \nUSER me\n")).toEqual({
    text: "ARG A\nFROM a AS b\nFROM --platform=x debian:12 AS dev_container_auto_added_stage_label \nUSER me\n",
    stageName: "dev_container_auto_added_stage_label",
  });
});

test("a named stage and its text stay as they are", () => {
  expect(nameLastStage("from a as Base\n")).toEqual({ text: "from a as Base\n", stageName: "Base" });
});

test("the name goes after the image when the line is continued", () => {
  const { text } = nameLastStage("FROM deb\\\n# why\nian\n\nRUN x\n");
  expect(text).toBe("FROM deb\\\n# why\nian AS dev_container_auto_added_stage_label\n\nRUN x\n");
});

test("the name goes after a quoted image, before a Windows line break and at the end of a file", () => {
  expect(nameLastStage('FROM "a:1"\r\nUSER x\r\n').text).toBe(
    'FROM "a:1" AS dev_container_auto_added_stage_label\r\nUSER x\r\n',
  );
  expect(nameLastStage("FROM a").text).toBe("FROM a AS dev_container_auto_added_stage_label");
});

test("another name can be asked for", () => {
  const model = parseDockerfile("FROM a\nFROM b\n", "Dockerfile");
  const { stage } = resolveBaseImage(model, { target: "0" });
  expect(withNamedStage(model, stage, { name: "first" })).toEqual({
    text: "FROM a AS first\nFROM b\n",
    stageName: "first",
  });
});
