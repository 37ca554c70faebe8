/**
 * The virtual clock of the local environment: a Date that runs at normal speed, some offset ahead of the
 * machine's. Every local process preloads it (preload.ts), so that the product, the stand-ins and Azurite agree on
 * the time without having a switch for it. Timers (setTimeout) stay real: only the calendar moves.
 */
const RealDate = globalThis.Date;

/** What is to be done about a move. A promise is waited for by whoever tells that the move was made. */
type Listener = (offsetMs: number) => void | Promise<void>;

let offset = 0;
let followed: Promise<unknown> = Promise.resolve();
const listeners = new Set<Listener>();

/** How far virtual time is ahead of the machine's, in milliseconds; 0 or more, never falling. */
export function offsetMs(): number {
  return offset;
}

/**
 * Moves virtual time. Does nothing when the offset is the one in force.
 * @throws RangeError when the clock would go back: nothing in the environment is made for that.
 */
export function setOffset(ms: number): void {
  if (!Number.isSafeInteger(ms) || ms < offset) {
    throw new RangeError(`The virtual clock cannot move from offset ${offset} ms to ${ms} ms.`);
  }
  if (ms === offset) return;
  offset = ms;
  followed = Promise.all([...listeners].map((listener) => listener(ms)));
}

/** Resolves when everything that was to be done about the last move is done; rejects when it could not be. */
export async function moveFollowed(): Promise<void> {
  await followed;
}

/** Calls `listener` after each move; returns how to stop that. */
export function onClockChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Puts the shifted Date in the place of the global one. Safe to call twice. */
export function installShiftedDate(): void {
  if (globalThis.Date !== RealDate) return;
  const now = () => RealDate.now() + offset;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new RealDate(now()).toString(),
    get: (target, property, receiver) => (property === 'now' ? now : Reflect.get(target, property, receiver)),
  });
  // `new Date().constructor === Date` holds in programs, so it must hold here.
  Object.defineProperty(RealDate.prototype, 'constructor', {
    value: globalThis.Date,
    configurable: true,
    writable: true,
  });
}
