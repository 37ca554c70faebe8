import { DAY_MS } from '../../shared/domain/instants.ts';
import { acknowledgeBundle } from '../../shared/use-cases/acknowledge-bundle.ts';
import type { Deps, TimerName } from '../../shared/use-cases/deps.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { publishCrl } from '../../shared/use-cases/publish-crl.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { renewResponders } from '../../shared/use-cases/renew-responders.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { rotateWithProof } from '../../shared/use-cases/rotate-with-proof.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { tendFleet } from '../../shared/use-cases/tend-fleet.ts';
import { writeBackup } from '../../shared/use-cases/write-backup.ts';
import { countedDeps, type ServiceCalls } from '../support/counted-deps.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { firstCertificate, renew, show } from '../support/proving-agent.ts';
import type { Report } from './measure.ts';

/** US dollars, East US, pay as you go, as listed in November 2026: look them up before you rely on them. */
const PRICES = {
  /** Azure Table Storage, LRS, a transaction. */
  storage: 0.00036 / 10_000,
  /** Key Vault, a transaction with a secret, a certificate or an RSA-2048 key. */
  vault: 0.03 / 10_000,
  /** Key Vault, a signature with another kind of key. */
  signature: 0.15 / 10_000,
  /** Queue Storage, LRS: a message is written, read and deleted. */
  message: (3 * 0.0004) / 10_000,
  /** Blob Storage, LRS, hot, a write. */
  blob: 0.05 / 10_000,
  /** Flex Consumption on demand: an execution, and a second of 2 GB, the least that one is billed for. */
  execution: 0.4 / 1_000_000 + 2 * 0.000026,
};

/** Half of the agents find their certificates in the vault, half keep their own keys and check in once a day. */
const IN_VAULT = 0.5;
/** Half of 90 days is the earliest that a credential is renewed at. */
const RENEWALS = 365 / 45;

const RUNS_A_DAY: Readonly<Record<TimerName, number>> = {
  'renew-due': 96,
  reconcile: 1,
  'seal-audit': 288,
  'roll-authority': 1,
  'publish-crl': 4,
  'renew-responders': 24,
  backup: 1,
};

/** Polling of two queues by the host, every ten seconds at rest. */
const POLLS_A_YEAR = (2 * 365 * 86_400) / 10;

interface Use extends ServiceCalls {
  readonly executions: number;
}

/** What a year costs, from what the code asks of the services, counted on the memory twins, and the prices above. */
export async function reportCosts(report: Report): Promise<void> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  await publishCrl(world.deps, world.run);
  const idle = await measureTimers(world);
  const agent = await measureAgent(world);
  const inVault = await measureVault(world);
  for (const agents of [1_000, 10_000, 100_000]) {
    const year = sum([
      idle,
      times(inVault, agents * IN_VAULT),
      times(agent, agents * (1 - IN_VAULT)),
      { ...NOTHING, messages: POLLS_A_YEAR / 3 },
    ]);
    const parts = costsOf(year);
    const total = Object.values(parts).reduce((a, b) => a + b, 0);
    report.add({
      ...{ part: 'costs', what: `a year of ${agents} agents`, figure: total, unit: 'USD', ratio: null },
      note: Object.entries(parts)
        .map(([name, dollars]) => `${name} ${dollars.toFixed(dollars < 10 ? 2 : 0)}`)
        .join(', '),
    });
  }
  report.remark(
    'Costs leave out what depends on how much is kept and where: Log Analytics, storage by the gigabyte, private endpoints ' +
      'and keys in hardware.',
  );
}

const NOTHING: Use = {
  ...{ reads: 0, transactions: 0, vault: 0, signatures: 0, messages: 0, blobs: 0 },
  executions: 0,
};

async function measure(world: World, act: (deps: Deps) => Promise<unknown>): Promise<Use> {
  const { deps, counts } = countedDeps(world);
  await act(deps);
  return { ...counts(), executions: 1 };
}

/** What the timers ask for in a year when nothing is due, those parts aside that grow with the fleet. */
async function measureTimers(world: World): Promise<Use> {
  const { run } = world;
  const timers: Readonly<Record<TimerName, (deps: Deps) => Promise<unknown>>> = {
    'renew-due': (deps) => tendFleet(deps, run),
    reconcile: (deps) => reconcile(deps, run),
    'seal-audit': (deps) => sealAudit(deps, run),
    'roll-authority': (deps) => rollAuthority(deps, run),
    'publish-crl': (deps) => publishCrl(deps, run),
    'renew-responders': (deps) => renewResponders(deps, run),
    backup: (deps) => writeBackup(deps, run),
  };
  await sealAudit(world.deps, run);
  const uses: Use[] = [];
  for (const [name, act] of Object.entries(timers)) {
    const use = await measure(world, act);
    uses.push(times(use, RUNS_A_DAY[name as TimerName] * 365));
  }
  return sum(uses);
}

/** An agent that keeps its key: a year of renewals, rotations and daily check-ins. */
async function measureAgent(world: World): Promise<Use> {
  const first = await firstCertificate(world);
  world.clock.advance(45 * DAY_MS);
  const renewal = await measure(world, (deps) => renew(world, first, 'next', deps));
  const held = await renew(world, first, 'next');
  const rotation = await measure(world, async (deps) =>
    rotateWithProof(deps, world.run, (await show(world, held, deps)).record),
  );
  const checkIn = await measure(world, async (deps) => {
    const { record } = await show(world, held, deps);
    return acknowledgeBundle(deps, world.run, record, held.answer.bundleId);
  });
  return sum([times(renewal, RENEWALS), times(rotation, RENEWALS), times(checkIn, 365)]);
}

/** A client in the vault: a year of renewals and rotations, and the daily look of `reconcile`. */
async function measureVault(world: World): Promise<Use> {
  const idle = await measure(world, (deps) => tendFleet(deps, world.run));
  world.queue.takeAll();
  world.clock.advance(10 * DAY_MS);
  const scan = await measure(world, (deps) => tendFleet(deps, world.run));
  const items = world.queue.takeAll();
  const found = times(sum([scan, times(idle, -1)]), 1 / items.length);
  const works: Use[] = [];
  for (const kind of ['certificate', 'token'] as const) {
    const item = items.find((one) => one.kind === kind);
    if (item === undefined) throw new Error(`No ${kind} is due 55 days after the first start.`);
    works.push(found, await measure(world, (deps) => doWork(deps, world.run, item)));
  }
  // Two reads of the vault, and the rows of one identity.
  const look: Use = { ...NOTHING, reads: 7, vault: 2 };
  return sum([times(sum(works), RENEWALS), times(look, 365)]);
}

function sum(uses: readonly Use[]): Use {
  return uses.reduce((a, b) => combine(a, b, (x, y) => x + y), NOTHING);
}

function times(use: Use, factor: number): Use {
  return combine(use, use, (x) => x * factor);
}

function combine(a: Use, b: Use, join: (x: number, y: number) => number): Use {
  return {
    reads: join(a.reads, b.reads),
    transactions: join(a.transactions, b.transactions),
    vault: join(a.vault, b.vault),
    signatures: join(a.signatures, b.signatures),
    messages: join(a.messages, b.messages),
    blobs: join(a.blobs, b.blobs),
    executions: join(a.executions, b.executions),
  };
}

function costsOf(use: Use): Readonly<Record<string, number>> {
  return {
    functions: use.executions * PRICES.execution,
    vaults: use.vault * PRICES.vault + use.signatures * PRICES.signature,
    storage:
      (use.reads + use.transactions) * PRICES.storage +
      use.messages * PRICES.message +
      use.blobs * PRICES.blob,
  };
}
