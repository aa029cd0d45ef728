import { expect, test } from "bun:test";
import { renderChecks } from "../../src/cli/render-checks.ts";
import type { Check } from "../../src/runtime/diagnosis/check.ts";

const checks: readonly Check[] = [
  { id: "engine", status: "ok", title: "Engine", detail: "docker 28.0.1, found on PATH" },
  {
    id: "storage",
    status: "warning",
    title: "Image store",
    detail: "vfs, which copies every layer in full: builds are slow and images large",
    remedy:
      "Use overlay; what is stored now has to go, and is dropped by the second command:\n  apt-get install fuse-overlayfs\n  podman system reset --and-a-very-long-option-that-does-not-fit",
  },
  { id: "run", status: "problem", title: "Test run", detail: "it broke" },
];

test("lines fit the terminal, and commands stay whole", () => {
  expect(renderChecks(checks, { columns: 80, colors: false })).toBe(`\
✔ ok       Engine       docker 28.0.1, found on PATH
! warning  Image store  vfs, which copies every layer in full: builds are slow
                        and images large
                        → Use overlay; what is stored now has to go, and is
                          dropped by the second command:
                          apt-get install fuse-overlayfs
    podman system reset --and-a-very-long-option-that-does-not-fit
✘ problem  Test run     it broke

1 problem, 1 warning.
`);
});

test("what is not read on a terminal has one line per sentence", () => {
  expect(renderChecks(checks, { columns: Number.POSITIVE_INFINITY, colors: false })).toContain(`
! warning  Image store  vfs, which copies every layer in full: builds are slow and images large
                        → Use overlay; what is stored now has to go, and is dropped by the second command:
                          apt-get install fuse-overlayfs
                          podman system reset --and-a-very-long-option-that-does-not-fit
`);
});

test("colour marks the status, and takes up no room", () => {
  const colored = renderChecks(checks, { columns: 80, colors: true });
  expect(colored).toStartWith("\u001b[32m✔ ok       \u001b[0mEngine");
  expect(Bun.stripANSI(colored)).toBe(renderChecks(checks, { columns: 80, colors: false }));
});

test("a narrow terminal still gets words side by side, and a wide one no longer lines than can be read", () => {
  const long = { id: "a", status: "ok", title: "A", detail: "word ".repeat(60).trim() } as const;
  const widths = (columns: number) =>
    renderChecks([long], { columns, colors: false })
      .split("\n")
      .map((line) => line.length);
  expect(Math.max(...widths(10))).toBeGreaterThan(30);
  expect(Math.max(...widths(300))).toBeLessThanOrEqual(100);
});

test("the sum is in the last line", () => {
  const last = (statuses: readonly Check["status"][]) =>
    renderChecks(
      statuses.map((status) => ({ id: "a", status, title: "A", detail: "b" })),
      { columns: 80, colors: false },
    )
      .trimEnd()
      .split("\n")
      .at(-1);
  expect(last(["ok"])).toBe("Everything is in order.");
  expect(last(["warning", "ok", "warning"])).toBe("2 warnings.");
  expect(last(["problem", "problem"])).toBe("2 problems.");
});
