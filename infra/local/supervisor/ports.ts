/** Finding and holding ports on 127.0.0.1. */
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Below the range from which Linux, macOS and Windows take the ports of outgoing connections (32768 and up), so that a
 * port chosen today is not by accident some client's end tomorrow.
 */
const FIRST = 20_000;
const LAST = 29_999;

export class PortTakenError extends Error {
  readonly port: number;
  constructor(port: number, cause: unknown) {
    super(`Port ${port} on 127.0.0.1 is taken by another program.`, { cause });
    this.port = port;
  }
}

/** A port kept from others, by listening on it, until the process that is to have it starts. */
export class HeldPort {
  readonly port: number;
  readonly #server: Server;

  private constructor(port: number, server: Server) {
    this.port = port;
    this.#server = server;
  }

  /** @throws PortTakenError when somebody listens there already */
  static async hold(port: number): Promise<HeldPort> {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'EADDRINUSE' ? new PortTakenError(port, error) : error),
      );
      server.listen({ port, host: '127.0.0.1', exclusive: true }, resolve);
    });
    return new HeldPort(port, server);
  }

  /** Holds some free port. */
  static async holdAny(): Promise<HeldPort> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await HeldPort.hold(randomInt(FIRST, LAST + 1));
      } catch (error) {
        if (!(error instanceof PortTakenError) || attempt === 100) throw error;
      }
    }
  }

  /** Lets the port go; safe to call twice. */
  async release(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
