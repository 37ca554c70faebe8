import fc from 'fast-check';
import { isEverleafError } from '../../../shared/domain/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/domain/instants.ts';
import type { IdentityId } from '../../../shared/domain/names.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { doWork } from '../../../shared/use-cases/do-work.ts';
import { renewDue } from '../../../shared/use-cases/renew-due.ts';
import { revokeIdentity } from '../../../shared/use-cases/revoke.ts';
import { runTimer } from '../../../shared/use-cases/run-timer.ts';
import { dieBefore, loseAnswer } from '../faults.ts';
import { logInAs, newestToken } from './logins.ts';
import { CLIENTS, depsOf, type Scene } from './small-world.ts';
import { takeWayBack } from './way-back.ts';

/** What goes wrong while a command runs: the process dies before its n-th call of a port, or that call's answer is lost. */
export type Fault = null | { readonly kind: 'dies' | 'loses'; readonly call: number };

/** Whether a message that was done with is delivered once more. */
export type Again = 'never' | 'at-once' | 'later';

/** One thing that may happen to the small world. Plain data, so that a failing run prints as it can be pinned. */
export type Command =
  | { readonly do: 'tick'; readonly fault: Fault }
  | { readonly do: 'work'; readonly message: number; readonly again: Again; readonly fault: Fault }
  | { readonly do: 'give-up-message'; readonly message: number }
  | {
      readonly do: 'login';
      readonly client: 0 | 1;
      /** Which of the tokens ever issued, the newest being 0. */
      readonly token: number;
      /** `own` keys are the client's, `foreign` ones another's, `none` sends no request. */
      readonly key: `own-${0 | 1 | 2}` | 'foreign' | 'none';
      readonly fault: Fault;
    }
  | { readonly do: 'outage'; readonly ports: readonly string[]; readonly minutes: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'policy'; readonly certificateValidityDays: number }
  | { readonly do: 'take-way-back' }
  | { readonly do: 'revoke'; readonly client: 0 | 1 };

const fault: fc.Arbitrary<Fault> = fc.option(
  fc.record({
    kind: fc.constantFrom('dies' as const, 'loses' as const),
    call: fc.integer({ min: 1, max: 24 }),
  }),
  { nil: null, freq: 1 },
);
const client = fc.constantFrom(0 as const, 1 as const);

/** Any command; those that carry the life of a credential on come more often. */
export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('tick' as const), fault }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant('work' as const),
      message: fc.nat({ max: 3 }),
      again: fc.constantFrom('never' as const, 'at-once' as const, 'later' as const),
      fault,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('login' as const),
      client,
      token: fc.oneof(fc.constant(0), fc.nat({ max: 5 })),
      key: fc.constantFrom(
        'own-0' as const,
        'own-1' as const,
        'own-2' as const,
        'foreign' as const,
        'none' as const,
      ),
      fault,
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      seconds: fc.oneof(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 60, max: (2 * HOUR_MS) / SECOND_MS }),
        fc.integer({ min: 3600, max: (60 * DAY_MS) / SECOND_MS }),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('outage' as const),
      ports: fc.subarray(['clientVault', 'clientSecrets', 'authoritySecrets', 'signer'], { minLength: 1 }),
      minutes: fc.integer({ min: 1, max: (3 * DAY_MS) / MINUTE_MS }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('policy' as const),
      certificateValidityDays: fc.constantFrom(7, 30, 90, 200),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('give-up-message' as const), message: fc.nat({ max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'take-way-back' as const }) },
);

/** Revoking ends the interesting part of a life, so it comes last or not at all. */
export const lastCommand: fc.Arbitrary<Command | null> = fc.option(
  fc.record({ do: fc.constant('revoke' as const), client }),
  { nil: null, freq: 4 },
);

/** Does one command. Failures that a fault or an outage explains are part of life; any other one throws. */
export async function obey(scene: Scene, order: Command): Promise<void> {
  const { world } = scene;
  switch (order.do) {
    case 'tick':
      return disturbed(scene, order.fault, (deps) => runTimer(deps, world.run, 'renew-due', renewDue));
    case 'work':
      return work(scene, order);
    case 'give-up-message':
      takeMessage(scene, order.message);
      return;
    case 'login':
      return login(scene, order);
    case 'outage':
      scene.outage = {
        ports: order.ports,
        until: new Date(world.clock.now().getTime() + order.minutes * MINUTE_MS),
      };
      return;
    case 'wait':
      world.clock.advance(order.seconds * SECOND_MS);
      return;
    case 'policy':
      scene.policy = { ...scene.policy, certificateValidityDays: order.certificateValidityDays };
      scene.policies.push({ from: world.clock.now(), days: order.certificateValidityDays });
      return;
    case 'take-way-back':
      for (const id of CLIENTS) await takeWayBack(scene, id);
      return;
    case 'revoke':
      await revokeIdentity(world.deps, world.run, clientOf(order.client), 'unspecified');
  }
}

function clientOf(client: 0 | 1): IdentityId {
  const id = CLIENTS[client];
  if (id === undefined) throw new Error('There are two clients.');
  return id;
}

/** Lets the fault happen to an act. @returns the error that the act ended with, if any */
async function disturbed(scene: Scene, fault: Fault, act: (deps: Deps) => Promise<unknown>): Promise<void> {
  const deps = depsOf(scene);
  const caused = fault === null ? null : (fault.kind === 'dies' ? dieBefore : loseAnswer)(fault.call, deps);
  try {
    await act(caused?.deps ?? deps);
  } catch (error) {
    const isExplained =
      (caused !== null && caused.hitAt() !== null) ||
      (scene.outage !== null && isEverleafError(error, 'VaultUnavailable'));
    if (!isExplained) throw error;
  }
}

/** A message that is not finished comes again: the queue promises at least once. */
async function work(scene: Scene, order: Command & { do: 'work' }): Promise<void> {
  const item = takeMessage(scene, order.message);
  if (item === null) return;
  let isDone = false;
  await disturbed(scene, order.fault, async (deps) => {
    await doWork(deps, scene.world.run, item);
    if (order.again === 'at-once') await doWork(deps, scene.world.run, item);
    isDone = true;
  });
  if (!isDone || order.again === 'later') await scene.world.queue.send(item);
}

function takeMessage({ world: { queue } }: Scene, index: number) {
  const items = queue.takeAll();
  const [taken] = items.splice(items.length === 0 ? 0 : index % items.length, 1);
  for (const item of items) void queue.send(item);
  return taken ?? null;
}

async function login(scene: Scene, order: Command & { do: 'login' }): Promise<void> {
  const id = clientOf(order.client);
  const token = newestToken(scene, id, order.token);
  if (token === null) return;
  const owner = order.key === 'foreign' ? clientOf(order.client === 0 ? 1 : 0) : id;
  const key = order.key === 'none' ? null : `${owner.name} ${order.key === 'foreign' ? 'own-0' : order.key}`;
  if (order.fault === null) return logInAs(scene, token, key, depsOf(scene));
  return disturbed(scene, order.fault, (deps) => logInAs(scene, token, key, deps, true));
}
