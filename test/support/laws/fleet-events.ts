import fc from 'fast-check';
import type { RevocationReason } from '../../../shared/domain/revocation.ts';

/**
 * What happens while a process is at work: it dies before its n-th call of a port, that call's answer is lost, or nobody
 * hears what it answers in the end.
 */
export type Trouble = null | { readonly kind: 'dies' | 'loses' | 'unheard'; readonly call: number };

/** One thing that an agent does. `key`: the one that it has, or one of its own that is new. */
export type AgentDeed =
  | { readonly do: 'login'; readonly client: number; readonly token: number; readonly key: 'held' | 'new' }
  | { readonly do: 'renew'; readonly client: number; readonly key: 'last' | 'new' }
  | { readonly do: 'use' | 'ask-token' | 'acknowledge'; readonly client: number }
  /** A thief copies its key, and asks for another one with that when it comes again. */
  | { readonly do: 'be-robbed'; readonly client: number };

/** One thing that an operator, or the timer, does. */
export type OperatorDeed =
  | { readonly do: 'tick' }
  | { readonly do: 'rotate'; readonly client: number; readonly isCutOver: boolean }
  | {
      readonly do: 'revoke';
      readonly client: number;
      readonly what: 'identity' | 'instance' | 'certificate';
      /** Which of its certificates, or whose line: 0 is the newest. */
      readonly which: number;
      readonly reason: RevocationReason;
    }
  | { readonly do: 'delete' | 'unlock'; readonly client: number }
  | { readonly do: 'delete-cluster' }
  | { readonly do: 'repair'; readonly kind: 'renew' | 'update'; readonly force: boolean }
  | { readonly do: 'seal' };

/** What brings something back to life: never at the same time as anything else, so that the laws know what was first. */
export type Revival =
  | { readonly do: 'recreate'; readonly client: number }
  | { readonly do: 'create-cluster'; readonly delivery: 'agent' | 'vault' }
  | { readonly do: 'rule'; readonly client: number; readonly secondsAgo: number | null }
  | { readonly do: 'take-rule-back' };

export type Deed = AgentDeed | OperatorDeed | Revival;

export type FleetEvent =
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'alone'; readonly deed: Deed; readonly trouble: Trouble }
  | {
      readonly do: 'at-once';
      readonly agent: AgentDeed;
      readonly operator: OperatorDeed;
      readonly seed: number;
    };

/** KMS with its key in the vault, NodeAgent, and two of the cluster that comes and goes. */
export const FLEET = [
  { cluster: 'management', name: 'KMS' },
  { cluster: 'management', name: 'NodeAgent' },
  { cluster: 'alpha', name: 'KMS' },
  { cluster: 'alpha', name: 'kubelet-n1' },
] as const;

const is = <const T>(value: T) => fc.constant(value);
const client = fc.nat({ max: FLEET.length - 1 });

const agentDeed: fc.Arbitrary<AgentDeed> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ do: is('login'), client, key: fc.constantFrom('held', 'new') },
      token: fc.oneof({ weight: 3, arbitrary: is(0) }, { weight: 1, arbitrary: fc.nat({ max: 4 }) }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: is('renew'), client, key: fc.constantFrom('last', 'new', 'new') }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('use', 'use', 'ask-token', 'acknowledge'), client }),
  },
  { weight: 5, arbitrary: fc.record({ do: is('be-robbed'), client }) },
);

const tick = fc.record({ do: is('tick') });
const rotate = fc.record({ do: is('rotate'), client, isCutOver: fc.boolean() });
const revoke = fc.record({
  ...{ do: is('revoke'), client, which: fc.nat({ max: 2 }) },
  what: fc.constantFrom('identity', 'instance', 'instance', 'instance', 'certificate', 'certificate'),
  reason: fc.constantFrom<RevocationReason>('unspecified', 'keyCompromise'),
});
const end = fc.record({ do: is('delete'), client });
const unlock = fc.record({ do: is('unlock'), client });
const endOfCluster = fc.record({ do: is('delete-cluster') });
const repair = fc.record({
  ...{ do: is('repair'), force: fc.boolean() },
  kind: fc.constantFrom('renew', 'update'),
});

const operatorDeed: fc.Arbitrary<OperatorDeed> = fc.oneof(
  { weight: 6, arbitrary: tick },
  { weight: 5, arbitrary: rotate },
  { weight: 3, arbitrary: revoke },
  { weight: 1, arbitrary: end },
  { weight: 2, arbitrary: unlock },
  { weight: 1, arbitrary: endOfCluster },
  { weight: 2, arbitrary: repair },
  { weight: 1, arbitrary: fc.record({ do: is('seal') }) },
);

/** What matters most when it meets an agent that is being answered. */
const meetingDeed: fc.Arbitrary<OperatorDeed> = fc.oneof(
  { weight: 8, arbitrary: revoke },
  { weight: 4, arbitrary: rotate },
  { weight: 2, arbitrary: tick },
  { weight: 1, arbitrary: end },
  { weight: 1, arbitrary: unlock },
  { weight: 1, arbitrary: endOfCluster },
  { weight: 1, arbitrary: repair },
);

const revival: fc.Arbitrary<Revival> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: is('recreate'), client }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: is('create-cluster'),
      delivery: fc.constantFrom('agent', 'agent', 'vault'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: is('rule'), client },
      secondsAgo: fc.option(fc.integer({ min: -86_400, max: 86_400 }), { nil: null }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: is('take-rule-back') }) },
);

const trouble: fc.Arbitrary<Trouble> = fc.option(
  fc.record({
    kind: fc.constantFrom('dies', 'loses', 'unheard', 'unheard'),
    call: fc.integer({ min: 1, max: 30 }),
  }),
  { nil: null, freq: 1 },
);

export const fleetEvent: fc.Arbitrary<FleetEvent> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: is('alone'),
      deed: fc.oneof(
        { weight: 12, arbitrary: agentDeed },
        { weight: 4, arbitrary: operatorDeed },
        { weight: 2, arbitrary: revival },
      ),
      trouble,
    }),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({ do: is('at-once'), agent: agentDeed, operator: meetingDeed, seed: fc.nat() })
      // Two that meet at all are about the same client.
      .map(({ operator, ...one }) => ({
        ...one,
        operator: 'client' in operator ? { ...operator, client: one.agent.client } : operator,
      })),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: is('wait'),
      seconds: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 3600 }) },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 12 * 86_400 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 100 * 86_400 }) },
      ),
    }),
  },
);

const alone = (deed: Deed): FleetEvent => ({ do: 'alone', deed, trouble: null });

/** A life begins with a cluster, and with agents that have logged in. */
export const BEGINNING: readonly FleetEvent[] = [
  alone({ do: 'create-cluster', delivery: 'agent' }),
  alone({ do: 'tick' }),
  ...FLEET.map((_, at) => alone({ do: 'login', client: at, token: 0, key: 'new' })),
];
