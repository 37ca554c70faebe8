import type { IncomingMessage } from 'node:http';
import type { HttpData, TypedData } from '../core/core-types.ts';

/**
 * A request as the real host sends it to a worker of these capabilities: the body as bytes, repeated headers and
 * query members joined by a comma, header names in lower case (ToRpcHttp of
 * src/WebJobs.Script.Grpc/MessageExtensions/GrpcMessageConversionExtensions.cs in azure-functions-host).
 * @throws TypeError when Host and path do not make a URL
 */
export function toHttpData(request: IncomingMessage, params: Record<string, string>, body: Buffer): HttpData {
  return {
    method: request.method ?? 'GET',
    url: urlOf(request).href,
    nullableHeaders: toNullable(headersOf(request)),
    nullableQuery: toNullable(queryOf(request)),
    nullableParams: toNullable(params),
    ...(body.length > 0 ? { body: { bytes: body } } : {}),
  };
}

/**
 * What a worker with HTTP streams is told of a request whose body it gets by HTTP: the binding data, in which route
 * parameters and query members stand side by side; of one name the route's wins.
 */
export function toHttpMetadata(
  request: IncomingMessage,
  params: Record<string, string>,
): Record<string, TypedData> {
  const query = queryOf(request);
  const texts = Object.entries({ ...query, ...params }).map(([name, text]) => [name, { string: text }]);
  return {
    ...(Object.fromEntries(texts) as Record<string, TypedData>),
    Query: { json: JSON.stringify(query) },
    Headers: { json: JSON.stringify(headersOf(request)) },
  };
}

function urlOf(request: IncomingMessage): URL {
  return new URL(`http://${request.headers.host ?? 'localhost'}${request.url}`);
}

/** Names in lower case, each once. */
export function headersOf(request: IncomingMessage): Record<string, string> {
  const headers = Object.entries(request.headersDistinct).map(([name, values]) => [name, values?.join(',')]);
  return { ...Object.fromEntries(headers), 'x-forwarded-for': forwardedFor(request) };
}

/** Members whose names differ in case only are one, under the name that comes first, as in ASP.NET Core. */
function queryOf(request: IncomingMessage): Record<string, string> {
  const members = new Map<string, [name: string, values: string[]]>();
  for (const [name, value] of urlOf(request).searchParams) {
    const known = members.get(name.toLowerCase());
    if (known === undefined) members.set(name.toLowerCase(), [name, [value]]);
    else known[1].push(value);
  }
  return Object.fromEntries([...members.values()].map(([name, values]) => [name, values.join(',')]));
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

function toNullable(values: Record<string, string>): Record<string, { value: string }> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}
