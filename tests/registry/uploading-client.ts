import { createFetch } from "../../src/host/fetch.ts";
import { sha256Of } from "../../src/oci/digest.ts";
import type { Credential } from "../../src/registry/credential.ts";
import { createRegistryClient } from "../../src/registry/registry-client.ts";
import type { BlobUpload } from "../../src/registry/upload-blob.ts";

/** A client that cuts uploads into pieces of 1000 bytes where it must, and the pauses that it made without waiting. */
export function uploadingClient(credential?: Credential, { pieceSize = 1000 }: { pieceSize?: number } = {}) {
  const pauses: number[] = [];
  const client = createRegistryClient({
    fetch: createFetch({ environment: {}, userAgent: "cooper/test" }),
    findCredential: async () => ({ credential, source: credential && "login.json", places: ["login.json"] }),
    retry: { sleep: async (milliseconds) => void pauses.push(milliseconds), now: () => 0 },
    pieceSize,
  });
  return { client, pauses };
}

/** Bytes as a blob to be uploaded, in chunks of 700. */
export function blobOf(bytes: Uint8Array, more: Partial<BlobUpload> = {}): BlobUpload {
  return {
    digest: sha256Of(bytes),
    size: bytes.length,
    async *open() {
      for (let offset = 0; offset < bytes.length; offset += 700) yield bytes.subarray(offset, offset + 700);
    },
    ...more,
  };
}

/** Four pieces of content. */
export const content: Uint8Array = Uint8Array.from({ length: 3500 }, (_, index) => (index * 7) % 251);

/** The repository that tests upload to. */
export const placeIn = (host: string) => ({ domain: host, repository: "acme/app" });
