import type { Decision, Gate, WrittenProfile } from "./repo-profile.ts";

/** What detection may look at: the files at the top of a repository. */
export interface RepositoryFacts {
  /** Names of files and folders at the top, sorted. */
  readonly names: readonly string[];
  /** The text of a file; undefined when there is none. */
  readonly read: (name: string) => string | undefined;
  /** The value of a TOML file; undefined when there is none. Throws UserError when it is broken. */
  readonly readToml: (name: string) => unknown;
  /** Overrides every other source of Python's version. */
  readonly pythonVersion: string | undefined;
}

/** A found value, and where it was found. */
export interface Finding<Value> {
  readonly value: Value;
  readonly source: string;
}

/** What a language's rules find out. */
export interface Detection {
  readonly language: Finding<"python" | "node" | "go" | "rust">;
  readonly baseImage?: Finding<string>;
  readonly pythonVersion?: Finding<string>;
  readonly install: Finding<readonly string[]> | undefined;
  readonly test: Finding<string> | undefined;
  readonly lint: Finding<string> | undefined;
  readonly typecheck: Finding<string> | undefined;
  readonly env: Readonly<Record<string, string>>;
}

const TIMEOUTS = { test: 1200, lint: 600, typecheck: 600 } as const;

/** The profile that findings make; without any, one that says that the repository is not supported. */
export function profileOfDetection(detection: Detection | undefined, facts: RepositoryFacts): WrittenProfile {
  const testsRoot = ["tests", "test"].find((name) => facts.names.includes(name)) ?? null;
  const common = {
    project_root: "." as const,
    tests_root: testsRoot,
    working_dir: ".",
    detected_tools: toolsOf(facts),
  };
  if (detection === undefined) {
    return {
      status: "unsupported",
      reason:
        "None of pyproject.toml, setup.py, setup.cfg, requirements*.txt, tox.ini, a lockfile of Python's, package.json, go.mod and Cargo.toml is at the top of it.",
      missing: ["install", "tests", "lint", "typecheck"],
      ...common,
      install_cmds: [],
    };
  }
  const { install, test, lint, typecheck } = detection;
  const missing = Object.entries({ install, tests: test, lint, typecheck }).flatMap(([name, found]) =>
    found === undefined ? [name] : [],
  );
  const isWhole = install !== undefined && test !== undefined;
  return {
    status: isWhole ? "supported" : "partial",
    reason: isWhole ? null : `No rule for ${missing.join(", ")} was found.`,
    missing,
    ...common,
    language: detection.language.value,
    ...(detection.baseImage === undefined ? {} : { base_image: detection.baseImage.value }),
    python_version_target: detection.pythonVersion?.value ?? null,
    install_cmds: [...(install?.value ?? [])],
    allow_editable_install: (install?.value ?? []).some((command) => / -e /.test(command)),
    gates: {
      test: gateOf(test, TIMEOUTS.test),
      lint: gateOf(lint, TIMEOUTS.lint),
      typecheck: gateOf(typecheck, TIMEOUTS.typecheck),
    },
    decisions: decisionsOf(detection),
    suggested_profiles: [],
    env: { ...detection.env },
  };
}

function decisionsOf(detection: Detection): NonNullable<WrittenProfile["decisions"]> {
  const { language, baseImage, pythonVersion, install, test, lint, typecheck } = detection;
  return {
    language: decisionOf(language),
    ...(language.value === "python" ? { python_version: decisionOf(pythonVersion) } : {}),
    ...(baseImage === undefined ? {} : { base_image: decisionOf(baseImage) }),
    install: decisionOf(install === undefined ? undefined : { ...install, value: [...install.value] }),
    tests: decisionOf(test),
    lint: decisionOf(lint),
    typecheck: decisionOf(typecheck),
  };
}

function decisionOf(found: Finding<string | string[]> | undefined): Decision {
  if (found === undefined) return { value: null, reason: "nothing says so", source: "default" };
  return { value: found.value, source: found.source };
}

function gateOf(found: Finding<string> | undefined, timeout: number): Gate | null {
  return found === undefined ? null : { cmd: found.value, timeout_sec: timeout };
}

function toolsOf({ names }: RepositoryFacts): string[] {
  const makefiles = ["Makefile", "makefile", "GNUmakefile"];
  return [
    ...(names.some((name) => makefiles.includes(name)) ? ["make"] : []),
    ...(names.includes("tox.ini") ? ["tox"] : []),
  ];
}
