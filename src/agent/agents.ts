/** A coding agent as data: what it is called, where its program comes from, what of the host it may have. */
export interface Agent {
  /** Its command, and the name of its program in the image. */
  readonly name: string;
  readonly title: string;
  readonly variants: readonly AgentVariant[];
  /** The host's own folder of its configuration and where it goes, below the home directories. */
  readonly configFolder: string;
  /** Environment variables that are handed in by name where the host has them. */
  readonly providerKeys: readonly string[];
}

/** One build of an agent's program, as a package of the npm registry. */
export interface AgentVariant {
  /** Unique for the agent, a plain name. */
  readonly id: string;
  readonly arch: "x64" | "arm64";
  /** The C library that it needs; `any` for a static program. */
  readonly libc: "glibc" | "musl" | "any";
  /** Whether it runs on processors without AVX2. */
  readonly baseline: boolean;
  /** Whether it needs libstdc++ and libgcc_s beside the C library. */
  readonly needsCxx: boolean;
  readonly package: string;
  /** What the package's versions of this variant end with. */
  readonly versionSuffix: string;
  /** The program first, then what it needs beside it. */
  readonly files: readonly AgentPackageFile[];
}

/** A file that is wanted of a package. */
export interface AgentPackageFile {
  /** How it is called on this machine: plain, and no two of a variant the same. */
  readonly name: string;
  /** Where it is in the package, the first of these that is there. */
  readonly from: readonly string[];
  /** Where it goes in the image. */
  readonly to: string;
  readonly mode: number;
  /** Whether the package is of no use without. */
  readonly required: boolean;
}

/** A folder that is on PATH for every shell. */
const PROGRAMS = "/usr/local/bin";

function program(name: string, from: readonly string[]): AgentPackageFile {
  return { name, from, to: `${PROGRAMS}/${name}`, mode: 0o755, required: true };
}

type Places = Pick<AgentVariant, "package" | "versionSuffix" | "files">;

function variant(
  arch: AgentVariant["arch"],
  libc: AgentVariant["libc"],
  more: Places & Partial<Pick<AgentVariant, "baseline" | "needsCxx">>,
): AgentVariant {
  const { baseline = arch === "arm64", needsCxx = false } = more;
  const id = [arch, ...(arch === "x64" && baseline ? ["baseline"] : []), ...(libc === "musl" ? ["musl"] : [])].join(
    "-",
  );
  return { ...more, id, arch, libc, baseline, needsCxx };
}

function opencodeVariant(
  arch: AgentVariant["arch"],
  libc: "glibc" | "musl",
  baseline = arch === "arm64",
): AgentVariant {
  const suffix = `${arch === "x64" && baseline ? "-baseline" : ""}${libc === "musl" ? "-musl" : ""}`;
  const files = [program("opencode", ["package/bin/opencode"])];
  const places = { package: `opencode-linux-${arch}${suffix}`, versionSuffix: "", files };
  return variant(arch, libc, { ...places, baseline, needsCxx: libc === "musl" });
}

/**
 * Codex finds what it brings from where its program is: in the folder above, if that has a codex-package.json. /usr/local becomes that
 * folder. Versions differ in what they have; the voice of newer ones (50 MB) has no microphone in a container.
 */
function codexVariant(arch: AgentVariant["arch"], triple: string): AgentVariant {
  const vendor = `package/vendor/${triple}-unknown-linux-musl`;
  const beside = (path: string, mode = 0o755): AgentPackageFile => ({
    name: path.slice(path.lastIndexOf("/") + 1),
    from: [`${vendor}/${path}`],
    to: `/usr/local/${path}`,
    mode,
    required: false,
  });
  const files = [
    program("codex", [`${vendor}/bin/codex`, `${vendor}/codex/codex`]),
    beside("bin/codex-code-mode-host"),
    beside("codex-path/rg"),
    beside("codex-resources/bwrap"),
    beside("codex-resources/zsh/bin/zsh"),
    beside("codex-package.json", 0o644),
  ];
  return variant(arch, "any", { package: "@openai/codex", versionSuffix: `-linux-${arch}`, files, baseline: true });
}

function claudeVariant(arch: AgentVariant["arch"], libc: "glibc" | "musl"): AgentVariant {
  const name = `@anthropic-ai/claude-code-linux-${arch}${libc === "musl" ? "-musl" : ""}`;
  return variant(arch, libc, {
    package: name,
    versionSuffix: "",
    files: [program("claude", ["package/claude"])],
    needsCxx: libc === "musl",
  });
}

const COMMON_KEYS = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"];

/** The agents that cooper knows, the first for whoever names none. */
export const AGENTS: readonly Agent[] = [
  {
    name: "opencode",
    title: "opencode",
    variants: [
      opencodeVariant("x64", "glibc"),
      opencodeVariant("x64", "glibc", true),
      opencodeVariant("x64", "musl"),
      opencodeVariant("x64", "musl", true),
      opencodeVariant("arm64", "glibc"),
      opencodeVariant("arm64", "musl"),
    ],
    configFolder: ".config/opencode",
    providerKeys: [
      ...COMMON_KEYS,
      "AZURE_OPENAI_API_KEY",
      "DEEPSEEK_API_KEY",
      "FIREWORKS_API_KEY",
      "GEMINI_API_KEY",
      "GOOGLE_GENERATIVE_AI_API_KEY",
      "GROQ_API_KEY",
      "MISTRAL_API_KEY",
      "OPENCODE_API_KEY",
      "OPENROUTER_API_KEY",
      "PERPLEXITY_API_KEY",
      "TOGETHER_API_KEY",
      "XAI_API_KEY",
    ],
  },
  {
    name: "codex",
    title: "Codex",
    variants: [codexVariant("x64", "x86_64"), codexVariant("arm64", "aarch64")],
    configFolder: ".codex",
    providerKeys: ["CODEX_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"],
  },
  {
    name: "claude",
    title: "Claude Code",
    variants: [
      claudeVariant("x64", "glibc"),
      claudeVariant("x64", "musl"),
      claudeVariant("arm64", "glibc"),
      claudeVariant("arm64", "musl"),
    ],
    configFolder: ".claude",
    providerKeys: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"],
  },
];
