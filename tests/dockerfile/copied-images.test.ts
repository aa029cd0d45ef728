import { expect, test } from "bun:test";
import { copiedImages } from "../../src/dockerfile/copied-images.ts";
import { parseDockerfile } from "../../src/dockerfile/parse.ts";

test("images that files are copied or mounted from are found, stages are not", () => {
  const text = `FROM debian AS Base
copy --chown=1:1 --from=one /a \\
  # comment
  /b
COPY --from=base /a /b
COPY --from=0 /a /b
COPY --from=$VARIABLE /a /b
COPY /--from=trap /b
RUN --network=none --mount=type=bind,from=ghcr.io/acme/two:1@sha256:aa,target=/x \\
    --mount=from=three,target=/y true
RUN --mount=type=cache,target=/from=trap echo --mount=from=trap
RUN <<EOF
COPY --from=trap /a /b
EOF
FROM Base
COPY --from=one /c /d
`;
  expect(copiedImages(parseDockerfile(text, "Dockerfile"))).toEqual(["one", "ghcr.io/acme/two:1@sha256:aa", "three"]);
});
