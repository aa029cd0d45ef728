/** The named build context, or stage, that holds one folder per Feature and per copy step. */
export const CONTENT_SOURCE = "dev_containers_feature_content_source";

/**
 * How Feature folders and copied files reach the build: named build contexts, the main build context (the source is an image and needs
 * none of its own), or an image made for this build. `mount` binds Features during RUN and leaves nothing in a layer; without it they
 * are copied.
 */
export type ContentDelivery =
  | { readonly kind: "named-context"; readonly mount: true }
  | { readonly kind: "main-context"; readonly mount: boolean }
  | { readonly kind: "content-image"; readonly mount: boolean; readonly image: string };

/** The named build context that is the host's own folder of a copy step's files: nothing is copied to make it. */
export function filesSource(folder: string): string {
  return `cooper_files_${folder}`;
}
