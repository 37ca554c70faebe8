/** The function of the vaults' events as it is deployed, with the deployed host.json, under the local host and on Queue storage. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { QueueClient } from '@azure/storage-queue';
import { connectStorage } from '../../../shared/adapters/storage/connect.ts';
import {
  VAULT_EVENT_POISON_QUEUE,
  VAULT_EVENT_QUEUE,
} from '../../../shared/adapters/storage/vault-event-queue.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import { useApp } from '../../../shared/app.ts';
import { DAY_MS } from '../../../shared/domain/instants.ts';
import { vaultCertificateName, vaultTokenName } from '../../../shared/domain/names.ts';
import { openIdOperators } from '../../../shared/http/operators.ts';
import { KMS } from '../../support/agent.ts';
import { startFunctionApp, type TestHost } from '../../support/function-app.ts';
import { memoryWorld, type World } from '../../support/memory-world.ts';
import { startWorld } from '../../support/started-world.ts';
import { CLIENTS, cloudEvent, eventGridEvent } from '../../support/vault-events.ts';
import { startVirtualStorage, type VirtualStorage } from '../../support/virtual-storage.ts';

const FUNCTION = fileURLToPath(new URL('../../../functions/vault-event.ts', import.meta.url));
const HOST_JSON = JSON.parse(readFileSync(new URL('../../../host.json', import.meta.url), 'utf8'));
const NEAR = 'Microsoft.KeyVault.CertificateNearExpiry';
const nameOf = (path: string) => `${CLIENTS}/${path}/0123456789abcdef0123456789abcdef`;

let storage: VirtualStorage;
let host: TestHost;
let world: World;
before(async () => {
  storage = await startVirtualStorage();
  const { connectionString } = storage.azurite;
  const credential = { getToken: async () => null };
  const { vaultEvents } = connectStorage({ connectionString }, credential);
  await vaultEvents.prepare();
  await vaultEvents.prepare();
  world = memoryWorld();
  await startWorld(world);
  world.clock.advance(46 * DAY_MS);
  const operators = openIdOperators(
    { issuer: 'https://issuer.test', audience: 'api://test', tenantId: 'test' },
    systemClock,
  );
  useApp({ deps: world.deps, operators });
  host = await startFunctionApp(
    { functions: { 'vault-event.js': `import ${JSON.stringify(FUNCTION)};` }, hostJson: HOST_JSON },
    { ...storage.hostOptions, settings: { RECORD_STORAGE: connectionString } },
  );
});
after(async () => {
  await host?.stop();
  await storage?.azurite.stop();
});

async function send(...texts: string[]): Promise<void> {
  const queue = new QueueClient(storage.azurite.connectionString, VAULT_EVENT_QUEUE);
  for (const text of texts) await queue.sendMessage(Buffer.from(text).toString('base64'));
  await host.settle();
}

async function poisoned(): Promise<number> {
  const queue = new QueueClient(storage.azurite.connectionString, VAULT_EVENT_POISON_QUEUE);
  return (await queue.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.length;
}

it('an event from the queue has what it is about looked at, in either schema', async () => {
  await send(
    JSON.stringify(cloudEvent(NEAR, nameOf(`certificates/${vaultCertificateName(KMS)}`))),
    JSON.stringify(
      eventGridEvent('Microsoft.KeyVault.SecretExpired', nameOf(`secrets/${vaultTokenName(KMS)}`)),
    ),
  );
  const items = world.queue.takeAll();
  assert.deepEqual(items.map(({ identity, kind }) => `${identity.name.toLowerCase()} ${kind}`).sort(), [
    'kms certificate',
    'kms token',
  ]);
  assert.equal(await poisoned(), 0);
});

it('nothing that anybody puts into the queue comes to its poison queue', async () => {
  const lines = host.lines.length;
  await send(
    ...[
      '',
      ' ',
      'null',
      '7',
      '"text"',
      '[]',
      '[{}]',
      '{',
      '{}',
      'no JSON at all',
      '\u0000\uFFFD',
      '__proto__',
    ],
    ...[
      '{"specversion":"1.0"}',
      JSON.stringify(cloudEvent(NEAR, 'x')),
      JSON.stringify(cloudEvent('x', nameOf('certificates/a'))),
    ],
    JSON.stringify({ ...cloudEvent(NEAR, nameOf('certificates/client--a--b')), more: 'a'.repeat(40_000) }),
    'a'.repeat(48_000),
  );
  assert.equal(await poisoned(), 0);
  const dropped = host.lines.slice(lines).filter((line) => line.includes('It is dropped.'));
  assert.equal(dropped.length, 17, host.lines.slice(lines).join('\n'));
});
