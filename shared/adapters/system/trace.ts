import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from '../../ports/log.ts';

/** What ties together everything that one invocation does, down to the calls of its adapters. */
export interface Trace {
  readonly correlationId: string;
  /** A GUID, which is all that Key Vault takes: the correlation id where it is one, else the invocation's own. */
  readonly requestId: string;
  readonly log: Log;
}

const traces = new AsyncLocalStorage<Trace>();

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Does `work` as a part of the invocation: whatever it calls finds its trace. */
export function inTrace<T>(
  invocationId: string,
  { correlationId, log }: Pick<Trace, 'correlationId' | 'log'>,
  work: () => T,
): T {
  const requestId = GUID.test(correlationId) ? correlationId : invocationId;
  return traces.run({ correlationId, requestId, log }, work);
}

/** The invocation that this is a part of; none where a program runs without the host. */
export function currentTrace(): Trace | undefined {
  return traces.getStore();
}
