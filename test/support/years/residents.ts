import { addMs, DAY_MS, HOUR_MS } from '../../../shared/domain/instants.ts';
import { type IdentityId, identityText } from '../../../shared/domain/names.ts';
import { issueLoginFile } from '../../../shared/use-cases/manage-identity.ts';
import type { Habits } from '../honest-agent.ts';
import { HonestAgent } from '../honest-agent.ts';
import type { World } from '../memory-world.ts';
import type { Handshakes } from './handshakes.ts';

/** Something that acts at moments of its own. */
export interface Actor {
  readonly nextAt: Date;
  act(): Promise<void>;
}

/** What is common to all who live in one world. */
export interface Scene {
  readonly world: World;
  readonly handshakes: Handshakes;
  /** A fraction from 0 to 1, the next of the run's seed. */
  readonly random: () => number;
}

/** A stretch in which a machine is switched off. */
interface Off {
  readonly from: Date;
  readonly to: Date;
}

/** Longer than any story. */
const NEVER_DAYS = 100_000;

/** How agents live. `isOften off`: between two stretches of work it is off for a day to 44 days. */
const KINDS = {
  prompt: { checkInDays: 30 },
  'often off': { checkInDays: 15, isOftenOff: true },
  lazy: { checkInDays: NEVER_DAYS, renews: 'at-the-last-moment' },
  told: { checkInDays: NEVER_DAYS, installs: 'when-told' },
  'lazy and told': { checkInDays: NEVER_DAYS, renews: 'at-the-last-moment', installs: 'when-told' },
  'told and often off': { checkInDays: NEVER_DAYS, installs: 'when-told', isOftenOff: true },
} as const satisfies Readonly<Record<string, Partial<Habits> & { readonly isOftenOff?: boolean }>>;

export type Kind = keyof typeof KINDS;

export const KINDS_OF_AGENTS = Object.keys(KINDS) as readonly Kind[];

const ON_DAYS = [5, 60] as const;
const OFF_DAYS = [1, 44] as const;

/** An agent that keeps its own key, at home on a machine that may be off. */
export class Resident implements Actor {
  readonly kind: Kind;
  readonly #scene: Scene;
  readonly #agent: HonestAgent;
  readonly #isOftenOff: boolean;
  #off: Off | null = null;
  #certificate = '';
  #renewedAt = new Date(Number.NaN);

  constructor(scene: Scene, id: IdentityId, token: string, kind: Kind, proof: Habits['proof']) {
    const habits: Partial<Habits> & { isOftenOff?: boolean } = KINDS[kind];
    this.kind = kind;
    this.#scene = scene;
    this.#agent = new HonestAgent(scene.world, id, token, { ...habits, proof });
    this.#isOftenOff = habits.isOftenOff === true;
  }

  get name(): string {
    return identityText(this.#agent.id);
  }

  get nextAt(): Date {
    const { nextAt } = this.#agent;
    while (this.#isOftenOff && (this.#off === null || this.#off.to <= nextAt)) this.#off = this.#nextOff();
    const isOff = this.#off !== null && this.#off.from <= nextAt && nextAt < this.#off.to;
    return isOff ? (this.#off?.to ?? nextAt) : nextAt;
  }

  async act(): Promise<void> {
    await this.#agent.wake();
    this.#show();
  }

  /** When it was given the certificate that it holds. */
  get renewedAt(): Date {
    return this.#renewedAt;
  }

  /**
   * From now on it installs no bundle but that of a login, as the cloud agent's own clients, which keep the one of their
   * login file; or it does as it always did.
   */
  setDeaf(isDeaf: boolean): void {
    this.#agent.change({
      installs: isDeaf ? 'at-logins' : ((KINDS[this.kind] as Partial<Habits>).installs ?? 'all'),
    });
  }

  /** Switches it off for so many days from now on. */
  switchOff(days: number): void {
    const from = this.#scene.world.clock.now();
    this.#off = { from, to: addMs(from, days * DAY_MS) };
  }

  /** An operator hands it a new login file. */
  async helpOut(): Promise<void> {
    const { world } = this.#scene;
    const file = await issueLoginFile(world.deps, world.run, this.#agent.id, false);
    await this.#agent.takeLoginFile(file.token.reveal());
    this.#show();
  }

  #show(): void {
    const { held, bundle } = this.#agent;
    const { certificate, chain } = held.answer;
    const { handshakes, world } = this.#scene;
    if (certificate !== this.#certificate) this.#renewedAt = world.clock.now();
    this.#certificate = certificate;
    handshakes.hold(this.name, { certificate, chain, bundle: bundle.pem }, world.clock.now());
  }

  #nextOff(): Off {
    const from = addMs(this.#off?.to ?? this.#scene.world.clock.now(), this.#daysOf(ON_DAYS) * DAY_MS);
    return { from, to: addMs(from, this.#daysOf(OFF_DAYS) * DAY_MS) };
  }

  #daysOf([least, most]: readonly [number, number]): number {
    return least + (most - least) * this.#scene.random();
  }
}

/** Work that comes again and again, with some play, as a timer's or a client's that looks into the vault. */
export class Routine implements Actor {
  readonly #every: () => number;
  readonly #clock: World['clock'];
  readonly #work: () => Promise<void>;
  nextAt: Date;

  /** @param every how long until the next time, in milliseconds */
  constructor(clock: World['clock'], every: () => number, work: () => Promise<void>) {
    this.#clock = clock;
    this.#every = every;
    this.#work = work;
    this.nextAt = addMs(clock.now(), every());
  }

  async act(): Promise<void> {
    await this.#work();
    this.nextAt = addMs(this.#clock.now(), Math.max(HOUR_MS / 60, this.#every()));
  }
}
