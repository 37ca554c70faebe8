import type { IncomingMessage, ServerResponse } from 'node:http';
import { Transform } from 'node:stream';

/** A body longer than the limit; the rest of it is thrown away unseen. */
export class BodyTooLargeError extends Error {}

/** The caller went away in the middle of its body. */
export class BodyAbortedError extends Error {}

// How long a refused caller may go on sending before the connection is cut. Cutting at once would lose the answer:
// a reset connection throws away what the caller has not read yet.
const DISCARD_MS = 1000;

/**
 * Reads a whole body into memory.
 * @param limit in bytes; Content-Length is believed first, then the bytes are counted
 * @throws BodyTooLargeError, BodyAbortedError
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw new BodyTooLargeError();
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw new BodyTooLargeError();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyTooLargeError) throw error;
    throw new BodyAbortedError('The connection ended in the middle of the body.', { cause: error });
  }
  return Buffer.concat(chunks, size);
}

/** Lets a body through up to the limit, in bytes; fails with BodyTooLargeError beyond. */
export function limitBody(limit: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > limit) done(new BodyTooLargeError('The body is longer than the limit.'));
      else done(null, chunk);
    },
  });
}

/** Ends the connection after the answer, whatever the caller is still sending. */
export function discardRest(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
  request.resume();
  const cut = setTimeout(() => request.destroy(), DISCARD_MS);
  request.once('close', () => clearTimeout(cut));
}
