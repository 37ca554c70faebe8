/** Every HTTP function of the product in this process: the official library, the local host's routing, no socket. */
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { loadApp } from '../../../infra/local/host/core/app-loader.ts';
import { enterApp } from '../../../infra/local/host/core/core-module.ts';
import type { HttpData } from '../../../infra/local/host/core/core-types.ts';
import { FunctionApp } from '../../../infra/local/host/core/function-app.ts';
import { invoke, newInvocationId } from '../../../infra/local/host/core/invocation.ts';
import { toHttpData } from '../../../infra/local/host/http/http-request-data.ts';
import { createRouter, type Router } from '../../../infra/local/host/http/routing/router.ts';
import { type HttpFunction, toTriggeredFunction } from '../../../infra/local/host/triggers.ts';
import { writeFunctionApp } from '../function-app.ts';

const FUNCTIONS = new URL('../../../functions/', import.meta.url);

/** A request as it comes off the wire. */
export interface RawRequest {
  readonly method: string;
  /** From the first slash on, with the query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Where the caller stands. */
  readonly address: string;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** What was logged meanwhile. */
  readonly lines: readonly string[];
  /** The function that answered; null when no route took the request. */
  readonly function: string | null;
}

export interface FunctionsInProcess {
  /** Whatever a function throws past its own handler is thrown. */
  call(request: RawRequest): Promise<RawAnswer>;
  leave(): Promise<void>;
}

/** Loads them all. A process holds one function app at a time. */
export async function loadFunctions(): Promise<FunctionsInProcess> {
  const lines: string[] = [];
  const app = new FunctionApp(({ level, message }) => lines.push(`${level}: ${message}`));
  const leave = enterApp(app);
  const files = readdirSync(FUNCTIONS).filter((file) => file.endsWith('.ts'));
  const sources = files.map((file) => `import ${JSON.stringify(fileURLToPath(new URL(file, FUNCTIONS)))};`);
  const folder = await writeFunctionApp({ functions: { 'everything.js': sources.join('\n') } });
  await loadApp(app, folder.appDir);
  const http = [...app.functions.values()]
    .map(toTriggeredFunction)
    .filter((found): found is HttpFunction => found.type === 'http');
  const router = createRouter(http, 'api');
  return {
    call: (request) => answer(app, router, lines, request),
    leave: async () => {
      leave();
      await folder.remove();
    },
  };
}

async function answer(
  app: FunctionApp,
  router: Router,
  lines: string[],
  request: RawRequest,
): Promise<RawAnswer> {
  const before = lines.length;
  const match = router(request.method, new URL(`http://localhost${request.target}`).pathname);
  if (match === undefined) return { status: 404, headers: {}, text: '', lines: [], function: null };
  const { target, params } = match;
  const data = toHttpData(asIncoming(request), params, Buffer.from(request.body));
  const input = { binding: target.binding, data: { http: data } };
  const { returnValue } = await invoke(app, target.registered, newInvocationId(), input);
  const http: HttpData = returnValue?.http ?? { statusCode: '204' };
  const { bytes, string } = http.body ?? {};
  return {
    status: Number(http.statusCode ?? 200),
    headers: http.headers ?? {},
    text: bytes == null ? (string ?? '') : Buffer.from(bytes).toString(),
    lines: lines.slice(before),
    function: target.name,
  };
}

/** What the local host's translation of requests reads of one. */
function asIncoming({ method, target, headers, address }: RawRequest): IncomingMessage {
  return {
    method,
    url: target,
    headers: { host: 'everleaf.test', ...headers },
    headersDistinct: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    socket: { remoteAddress: address, remotePort: 40_000 },
  } as unknown as IncomingMessage;
}
