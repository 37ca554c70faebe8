import type { IncomingMessage } from 'node:http';
import type { HttpData } from '../core/core-types.ts';

/**
 * A request as the real host sends it to a worker of these capabilities: the body as bytes, repeated headers and
 * query members joined by a comma, header names in lower case (ToRpcHttp of
 * src/WebJobs.Script.Grpc/MessageExtensions/GrpcMessageConversionExtensions.cs in azure-functions-host).
 * @throws TypeError when Host and path do not make a URL
 */
export function toHttpData(request: IncomingMessage, params: Record<string, string>, body: Buffer): HttpData {
  const url = new URL(`http://${request.headers.host ?? 'localhost'}${request.url}`);
  const headers = Object.entries(request.headersDistinct)
    .map(([name, values]) => [name, values?.join(',') ?? ''] as const)
    .filter(([name]) => name !== 'x-forwarded-for');
  const query = [...new Set(url.searchParams.keys())].map(
    (name) => [name, url.searchParams.getAll(name).join(',')] as const,
  );
  return {
    method: request.method ?? 'GET',
    url: url.href,
    nullableHeaders: toNullable([...headers, ['x-forwarded-for', forwardedFor(request)]]),
    nullableQuery: toNullable(query),
    nullableParams: toNullable(Object.entries(params)),
    ...(body.length > 0 ? { body: { bytes: body } } : {}),
  };
}

/**
 * In Azure the front end appends the address it saw, with the port, as the last hop; what stands before it came from
 * the caller and proves nothing. Here the socket is what the front end would have seen.
 */
function forwardedFor(request: IncomingMessage): string {
  const { remoteAddress = '127.0.0.1', remotePort = 0 } = request.socket;
  const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
  return [...(request.headersDistinct['x-forwarded-for'] ?? []), `${host}:${remotePort}`].join(', ');
}

function toNullable(values: (readonly [string, string])[]): Record<string, { value: string }> {
  return Object.fromEntries(values.map(([name, value]) => [name, { value }]));
}
