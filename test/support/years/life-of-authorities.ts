/** Years in which authorities follow each other, lived through by a fleet on the virtual clock. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../shared/domain/instants.ts';
import { type IdentityId, identityText } from '../../../shared/domain/names.ts';
import { readActiveAuthority } from '../../../shared/use-cases/authorities.ts';
import { firstStart } from '../../../shared/use-cases/first-start.ts';
import { addIdentity } from '../../../shared/use-cases/manage-identity.ts';
import { taintByHand } from '../../../shared/use-cases/manage-taint.ts';
import { reconcile } from '../../../shared/use-cases/reconcile.ts';
import { rollAuthority } from '../../../shared/use-cases/roll-authority.ts';
import { runTimer } from '../../../shared/use-cases/run-timer.ts';
import { sealAudit } from '../../../shared/use-cases/seal-audit.ts';
import { management, tokenFromLoginFile } from '../agent.ts';
import { create } from '../clusters.ts';
import { memoryWorld, type World } from '../memory-world.ts';
import { readyKeys } from '../ready-keys.ts';
import { mulberry32, seededRandom } from '../seeded-random.ts';
import { ErringClock } from './erring-clock.ts';
import { Forecast } from './forecast.ts';
import { Handshakes, type Sample } from './handshakes.ts';
import { type Report, report } from './report.ts';
import { type Actor, KINDS_OF_AGENTS, type Kind, Resident, Routine, type Scene } from './residents.ts';
import { Trouble } from './trouble.ts';
import { VaultClient } from './vault-client.ts';

export interface Plan {
  /** Agents that hold their own keys; the clients of the vault come on top. */
  readonly agents: number;
  readonly days: number;
  /** Decides absences, delays, errors of the clock and serial numbers: the same years come again. */
  readonly seed: number;
  /** Days on which one agent is switched off for a hundred days, once it has renewed, and another turns deaf. */
  readonly troubleDays: readonly number[];
  /** Days on which an operator taints the authority that signs. */
  readonly taintDays: readonly number[];
  /** From one scan of what is due to the next. */
  readonly scanHours: number;
  /** From one look of an operator at the status to the next. */
  readonly statusDays: number;
  readonly onDay?: (day: number, soFar: { handshakes: number; refusals: number }) => void;
}

const CLOUD_AGENT = management('CloudAgent');
/** A verifier that holds its own key: a host that somebody added to the management cluster. */
const GATEWAY = management('Gateway');
const VAULT_CLIENTS = ['KVA', 'KMS', 'CloudOperator', 'CSI', 'CertManager', 'CAPH', 'CloudProvider'].map(
  management,
);
const VERIFIERS = [CLOUD_AGENT, GATEWAY].map(identityText);
/** Nodes of a cluster at most: the rows of a cluster stand in one partition, which fills up in ten years. */
const MOST_NODES = 20;
/** RSA keys that the vault hands out in turn: making them is not what this is about. */
const KEYS = 3;
/** The program's clock goes wrong by less than what a certificate is dated back and a proof may be off: 300 s both. */
const MOST_ERROR_MS = 4 * MINUTE_MS;
const SAMPLE_DAYS = 97;

/** Lives through all of it. @throws whatever an agent or a timer meets that it should not */
export async function liveThrough(plan: Plan): Promise<Report> {
  const random = mulberry32(plan.seed);
  const plain = memoryWorld({}, readyKeys(KEYS));
  const clock = new ErringClock(plain.clock);
  let signatures = 0;
  const { signer } = plain.deps;
  const deps = {
    ...plain.deps,
    clock,
    // Serial numbers say when a certificate is renewed.
    random: seededRandom(plan.seed),
    signer: {
      sign: (...asked: Parameters<typeof signer.sign>) => {
        signatures += 1;
        return signer.sign(...asked);
      },
    },
  };
  const world: World = { ...plain, deps, tick: () => plain.tick(deps) };
  const handshakes = new Handshakes(VERIFIERS);
  const scene: Scene = { world, handshakes, random };
  await firstStart(deps, world.run);
  const residents = await settle(scene, plan.agents);
  const forecast = new Forecast(world);
  const routines = [...timers(scene, clock, forecast, plan), ...vaultClients(scene)];
  for (const routine of routines) await routine.act();
  for (const resident of residents) await resident.act();
  const samples: Sample[] = [];
  const trouble = new Trouble(scene, residents);
  const startedAt = world.clock.now().getTime();
  for (let day = 1; day <= plan.days; day++) {
    await liveUntil(world, [...routines, ...residents], new Date(startedAt + day * DAY_MS));
    handshakes.look(world.clock.now());
    if (plan.troubleDays.includes(day)) trouble.begin();
    await trouble.tend();
    if (plan.taintDays.includes(day)) await taintActive(world);
    if (day % SAMPLE_DAYS === 0) samples.push(handshakes.sample(random, world.clock.now()));
    // Nobody reads the log of years.
    world.lines.length = 0;
    plan.onDay?.(day, { handshakes: handshakes.checked, refusals: handshakes.refusals.length });
  }
  return report({
    world,
    handshakes,
    forecast,
    signatures,
    samples,
    troubled: trouble.names,
    agents: residents.length,
    days: plan.days,
  });
}

