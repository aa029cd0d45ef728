import { expect, test } from "bun:test";
import {
  devcontainerId,
  featuresImageName,
  folderImageName,
  parseIdLabels,
  uidImageName,
  workspaceIdLabels,
} from "../../src/devcontainer/identity.ts";

test("the id of a container is that of the reference CLI, whatever the order of the labels", () => {
  const labels = {
    "devcontainer.local_folder": "/workspaces/demo",
    "devcontainer.config_file": "/workspaces/demo/.devcontainer/devcontainer.json",
  };
  const id = "0vhg70gun28ie7ilcg66ls827mfr9belol5p1b61mq4bj2o6n67d";
  expect(devcontainerId(labels)).toBe(id);
  expect(devcontainerId(Object.fromEntries(Object.entries(labels).reverse()))).toBe(id);
});

test("an id always has 52 digits from 0-9a-v", () => {
  for (const value of ["", "a", "ü", "\n"]) expect(devcontainerId({ name: value })).toMatch(/^[0-9a-v]{52}$/);
});

test("a workspace is labelled with its folder and config file, older containers with the folder only", () => {
  expect(workspaceIdLabels({ workspaceFolder: "/w", configFile: "/w/.devcontainer.json" })).toEqual({
    current: { "devcontainer.local_folder": "/w", "devcontainer.config_file": "/w/.devcontainer.json" },
    legacy: { "devcontainer.local_folder": "/w" },
  });
});

test("on Windows paths are labelled in one spelling", () => {
  const place = {
    workspaceFolder: "C:/Users/me/w",
    configFile: "C:\\Users\\me\\w\\.devcontainer.json",
    platform: "win32",
  };
  expect(workspaceIdLabels(place).current).toEqual({
    "devcontainer.local_folder": "c:\\Users\\me\\w",
    "devcontainer.config_file": "c:\\Users\\me\\w\\.devcontainer.json",
  });
});

test("labels from the command line are split at the first equals sign", () => {
  expect(parseIdLabels(["a=b=c", "d=e"])).toEqual({ a: "b=c", d: "e" });
  for (const text of ["a", "a=", "=b", ""]) {
    expect(() => parseIdLabels([text])).toThrow("id-label must match <name>=<value>");
  }
});

test("an image is named after the workspace's folder and the hash of its path", () => {
  expect(folderImageName("/work/demo")).toBe(
    "vsc-demo-111b1182b4b056ca80f7335964bf62c7940d4990fccce4f5b91db3170297fb04",
  );
});

test("characters and separators that image names cannot have are dropped from the folder's name", () => {
  const nameOf = (folder: string) => folderImageName(`/work/${folder}`).replace(/-?[0-9a-f]{64}$/, "");
  expect(nameOf("My_-Work..Space")).toBe("vsc-my_work.space");
  expect(nameOf("a___b")).toBe("vsc-a__b");
  expect(nameOf("x.-y--z")).toBe("vsc-x.y--z");
  expect(nameOf("Ünïcode dir")).toBe("vsc-ncodedir");
  expect(nameOf("_lead")).toBe("vsc-lead");
  expect(folderImageName("C:\\work\\Demo", "win32")).toStartWith("vsc-demo-");
});

test("derived images keep the workspace's name once", () => {
  expect(featuresImageName("vsc-w-1", "alpine")).toBe("vsc-w-1-features");
  expect(featuresImageName("vsc-w-1", "vsc-w-1-base")).toBe("vsc-w-1-base-features");
  expect(uidImageName("vsc-w-1", "alpine")).toBe("vsc-w-1-uid");
  expect(uidImageName("vsc-w-1", "vsc-w-1-features")).toBe("vsc-w-1-features-uid");
});
