import {
  installShiftedDate,
  offsetMs,
  onClockChange,
  setOffset,
} from '../../infra/local/clock/shifted-date.ts';
import type { HostOptions } from '../../infra/local/host/start-host.ts';
import { type Azurite, startAzurite } from './azurite.ts';

export interface VirtualStorage {
  readonly azurite: Azurite;
  /** What a functions host needs to live in this time and on this storage. */
  readonly hostOptions: Pick<HostOptions, 'storageConnectionString' | 'advance' | 'onClockChange'>;
  /** Moves the time of the storage and of this process on, in the supervisor's order: the storage first. */
  advance(ms: number): Promise<void>;
}

/** Azurite and this process on one virtual clock, which begins at the machine's time. */
export async function startVirtualStorage(): Promise<VirtualStorage> {
  installShiftedDate();
  const azurite = await startAzurite({ clock: true, offsetMs: offsetMs() });
  const advance = async (ms: number) => {
    const target = offsetMs() + ms;
    await azurite.setClock(target);
    setOffset(target);
  };
  return {
    azurite,
    advance,
    hostOptions: { storageConnectionString: azurite.connectionString, advance, onClockChange },
  };
}
