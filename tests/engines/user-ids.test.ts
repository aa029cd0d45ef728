import { expect, test } from "bun:test";
import { renderDockerfile } from "../../src/dockerfile/render.ts";
import type { BuildPlan } from "../../src/plan/build-plan.ts";
import { describeBuilders, runEngine, runInImage } from "./builders.ts";
import { BASE_IMAGE } from "./engines.ts";
import { openScene } from "./workspace.ts";

const BASES = [
  ["GNU's tools", BASE_IMAGE],
  ["busybox", "docker.io/library/alpine:latest"],
] as const;

/** A home with files of the user, of its group and of nobody's, and files of the user elsewhere. */
const SETUP = `RUN touch /etc/passwd /etc/group \\
 && echo 'dev:x:2000:2000::/home/dev:/bin/sh' >>/etc/passwd && echo 'dev:x:2000:' >>/etc/group \\
 && mkdir -p /home/dev/sub /work && cd /home/dev && touch own "sub/it's \\$x" roots groups strangers /work/out \\
 && ln -s /etc/passwd link && chown -R -h 2000:2000 /home/dev /work \\
 && chown 0:0 roots && chown 0:2000 groups && chown 3000:3000 strangers && chmod 4711 own
USER dev`;

function planOf(base: string): BuildPlan {
  return {
    version: 1,
    source: {
      kind: "dockerfile",
      base: { reference: base, digest: "", platform: "" },
      text: `FROM ${base} AS app\n${SETUP}\n`,
      stage: "app",
      escapeWith: "\\",
      contextDigest: "",
      buildArgs: {},
      options: [],
      images: {},
    },
    platforms: [],
    users: { image: "dev", container: "dev", remote: "dev" },
    steps: [{ kind: "user-ids", user: "dev", uid: 1234, gid: 1235 }],
  };
}

const OWNERS = `cd /home/dev; for file in . own "sub/it's \\$x" link roots groups strangers /work/out /etc/passwd; do
  printf '%s ' "$file"; stat -c '%u:%g' "$file"
done; id -u; id -g`;

describeBuilders(
  ({ engine }) => {
    const scene = openScene();
    for (const [tools, base] of BASES) {
      test(`with ${tools} the remote user gets the ids, and of its home what was its own`, async () => {
        const image = scene.imageName(engine, `user-ids-${tools.replace(/\W/g, "").toLowerCase()}`);
        const dockerfile = renderDockerfile(planOf(base), "f00d", { kind: "named-context", mount: true });
        await runEngine(engine, ["build", "-t", image, "-"], { stdin: dockerfile });
        expect(await runInImage(engine, image, OWNERS)).toBe(`. 1234:1235
own 1234:1235
sub/it's $x 1234:1235
link 1234:1235
roots 0:0
groups 0:1235
strangers 3000:3000
/work/out 2000:2000
/etc/passwd 0:0
1234
1235
`);
      });
    }
  },
  ["BuildKit", "podman"],
);
