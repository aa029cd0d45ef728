/** What a member of a tar is. */
export type TarMemberKind =
  | "file"
  | "directory"
  | "symlink"
  | "hardlink"
  | "character-device"
  | "block-device"
  | "fifo";

/** What a header's type flag says that its member is; undefined for what is neither of POSIX's kinds nor a v7 file. */
export function tarMemberKind(typeFlag: string, path: string): TarMemberKind | undefined {
  switch (typeFlag) {
    case "0":
    case "7":
      // The v7 format knew no directories, only names that end in a slash.
      return path.endsWith("/") ? "directory" : "file";
    case "1":
      return "hardlink";
    case "2":
      return "symlink";
    case "3":
      return "character-device";
    case "4":
      return "block-device";
    case "5":
      return "directory";
    case "6":
      return "fifo";
    default:
      return undefined;
  }
}
