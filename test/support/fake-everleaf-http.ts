import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeEverleaf } from './fake-everleaf.ts';

/** A fake Everleaf behind real HTTP, on 127.0.0.1. */
export async function listenAsEverleaf(now: () => Date): Promise<{ fake: FakeEverleaf; server: Server }> {
  let fake: FakeEverleaf | null = null;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? null : Buffer.concat(chunks).toString();
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const method = request.method === 'POST' ? 'POST' : 'GET';
    const answer = await fake?.send({ method, url: `${fake.baseUrl}${request.url}`, headers, body });
    response.writeHead(answer?.status ?? 500, answer?.headers).end(answer?.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  fake = await FakeEverleaf.make(now, `http://127.0.0.1:${port}`);
  return { fake, server };
}
