import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { QueueClient } from '@azure/storage-queue';
import { moveFollowed } from '../../../infra/local/clock/shifted-date.ts';
import { readVaultEvent } from '../../../shared/adapters/storage/vault-event-message.ts';
import { startVirtualStorage, type VirtualStorage } from '../../support/virtual-storage.ts';
import { startVault, temporaryDirectory } from './harness.ts';

const DAY_MS = 86_400_000;

interface CloudEvent {
  readonly specversion: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, string>>;
}

describe('the events of a vault', () => {
  let storage: VirtualStorage;
  before(async () => {
    storage = await startVirtualStorage();
  });
  after(() => storage.azurite.stop());

  const configOf = (queueName: string) => ({
    events: { connectionString: storage.azurite.connectionString, queueName },
  });

  /** Takes everything that waits, the oldest first. */
  async function takeEvents(queueName: string): Promise<CloudEvent[]> {
    const queue = new QueueClient(storage.azurite.connectionString, queueName);
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    await Promise.all(receivedMessageItems.map((one) => queue.deleteMessage(one.messageId, one.popReceipt)));
    return receivedMessageItems.map(({ messageText }) =>
      JSON.parse(Buffer.from(messageText, 'base64').toString()),
    );
  }

  const shortOf = ({ type, subject }: CloudEvent) => `${type.replace('Microsoft.KeyVault.', '')} ${subject}`;

  it('are in the queue before whoever made a version has the answer, one a message, as CloudEvents in Base64', async (test) => {
    const { clients } = await startVault(test, { config: configOf('new-versions') });
    await clients.secrets.setSecret('token--a--b', 'x');
    const [event, ...more] = await takeEvents('new-versions');
    assert.ok(event !== undefined && more.length === 0);
    const { properties } = await clients.secrets.getSecret('token--a--b');
    assert.equal(event.specversion, '1.0');
    assert.equal(event.type, 'Microsoft.KeyVault.SecretNewVersionCreated');
    assert.match(event.source, /\/providers\/Microsoft\.KeyVault\/vaults\/clients$/);
    assert.deepEqual(event.data, {
      Id: `${clients.url}/secrets/token--a--b/${properties.version}`,
      VaultName: 'clients',
      ObjectType: 'Secret',
      ObjectName: 'token--a--b',
      Version: properties.version,
    });
    assert.deepEqual(readVaultEvent(event), {
      kind: 'new-version',
      vaultOrigin: clients.url,
      name: 'token--a--b',
      version: properties.version,
    });
    // What makes no version is no event.
    await clients.secrets.updateSecretProperties('token--a--b', properties.version ?? '', { enabled: false });
    await (await clients.secrets.beginDeleteSecret('token--a--b')).pollUntilDone();
    const poller = await clients.certificates.beginCreateCertificate('web', {
      issuerName: 'Self',
      subject: 'CN=a',
    });
    await poller.pollUntilDone();
    assert.deepEqual((await takeEvents('new-versions')).map(shortOf), ['CertificateNewVersionCreated web']);
  });

  it('tell of the current version when its end is 30 days away and when it has come, at the jump that passes it', async (test) => {
    const stateDir = await temporaryDirectory(test);
    const config = configOf('ends');
    const { clients, stop } = await startVault(test, { config, stateDir });
    const day = (days: number) => new Date(Date.now() + days * DAY_MS);
    await clients.secrets.setSecret('a', 'x', { expiresOn: day(40) });
    await clients.secrets.setSecret('replaced', 'x', { expiresOn: day(40) });
    await clients.secrets.setSecret('replaced', 'x', { expiresOn: day(400) });
    await clients.secrets.setSecret('for-ever', 'x');
    await clients.secrets.setSecret('short', 'x', { expiresOn: day(7) });
    await takeEvents('ends');
    const advance = async (days: number) => {
      await storage.advance(days * DAY_MS);
      await moveFollowed();
    };
    await advance(5);
    assert.deepEqual(await takeEvents('ends'), []);
    await advance(6);
    assert.deepEqual((await takeEvents('ends')).map(shortOf), ['SecretNearExpiry a', 'SecretExpired short']);
    await stop();
    await advance(30);
    const again = await startVault(test, { config, stateDir });
    assert.deepEqual(
      (await takeEvents('ends')).map(shortOf),
      ['SecretExpired a'],
      'what ended while nothing ran',
    );
    await again.stop();
  });

  it('hold up no answer when their queue does not', async (test) => {
    // Nobody listens there.
    const connectionString = storage.azurite.connectionString.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1');
    const { clients } = await startVault(test, {
      config: { events: { connectionString, queueName: 'none' } },
    });
    await clients.secrets.setSecret('a', 'x');
    assert.equal((await clients.secrets.getSecret('a')).value, 'x');
  });
});
