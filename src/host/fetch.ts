import { UserError } from "../errors.ts";
import { isLoopbackHost } from "../oci/registry-origin.ts";
import { explainNetworkFailure, NetworkError } from "./network-error.ts";

/** One HTTP request; redirects are the caller's to follow. */
export type HttpRequest = {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute, `http:` or `https:`. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | StreamedBody;
  /** True when it may be sent twice though it is neither GET nor HEAD. */
  readonly isRepeatable?: boolean;
};

/** A body too large for memory: opened when the request is sent, which tells its size in bytes first. */
export type StreamedBody = { readonly size: number; readonly open: () => AsyncIterable<Uint8Array> };

/**
 * Sends a request and gives back whatever the server answers, undecoded, redirects included; throws NetworkError when
 * there is no answer or, while its body is read, no complete one.
 */
export type Fetch = (request: HttpRequest) => Promise<Response>;

/** What requests need from the machine; times are milliseconds. */
export type FetchOptions = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userAgent: string;
  /** Ends everything under way when it fires. */
  readonly signal?: AbortSignal;
  /** How long a server may take to connect and send its first header; for requests without a body. */
  readonly answerTimeout?: number;
  /** How long a connection may be silent. */
  readonly idleTimeout?: number;
};

const bodilessStatuses: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/**
 * The one place that talks HTTP. The runtime honours HTTP(S)_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS and SSL_CERT_FILE by
 * itself; this machine's loopback is never reached through a proxy.
 */
export function createFetch(options: FetchOptions): Fetch {
  return async (request) => {
    const url = parseHttpUrl(request.url);
    const explain = (thrown: unknown) => explainFailure(thrown, { url, options });
    const content = contentOf(request.body);
    try {
      const response = await send(url, { request, content, options });
      return passOn(response, explain);
    } catch (thrown) {
      // What could not be read here is not the server's fault.
      throw content?.failure() ?? explain(thrown);
    }
  };
}

async function send(
  url: URL,
  { request, content, options }: { request: HttpRequest; content: Content | undefined; options: FetchOptions },
): Promise<Response> {
  const { answerTimeout = 60_000, idleTimeout = 60_000, signal } = options;
  const controller = new AbortController();
  const timer =
    content === undefined
      ? setTimeout(() => controller.abort(new DOMException("no answer", "TimeoutError")), answerTimeout)
      : undefined;
  try {
    return await fetch(url, {
      method: request.method ?? "GET",
      headers: {
        "user-agent": options.userAgent,
        "accept-encoding": "identity",
        ...content?.headers,
        ...request.headers,
      },
      ...(content === undefined ? {} : { body: content.body }),
      ...(isLoopbackHost(url.hostname) ? { proxy: false } : {}),
      redirect: "manual",
      // Digests are over the bytes sent.
      decompress: false,
      timeout: idleTimeout,
      signal: signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}

type Content = {
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly headers: Readonly<Record<string, string>>;
  /** What was thrown while the body was read from its source. */
  readonly failure: () => unknown;
};

function contentOf(body: HttpRequest["body"]): Content | undefined {
  if (body === undefined) return undefined;
  if (typeof body === "string" || body instanceof Uint8Array) return { body, headers: {}, failure: () => undefined };
  let failure: unknown;
  const chunks = body.open()[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      } catch (thrown) {
        failure = thrown;
        controller.error(thrown);
      }
    },
    async cancel() {
      await chunks.return?.();
    },
  });
  return { body: stream, headers: { "content-length": String(body.size) }, failure: () => failure };
}

// Bun's fetch would also read file:, data: and s3: addresses, which a redirect may name.
function parseHttpUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new UserError(
      `Refused to request an address that is not http or https: ${JSON.stringify(url?.protocol ?? "")}.`,
    );
  }
  return url;
}

function passOn(response: Response, explain: (thrown: unknown) => Error): Response {
  const { body, status, statusText, headers } = response;
  if (body === null || bodilessStatuses.has(status)) return new Response(null, { status, statusText, headers });
  const reader = body.getReader();
  const guarded = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (thrown) {
        controller.error(explain(thrown));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(guarded, { status, statusText, headers });
}

function explainFailure(thrown: unknown, { url, options }: { url: URL; options: FetchOptions }): Error {
  if (thrown instanceof NetworkError) return thrown;
  if (options.signal?.aborted === true && options.signal.reason instanceof Error) return options.signal.reason;
  return explainNetworkFailure(thrown, url, { proxyVariable: proxyVariableFor(url, options.environment) });
}

function proxyVariableFor(url: URL, environment: FetchOptions["environment"]): string | undefined {
  if (isLoopbackHost(url.hostname)) return undefined;
  const names = url.protocol === "https:" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"];
  return names.find((name) => (environment[name] ?? "") !== "");
}
