import { addMs, DAY_MS } from '../../../shared/domain/instants.ts';
import type { Resident, Scene } from './residents.ts';

/** Longer than a certificate lives, and short enough for its key to bring the agent back. */
const OFF_DAYS = 100;
/** An operator comes so long after servers were first refused. */
const PATIENCE_DAYS = 10;

/** What some agents do that keep no promise: one is off for too long, another never learns of new authorities. */
export class Trouble {
  readonly #scene: Scene;
  readonly #residents: readonly Resident[];
  #toSwitchOff: Resident | null = null;
  #deaf: Resident | null = null;
  /** Everybody who ever was in trouble. */
  readonly names: string[] = [];
  #beganAt = new Date(Number.NaN);

  constructor(scene: Scene, residents: readonly Resident[]) {
    this.#scene = scene;
    this.#residents = residents;
  }

  /** Picks two agents that were prompt until now: one is switched off after its next renewal, the other turns deaf. */
  begin(): void {
    const [, first = null, second = null] = this.#residents.filter(({ kind }) => kind === 'prompt');
    if (first === null || second === null) throw new Error('There are too few agents for trouble.');
    this.#beganAt = this.#scene.world.clock.now();
    this.#toSwitchOff = first;
    this.#deaf = second;
    second.setDeaf(true);
    this.names.push(first.name, second.name);
  }

  /** To be called every day: goes on with what was begun. */
  async tend(): Promise<void> {
    const now = this.#scene.world.clock.now();
    if (this.#toSwitchOff !== null && this.#toSwitchOff.renewedAt > this.#beganAt) {
      this.#toSwitchOff.switchOff(OFF_DAYS);
      this.#toSwitchOff = null;
    }
    const deaf = this.#deaf;
    const isNoticed = this.#scene.handshakes.refusals.some(
      ({ refusedBy, from }) =>
        refusedBy === deaf?.name && from > this.#beganAt && addMs(from, PATIENCE_DAYS * DAY_MS) < now,
    );
    if (deaf === null || !isNoticed) return;
    deaf.setDeaf(false);
    await deaf.helpOut();
    this.#deaf = null;
  }
}
