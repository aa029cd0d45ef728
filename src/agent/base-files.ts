import { UserError } from "../errors.ts";

/** What of a base image's files decides how an agent gets onto it. */
export interface BaseFiles {
  readonly libc: "glibc" | "musl";
  /** Text of /etc/passwd and /etc/group; empty where there is none. */
  readonly passwd: string;
  readonly group: string;
  /** Whether these may be written anew with a line more, and are else as they were. */
  readonly canAddUsers: boolean;
  readonly canAddGroups: boolean;
  /** Whether libstdc++ and libgcc_s are there, which programs for musl need beside it. */
  readonly hasCxxLibraries: boolean;
  readonly hasApk: boolean;
}

/** The loaders that programs of this architecture ask for, by libc. */
const LOADERS = {
  x64: { glibc: ["/lib64/ld-linux-x86-64.so.2"], musl: ["/lib/ld-musl-x86_64.so.1"] },
  arm64: { glibc: ["/lib/ld-linux-aarch64.so.1", "/lib64/ld-linux-aarch64.so.1"], musl: ["/lib/ld-musl-aarch64.so.1"] },
} as const;

const CXX_LIBRARIES = ["/usr/lib/libstdc++.so.6", "/usr/lib/libgcc_s.so.1"];
const APK = "/sbin/apk";
const PASSWD = "/etc/passwd";
const GROUP = "/etc/group";

/** The paths of a base image to look at, for programs of this architecture. */
export function probedPaths(arch: "x64" | "arm64"): readonly string[] {
  return [PASSWD, GROUP, ...LOADERS[arch].glibc, ...LOADERS[arch].musl, ...CXX_LIBRARIES, APK];
}

/** Whether a probed path is asked for its text, and not only for being there. */
export function isProbedText(path: string): boolean {
  return path === PASSWD || path === GROUP;
}

/** Nothing that is text begins with it. */
const FIXED = "\0";

/**
 * The text of a probed file; marked where it would not be the same when it is written again, as it is no UTF-8, or no file of a
 * reasonable size, for which the content is undefined.
 */
export function readProbedText(content: Uint8Array | undefined): string {
  if (content === undefined) return FIXED;
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);
  return content.includes(0) || text.includes("\ufffd") ? `${FIXED}${text}` : text;
}

/**
 * The facts that the probed paths tell: `found` has the text of those that are there as `readProbedText` gives it, empty for what is not asked for its text. Throws UserError for
 * an image with neither libc's loader.
 */
export function readBaseFiles(
  found: ReadonlyMap<string, string>,
  { arch, image }: { readonly arch: "x64" | "arm64"; readonly image: string },
): BaseFiles {
  const has = (path: string) => found.has(path);
  const libc = LOADERS[arch].glibc.some(has) ? "glibc" : LOADERS[arch].musl.some(has) ? "musl" : undefined;
  if (libc === undefined) {
    const wanted = [...LOADERS[arch].glibc, ...LOADERS[arch].musl].join(", ");
    throw new UserError(
      `The base image ${image} has no C library that an agent's program could use: none of ${wanted}.`,
      {
        hint: "Take a base image with glibc or musl: Debian, Ubuntu, Fedora, Alpine, or a distroless image with a libc.",
      },
    );
  }
  const [passwd, group] = [found.get(PASSWD) ?? "", found.get(GROUP) ?? ""];
  return {
    libc,
    passwd: plain(passwd),
    group: plain(group),
    canAddUsers: !passwd.startsWith(FIXED),
    canAddGroups: !group.startsWith(FIXED),
    hasCxxLibraries: CXX_LIBRARIES.every(has),
    hasApk: has(APK),
  };
}

function plain(text: string): string {
  return text.startsWith(FIXED) ? text.slice(FIXED.length) : text;
}
