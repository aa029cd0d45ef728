/** What sorts of faults an image can have; the names are part of the JSON output. */
export type FaultKind =
  /** A file, blob or manifest that something names is not there. */
  | "missing"
  /** Something is there and cannot be read. */
  | "unreadable"
  /** The layout's version is none that is known. */
  | "layout-version"
  /** A document is no JSON. */
  | "json"
  /** A field is missing or is not what its specification says. */
  | "field"
  /** A document is index and image at once. */
  | "ambiguous"
  /** A document is larger than registries take. */
  | "too-large"
  | "digest"
  | "size"
  /** A media type is unknown, or is not what the content is. */
  | "media-type"
  | "diff-id"
  | "diff-id-count"
  | "history-count"
  /** The index says another platform than the image. */
  | "platform"
  /** A tar or compressed stream is damaged, cut off or goes on after its end. */
  | "archive"
  /** An entry of a layer would land outside, or cannot be what it says. */
  | "entry";

/** One thing that is wrong with an image: where, and what was found and wanted. */
export type Fault = { readonly kind: FaultKind; readonly place: string; readonly problem: string };
