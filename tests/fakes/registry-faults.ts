/** One way to misbehave. */
export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The honest answer's first bytes, as if that were all. */
  | { readonly kind: "truncate"; readonly bytes: number }
  /** The honest answer with its first byte changed. */
  | { readonly kind: "alter" }
  /** The honest answer with more bytes after it. */
  | { readonly kind: "lengthen"; readonly bytes: number }
  /** The connection breaks after the first byte. */
  | { readonly kind: "hang-up" };

/** Faults to come; each applies to requests whose `METHOD /path` or path matches, so many times (once unless told). */
export type FakeFaults = {
  add(request: RegExp, fault: Fault, options?: { times?: number; skip?: number }): void;
  /** The next fault for a request, used up by asking. */
  take(method: string, path: string): Fault | undefined;
};

/** No faults yet. */
export function createFaults(): FakeFaults {
  const planned: { request: RegExp; fault: Fault; left: number; skip: number }[] = [];
  return {
    add(request, fault, { times = 1, skip = 0 } = {}) {
      planned.push({ request, fault, left: times, skip });
    },
    take(method, path) {
      const found = planned.find(
        ({ request, left }) => left > 0 && (request.test(path) || request.test(`${method} ${path}`)),
      );
      if (found === undefined) return undefined;
      if (found.skip > 0) {
        found.skip -= 1;
        return undefined;
      }
      found.left -= 1;
      return found.fault;
    },
  };
}

/** The answer that a fault makes of the honest one. */
export async function answerWith(fault: Fault, honest: () => Promise<Response>): Promise<Response> {
  if (fault.kind === "status") {
    return new Response(fault.body ?? null, { status: fault.status, headers: { ...fault.headers } });
  }
  const response = await honest();
  const bytes = await response.bytes();
  const { status } = response;
  const range = response.headers.get("content-range");
  const headers = {
    "content-type": response.headers.get("content-type") ?? "",
    ...(range === null ? {} : { "content-range": range }),
  };
  switch (fault.kind) {
    case "truncate":
      return new Response(bytes.slice(0, fault.bytes), { status, headers });
    case "lengthen":
      return new Response(new Blob([bytes.slice(), new Uint8Array(fault.bytes)]), { status, headers });
    case "alter":
      return new Response(
        bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
        { status, headers },
      );
    case "hang-up":
      return new Response(brokenStream(bytes.slice(0, 1)), { status, headers });
  }
}

function brokenStream(first: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(first);
      await Bun.sleep(1);
      // An Error would be printed by the server.
      controller.error(undefined);
    },
  });
}
