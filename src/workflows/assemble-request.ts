import type { ImageSettings } from "../assembly/image-settings.ts";
import type { Owner } from "../assembly/layer-member.ts";
import type { Compression } from "../host/compress.ts";
import type { Platform } from "../oci/platform.ts";
import type { ImageTransport } from "../oci/transport.ts";
import type { Delivery } from "./deliver-image.ts";

/** What `image assemble` and `image append` are asked for; paths as written. */
export type AssembleRequest = Delivery & {
  /** Folders, and tar archives, each of which becomes a layer; the first is the lowest. */
  readonly contents: readonly string[];
  readonly base: ImageTransport;
  /** One gives an image, several an index; undefined means those of the base. */
  readonly platforms: readonly Platform[] | undefined;
  readonly settings: ImageSettings;
  readonly annotations: Readonly<Record<string, string>>;
  readonly prefix: string;
  readonly owner: Owner | "keep";
  /** Patterns as in a .dockerignore, after those of the folder's own. */
  readonly exclude: readonly string[];
  readonly epoch: number;
  readonly clamp: boolean;
  readonly compression: Compression;
  readonly parallelism: number;
  /** What the history says. */
  readonly createdBy: string;
};

/** What was made. */
export type AssembledImage = {
  /** Of the manifest, or of the index when there are several platforms. */
  readonly digest: string;
  /** Bytes of all blobs and manifests that the image consists of. */
  readonly size: number;
  readonly platforms: readonly string[];
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[];
  readonly tags: readonly string[];
  readonly path: string | undefined;
};
