import type { Identity } from '../../../shared/domain/identity.ts';
import { MANAGEMENT_CLIENTS } from '../../../shared/domain/identity.ts';
import { MINUTE_MS } from '../../../shared/domain/instants.ts';
import {
  type IdentityId,
  MANAGEMENT_CLUSTER,
  VAULT_ROTATION_KEY_NAME,
} from '../../../shared/domain/names.ts';
import type { Policy } from '../../../shared/domain/policy.ts';
import { Secret } from '../../../shared/domain/secret.ts';
import type { Schedules } from '../../../shared/ports/schedule.ts';
import { createIdentity } from '../../../shared/use-cases/create-identity.ts';
import { ensureDeployment, pinDeployment } from '../../../shared/use-cases/deployment.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { ensureAuthority } from '../../../shared/use-cases/first-start.ts';
import { readRotationKey } from '../../../shared/use-cases/tokens.ts';
import { KMS, NODE_AGENT } from '../agent.ts';
import { refuseCalls } from '../faults.ts';
import { memoryWorld, type World } from '../memory-world.ts';
import { seededRandom } from '../seeded-random.ts';

const QUARTER_MS = 15 * MINUTE_MS;

/** The two clients of the small world: one whose key lies in the vault, and one that keeps its own. */
export const CLIENTS: readonly IdentityId[] = [KMS, NODE_AGENT];

/** A port, or several, that refuse every call up to a moment. */
export interface Outage {
  readonly ports: readonly string[];
  readonly until: Date;
}

/** A token that was issued, as a holder of its text knows it. */
export interface IssuedToken {
  readonly id: string;
  readonly identity: IdentityId;
  readonly text: string;
  readonly generation: number;
  readonly expiresAt: Date;
}

/** The timer's schedule, of which thousands of moments are asked: reading it from its text is what takes time. */
const everyQuarter: Schedules = {
  next: (_, after) => new Date((Math.floor(after.getTime() / QUARTER_MS) + 1) * QUARTER_MS),
};

/** A world of two clients, and what the laws remember of its past. */
export interface Scene {
  readonly world: World;
  policy: Policy;
  /** Every certificate validity that was ever the policy, with when it began. */
  readonly policies: { readonly from: Date; readonly days: number }[];
  outage: Outage | null;
  /** Every token ever issued, by id. */
  readonly tokens: Map<string, IssuedToken>;
  /** The newest generation that is known to have been used, by identity name. */
  readonly used: Map<string, number>;
  /** Who presented a key: its first owner keeps it. */
  readonly presenters: Map<string, Set<string>>;
  /** The identity that was given a certificate for a key. */
  readonly keyOwners: Map<string, string>;
  /** Certificates that left the product in answers to logins. */
  readonly answered: Uint8Array[];
  /** Each identity as the laws saw it last. */
  readonly before: Map<string, Identity>;
  /** Serial numbers of every certificate that was seen, with its DER in hexadecimal. */
  readonly serials: Map<string, string>;
}

/**
 * An authority and two clients whose first certificates are still to be made: the product's own first start makes ten
 * of them, which says nothing more about the laws and takes five times as long.
 * @param seed decides everything that is left to chance, except keys
 */
export async function smallScene(seed: number, policy: Partial<Policy>): Promise<Scene> {
  const plain = memoryWorld(policy);
  const changed = { random: seededRandom(seed), schedules: everyQuarter };
  const world: World = { ...plain, deps: { ...plain.deps, ...changed } };
  const { deps, run } = world;
  await ensureDeployment(deps);
  const key = Buffer.from(deps.random.bytes(32)).toString('base64url');
  const { version } = await deps.authoritySecrets.write(VAULT_ROTATION_KEY_NAME, new Secret(key), {
    contentType: 'text/plain',
    tags: {},
    expiresAt: null,
  });
  await ensureAuthority(deps, run);
  const readyAt = deps.clock.now();
  await pinDeployment(deps, () => ({
    rotationKeyVersion: version,
    readyAt,
  }));
  const rotationKey = await readRotationKey(deps);
  for (const template of MANAGEMENT_CLIENTS.filter(({ name }) => CLIENTS.some((id) => id.name === name))) {
    await createIdentity(deps, run, rotationKey, MANAGEMENT_CLUSTER, template);
  }
  return {
    world,
    policy: deps.policy,
    policies: [{ from: readyAt, days: deps.policy.certificateValidityDays }],
    outage: null,
    tokens: new Map(),
    used: new Map(CLIENTS.map(({ name }) => [name, -1])),
    presenters: new Map(),
    keyOwners: new Map(),
    answered: [],
    before: new Map(),
    serials: new Map(),
  };
}

/** The world as it is to the product now: under today's policy, and without the ports that refuse. */
export function depsOf(scene: Scene): Deps {
  const { outage, world } = scene;
  const deps = { ...world.deps, policy: scene.policy };
  if (outage === null) return deps;
  return refuseCalls(
    deps,
    ({ port }) => outage.ports.includes(port),
    () => world.clock.now() < outage.until,
  );
}
