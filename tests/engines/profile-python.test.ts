import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describeBuilders, runEngine } from "./builders.ts";
import { runCooper } from "./engines.ts";
import { fakeApt, openProfileScene } from "./profile-scene.ts";

/** Python and its tools from Debian's packages; pip installs what is there, as no index is in reach. */
const PYTHON = `RUN apt-get update && apt-get install -y --no-install-recommends python3-pip python3-pytest python3-setuptools python3-wheel \\
    && ln -s python3 /usr/bin/python && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ENV PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0`;

const PROJECT = {
  "pyproject.toml": `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "sums"
version = "1.0"
requires-python = ">=3.11"
[project.optional-dependencies]
test = ["pytest"]
[tool.setuptools.packages.find]
where = ["src"]
`,
  ".gitignore": "__pycache__\n",
  ".dockerignore": "**/__pycache__\n.pytest_cache\n",
  "src/sums/__init__.py": "def add(a, b):\n    return a + b\n",
  "tests/test_sums.py": "from sums import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
};

/** An index of one package, which writes down what it is asked for; what it serves may be kept for a day. */
const INDEX = `import http.server, io, zipfile
files = {
    "probe.py": "",
    "probe-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: probe\\nVersion: 1\\n",
    "probe-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "probe-1.dist-info/RECORD": "",
}
wheel = io.BytesIO()
with zipfile.ZipFile(wheel, "w") as archive:
    for name, text in files.items():
        archive.writestr(zipfile.ZipInfo(name), text)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        is_wheel = self.path.endswith(".whl")
        page = b'<a href="/probe-1-py3-none-any.whl">probe-1-py3-none-any.whl</a>'
        body = wheel.getvalue() if is_wheel else page
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/zip" if is_wheel else "text/html")
        self.send_header("Cache-Control", "max-age=86400")
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        print("asked for", self.path, flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", 8765), Handler).serve_forever()
`;
const INSTALL_PROBE = [
  "python index.py & for i in 1 2 3 4 5 6 7 8 9; do sleep 0.5; python -c 'import socket; socket.create_connection((\"127.0.0.1\", 8765))' && break; done",
  "PIP_NO_INDEX=0 python -m pip install --index-url http://127.0.0.1:8765/simple/ --trusted-host 127.0.0.1:8765 probe",
].join("; ");

describeBuilders(
  (builder) => {
    const scene = openProfileScene();
    const { engine } = builder;

    test("a Python package is detected, installed and tested, and built again when its code changes", async () => {
      const base = await scene.baseImage(engine, "python", `${PYTHON}\n${fakeApt()}`);
      const args = ["--base-image", base];
      // Its name, and so the profile's id, is this run's own.
      const pyproject = PROJECT["pyproject.toml"].replace(
        ">=3.11",
        `>=3.11,!=9.${Number.parseInt(scene.id.slice(0, 6), 16)}`,
      );
      const repository = scene.repository({ ...PROJECT, "pyproject.toml": pyproject }, {});
      const place = ["--repo-dir", repository.folder, "--profile", repository.profilePath];
      const detected = await runCooper(["profile", "detect", repository.folder, "--output", repository.profilePath]);
      expect(JSON.parse(detected.stdout)).toMatchObject({ outcome: "success", status: "supported" });
      const built = await scene.run(builder, repository, { args });
      expect(built.response?.reused_cache).toBe(false);
      const run = async () => {
        const { stdout } = await runCooper(["profile", "run", ...place, "--gates", "test"], { engine });
        return v.parse(
          v.looseObject({ passed: v.boolean(), gates: v.tuple([v.looseObject({ log: v.string() })]) }),
          JSON.parse(stdout),
        );
      };
      const passed = await run();
      expect([passed.passed, passed.gates[0].log]).toEqual([true, expect.stringContaining("1 passed")]);
      expect((await scene.run(builder, repository, { args })).response?.reused_cache).toBe(true);

      writeFileSync(join(repository.folder, "src/sums/__init__.py"), "def add(a, b):\n    return a - b\n");
      const failed = await run();
      expect([failed.passed, failed.gates[0].log]).toEqual([false, expect.stringContaining("assert -1 == 3")]);
      expect((await scene.run(builder, repository, { args })).response?.reused_cache).toBe(false);
      const tag = built.response?.image_tag ?? "";
      const value = ["run", "--rm", tag, "python", "-c", "import sums; print(sums.add(5, 3))"];
      expect((await runEngine(engine, value)).trim()).toBe("2");
    });

    test("what pip has downloaded for a profile it does not download again when the repository changes", async () => {
      const args = ["--base-image", await scene.baseImage(engine, "python", `${PYTHON}\n${fakeApt()}`)];
      const repository = scene.repository({ "index.py": INDEX, id: scene.id }, { install_cmds: [INSTALL_PROBE] });
      const first = await scene.run(builder, repository, { args });
      expect(first.failure?.message).toBeUndefined();
      expect(first.log).toContain("asked for /probe-1-py3-none-any.whl");
      writeFileSync(join(repository.folder, "changed"), "");
      const second = await scene.run(builder, repository, { args });
      expect(second.response?.reused_cache).toBe(false);
      expect(second.log).toContain("Using cached http://127.0.0.1:8765/probe-1-py3-none-any.whl");
      expect(second.log).not.toContain("asked for /probe-1-py3-none-any.whl");
    });

    test("what apt has downloaded for an image it does not download again for another profile on it", async () => {
      // Real apt and dpkg, with a mirror of its own in the image.
      const mirror = `RUN mkdir /repo && cd /repo && for name in git build-essential curl jq; do mkdir -p p/DEBIAN \\
    && printf 'Package: %s\\nVersion: 99\\nArchitecture: all\\nMaintainer: n\\nDescription: n\\n' $name >p/DEBIAN/control \\
    && dpkg-deb --build p $name.deb && rm -r p; done \\
    && for file in *.deb; do dpkg-deb -f $file; printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' $file $(stat -c %s $file) $(sha256sum <$file | cut -d' ' -f1); done >Packages \\
    && rm -rf /etc/apt/sources.list* && echo 'deb [trusted=yes] copy:/repo ./' >/etc/apt/sources.list
RUN echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };' >/etc/apt/apt.conf.d/docker-clean && echo ${scene.id} >/id`;
      const args = ["--base-image", await scene.baseImage(engine, "mirror", mirror)];
      const fetched = (log: string) =>
        [...log.matchAll(/Get:\d+ copy:\/repo \.\/ (\S+) 99/g)].map(([, name]) => name).sort();
      const first = await scene.run(builder, scene.repository({ a: "" }, { install_cmds: ["true"] }), { args });
      expect(first.failure?.message).toBeUndefined();
      expect(fetched(first.log)).toEqual(["build-essential", "curl", "git"]);
      const other = scene.repository({ b: "" }, { install_cmds: ["echo changed"], packages: ["jq"] });
      const second = await scene.run(builder, other, { args });
      expect(fetched(second.log)).toEqual(["jq"]);
      const tag = second.response?.image_tag ?? second.stderr;
      const kept = await runEngine(engine, [
        "run",
        "--rm",
        tag,
        "sh",
        "-c",
        "dpkg -s git jq | grep -c '^Status: install ok'; find /var/cache/apt -name '*.deb'",
      ]);
      expect(kept.trim()).toBe("2");
      const forced = await scene.run(builder, other, { args, request: { force_rebuild: true } });
      expect(fetched(forced.log)).toEqual(["build-essential", "curl", "git", "jq"]);
    });
  },
  ["BuildKit", "podman"],
);
