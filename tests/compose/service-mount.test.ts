import { expect, test } from "bun:test";
import { serviceMount } from "../../src/compose/service-mount.ts";

test("a folder of the host keeps its options and is made where it is missing", () => {
  expect(
    serviceMount("type=bind,source=/a,target=/b,readonly,consistency=cached,bind-propagation=rslave").mount,
  ).toEqual({
    type: "bind",
    source: "/a",
    target: "/b",
    read_only: true,
    consistency: "cached",
    bind: { create_host_path: true, propagation: "rslave" },
  });
  expect(serviceMount("type=bind,src=/a,dst=/b,ro=false,relabel=private").mount).toEqual({
    type: "bind",
    source: "/a",
    target: "/b",
    bind: { create_host_path: true, selinux: "Z" },
  });
});

test("a named volume is declared at the top, an anonymous one is not", () => {
  expect(serviceMount("source=data,target=/data,volume-nocopy=true")).toEqual({
    mount: { type: "volume", source: "data", target: "/data", volume: { nocopy: true } },
    volume: { name: "data", settings: {} },
  });
  expect(serviceMount("type=volume,target=/data")).toEqual({
    mount: { type: "volume", target: "/data" },
    volume: undefined,
  });
});

test("a volume's driver and its options are declared with it", () => {
  const value =
    'type=volume,source=nfs,target=/n,volume-driver=local,volume-opt=type=nfs,"volume-opt=o=addr=1.2.3.4,rw"';
  expect(serviceMount(value).volume).toEqual({
    name: "nfs",
    settings: { driver: "local", driver_opts: { type: "nfs", o: "addr=1.2.3.4,rw" } },
  });
});

test("a tmpfs keeps its size and mode", () => {
  expect(serviceMount("type=tmpfs,destination=/t,tmpfs-size=64m,tmpfs-mode=1770").mount).toEqual({
    type: "tmpfs",
    target: "/t",
    tmpfs: { size: "64m", mode: 0o1770 },
  });
  expect(serviceMount("type=tmpfs,target=/t").mount).toEqual({ type: "tmpfs", target: "/t" });
});

test("a path with a comma is quoted as docker has it quoted", () => {
  expect(serviceMount('type=bind,"source=/a,b",target=/c').mount).toMatchObject({ source: "/a,b", target: "/c" });
});