async function taintActive({ deps, run }: World): Promise<void> {
  const { id } = await readActiveAuthority(deps);
  await taintByHand(deps, run, id, 'its key may have been copied');
}

/** Makes clusters with so many agents in all, NodeAgent, Mocctl and the second verifier among them. */
async function settle(scene: Scene, agents: number): Promise<readonly Resident[]> {
  const { world } = scene;
  const residents: Resident[] = [];
  const add = (id: IdentityId, token: string, kind?: Kind) => {
    const i = residents.length;
    const usual = KINDS_OF_AGENTS[i % KINDS_OF_AGENTS.length] ?? 'prompt';
    residents.push(new Resident(scene, id, token, kind ?? usual, i % 4 === 3 ? 'csr' : 'jws'));
  };
  const template = {
    name: GATEWAY.name,
    clientType: 'Host',
    delivery: 'agent',
    credentials: 'cloud',
  } as const;
  const { loginFile } = await addIdentity(world.deps, world.run, GATEWAY.cluster, template, {});
  if (loginFile === null) throw new Error('There is no login file for the gateway.');
  add(GATEWAY, loginFile.token.reveal(), 'prompt');
  for (const id of ['NodeAgent', 'Mocctl'].map(management)) add(id, await tokenFromLoginFile(world, id));
  for (let cluster = 1; residents.length <= agents; cluster++) {
    // Each cluster has four clients beside its nodes.
    const left = Math.max(1, agents + 1 - residents.length - 4);
    const nodes = Array.from({ length: Math.min(left, MOST_NODES) }, (_, i) => `n${i + 1}`);
    const { loginFiles } = await create(world, { name: `c${cluster}`, nodes, delivery: 'agent' });
    for (const file of loginFiles) add({ cluster: file.cluster, name: file.name }, file.token.reveal());
  }
  return residents;
}

/** The timers, which run less often than in a deployment, but for the roll; and what operators do day by day. */
function timers(
  { world, random }: Scene,
  wrong: ErringClock,
  forecast: Forecast,
  plan: Plan,
): readonly Routine[] {
  const { clock, deps, run } = world;
  const every = (ms: number) => () => ms;
  return [
    new Routine(clock, every(plan.scanHours * HOUR_MS), () => world.tick()),
    new Routine(clock, every(DAY_MS), () => runTimer(deps, run, 'roll-authority', rollAuthority)),
    new Routine(clock, every(30 * DAY_MS), () => runTimer(deps, run, 'seal-audit', sealAudit)),
    new Routine(clock, every(30 * DAY_MS), () => runTimer(deps, run, 'reconcile', reconcile)),
    new Routine(clock, every(plan.statusDays * DAY_MS), () => forecast.look()),
    new Routine(
      clock,
      () => (1 + 20 * random()) * DAY_MS,
      async () => {
        wrong.errorMs = Math.round((2 * random() - 1) * MOST_ERROR_MS);
      },
    ),
  ];
}

/** The verifier looks into the vault within three days, the others within ten. */
function vaultClients(scene: Scene): readonly Routine[] {
  return [CLOUD_AGENT, ...VAULT_CLIENTS].map((id) => {
    const client = new VaultClient(scene, id);
    const days = id === CLOUD_AGENT ? 3 : 10;
    return new Routine(
      scene.world.clock,
      () => days * scene.random() * DAY_MS,
      () => client.look(),
    );
  });
}

/** Lets everybody act until that moment, in the order of their moments: what one does moves nobody else's. */
async function liveUntil({ clock }: World, actors: readonly Actor[], until: Date): Promise<void> {
  const due = actors.filter(({ nextAt }) => nextAt <= until).map(entryOf);
  due.sort((a, b) => a.at - b.at);
  for (let entry = due.shift(); entry !== undefined; entry = due.shift()) {
    clock.advance(Math.max(0, entry.at - clock.now().getTime()));
    await entry.actor.act();
    const again = entryOf(entry.actor);
    if (again.at > until.getTime()) continue;
    const later = due.findIndex(({ at }) => at > again.at);
    due.splice(later < 0 ? due.length : later, 0, again);
  }
  clock.advance(Math.max(0, until.getTime() - clock.now().getTime()));
}

function entryOf(actor: Actor): { actor: Actor; at: number } {
  return { actor, at: actor.nextAt.getTime() };
}
