import type { Detection, RepositoryFacts } from "./detection.ts";
import { textIn, valueIn } from "./toml-value.ts";

/** What a Go module says; undefined for a repository that is none. */
export function detectGo(facts: RepositoryFacts): Detection | undefined {
  const text = facts.read("go.mod");
  if (text === undefined) return undefined;
  const version = /^\s*go\s+(\d+\.\d+)/m.exec(text)?.[1];
  const source = "go.mod";
  return {
    language: { value: "go", source },
    baseImage: goBase(version),
    install: { value: ["go mod download"], source },
    test: { value: "go test ./...", source },
    lint: { value: "go vet ./...", source },
    typecheck: { value: "go build ./...", source },
    env: {},
  };
}

/** Go has no slim image. One that is older than the distribution is not there: a newer one builds an older module as the module says. */
function goBase(version: string | undefined): { value: string; source: string } {
  const isThere = version !== undefined && Number(version.split(".")[1]) >= 19;
  const value = `golang:${isThere ? version : "1"}-bookworm`;
  return { value, source: version === undefined ? "default" : "go.mod go" };
}

/** What a Rust package or workspace says; undefined for a repository that is none. */
export function detectRust(facts: RepositoryFacts): Detection | undefined {
  const manifest = facts.readToml("Cargo.toml");
  if (manifest === undefined) return undefined;
  const locked = facts.names.includes("Cargo.lock") ? " --locked" : "";
  const source = locked === "" ? "Cargo.toml" : "Cargo.lock";
  const all = valueIn(manifest, "workspace") === undefined ? "" : " --workspace";
  return {
    language: { value: "rust", source: "Cargo.toml" },
    baseImage: rustBase(facts, manifest),
    install: { value: ["rustup component add clippy", `cargo fetch${locked}`], source },
    test: { value: `cargo test${locked}${all}`, source: "Cargo.toml" },
    lint: { value: `cargo clippy${locked}${all} -- -D warnings`, source: "Cargo.toml" },
    typecheck: { value: `cargo check${locked}${all} --all-targets`, source: "Cargo.toml" },
    env: {},
  };
}

function rustBase(facts: RepositoryFacts, manifest: unknown): { value: string; source: string } {
  const plain = facts.read("rust-toolchain");
  const candidates = [
    ["rust-toolchain.toml", textIn(facts.readToml("rust-toolchain.toml"), "toolchain", "channel")],
    ["rust-toolchain", plain],
    ["Cargo.toml package.rust-version", textIn(manifest, "package", "rust-version")],
  ] as const;
  for (const [source, text] of candidates) {
    const version = /\d+\.\d+(?:\.\d+)?/.exec(text ?? "")?.[0];
    if (version !== undefined) return { value: `rust:${version}-slim`, source };
  }
  return { value: "rust:1-slim", source: "default" };
}
