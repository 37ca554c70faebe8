import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { installShiftedDate, offsetMs, setOffset } from '../../../infra/local/clock/shifted-date.ts';
import { answerChallenges, collect, restError, startVault } from './harness.ts';

installShiftedDate();

describe('Secrets', () => {
  test('keep every version, and the latest is the one without a version.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    const first = await secrets.setSecret('token--a', 'one', { contentType: 'text/plain', tags: { n: '1' } });
    const second = await secrets.setSecret('token--a', 'two');
    assert.notEqual(first.properties.version, second.properties.version);
    assert.equal((await secrets.getSecret('token--a')).value, 'two');
    const old = await secrets.getSecret('token--a', { version: first.properties.version ?? '' });
    assert.equal(old.value, 'one');
    assert.equal(old.properties.contentType, 'text/plain');
    assert.deepEqual(old.properties.tags, { n: '1' });
    await assert.rejects(secrets.getSecret('token--b'), restError(404, 'SecretNotFound'));
    await assert.rejects(secrets.getSecret('token--a', { version: '0' }), restError(404, 'SecretNotFound'));
  });

  test('can be changed except for their value, and not read while disabled.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    const expiresOn = new Date(Math.floor(Date.now() / 1000) * 1000 + 86_400_000);
    const { properties } = await secrets.setSecret('a', 'value', { expiresOn });
    const version = properties.version ?? '';
    await secrets.updateSecretProperties('a', version, { enabled: false, tags: { b: '2' } });
    await assert.rejects(secrets.getSecret('a'), restError(403, 'Forbidden'));
    const changed = await secrets.updateSecretProperties('a', version, { enabled: true });
    assert.deepEqual(changed.tags, { b: '2' });
    assert.equal(changed.expiresOn?.getTime(), expiresOn.getTime());
  });

  test('can be read after their expiry.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    await secrets.setSecret('a', 'value', { expiresOn: new Date(Date.now() + 60_000) });
    setOffset(offsetMs() + 3_600_000);
    assert.equal((await secrets.getSecret('a')).value, 'value');
  });

  test('list in pages of 25, without values, certificates among them.', async (t) => {
    const { clients } = await startVault(t);
    const { secrets, certificates } = clients;
    await answerChallenges(clients);
    const names = Array.from({ length: 60 }, (_, index) => `s-${String(index).padStart(2, '0')}`);
    await Promise.all(names.map((name) => secrets.setSecret(name, 'value')));
    const poller = await certificates.beginCreateCertificate('web', {
      issuerName: 'Self',
      subject: 'CN=web',
      exportable: false,
    });
    await poller.pollUntilDone();
    const { items, pageSizes } = await collect(secrets.listPropertiesOfSecrets());
    assert.deepEqual(
      items.map(({ name }) => name),
      [...names, 'web'],
    );
    assert.deepEqual(pageSizes, [25, 25, 11]);
    assert.equal(items.at(-1)?.managed, true);
  });

  test('list their versions in pages.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    for (let version = 0; version < 30; version++) await secrets.setSecret('a', String(version));
    const { items, pageSizes } = await collect(secrets.listPropertiesOfSecretVersions('a'));
    assert.equal(new Set(items.map(({ version }) => version)).size, 30);
    assert.deepEqual(pageSizes, [25, 5]);
  });

  test('are deleted softly, recovered and purged.', async (t) => {
    const { secrets, certificates } = (await startVault(t)).clients;
    await secrets.setSecret('a', 'value');
    await (await secrets.beginDeleteSecret('a')).pollUntilDone();
    await assert.rejects(secrets.getSecret('a'), restError(404, 'SecretNotFound'));
    await assert.rejects(secrets.setSecret('a', 'other'), restError(409, 'Conflict'));
    await assert.rejects(
      certificates.beginCreateCertificate('a', { issuerName: 'Self', subject: 'CN=a', exportable: false }),
      restError(409, 'Conflict'),
    );
    assert.equal((await collect(secrets.listDeletedSecrets())).items[0]?.name, 'a');
    await (await secrets.beginRecoverDeletedSecret('a')).pollUntilDone();
    assert.equal((await secrets.getSecret('a')).value, 'value');
    await (await secrets.beginDeleteSecret('a')).pollUntilDone();
    await secrets.purgeDeletedSecret('a');
    await assert.rejects(secrets.getDeletedSecret('a'), restError(404, 'SecretNotFound'));
    await secrets.setSecret('a', 'new');
  });

  test('are purged by themselves at the end of their retention.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    await secrets.setSecret('a', 'value');
    await (await secrets.beginDeleteSecret('a')).pollUntilDone();
    setOffset(offsetMs() + 90 * 86_400_000);
    await assert.rejects(secrets.getDeletedSecret('a'), restError(404, 'SecretNotFound'));
    await secrets.setSecret('a', 'new');
    assert.equal((await collect(secrets.listPropertiesOfSecretVersions('a'))).items.length, 1);
  });

  const refusals: [string, unknown][] = [
    ['no value', {}],
    ['a value over 25 KB', { value: 'x'.repeat(25 * 1024 + 1) }],
    ['sixteen tags', { value: 'v', tags: Object.fromEntries(Array.from({ length: 16 }, (_, i) => [i, ''])) }],
    [
      'an expiry before 1970, as the SDKs send dates after 2038',
      { value: 'v', attributes: { exp: -2_085_978_496 } },
    ],
    ['an expiry before its beginning', { value: 'v', attributes: { nbf: 20, exp: 10 } }],
    ['a body that is no JSON', '{'],
  ];
  for (const [title, body] of refusals) {
    test(`with ${title} are refused.`, async (t) => {
      const { request } = (await startVault(t)).clients;
      const answer = await request('PUT', '/secrets/a', body);
      assert.equal(answer.status, 400);
      assert.equal((answer.body as { error: { code: string } }).error.code, 'BadParameter');
    });
  }
});

describe('Requests', () => {
  test('for a name that cannot be one, or a route that is not there, say so.', async (t) => {
    const { request } = (await startVault(t)).clients;
    assert.equal((await request('GET', '/secrets/..%2Fetc')).status, 400);
    assert.equal((await request('GET', `/secrets/${'a'.repeat(128)}`)).status, 400);
    const unknown = await request('POST', '/secrets/a/rotate');
    assert.equal(unknown.status, 404);
    assert.match(JSON.stringify(unknown.body), /has no route POST/);
    assert.equal((await request('GET', '/secrets?maxresults=26')).status, 400);
  });

  test('with too long a body get 413.', async (t) => {
    const { request } = (await startVault(t)).clients;
    const answer = await request('PUT', '/secrets/a', { value: 'x'.repeat(300_000) });
    assert.equal(answer.status, 413);
  });

  test('pass through the middleware, which may answer in the place of the vault.', async (t) => {
    let seen = 0;
    const { clients } = await startVault(t, {
      middleware: [
        async (request, next) => {
          seen++;
          if (request.segments.at(-1) !== 'busy') return next(request);
          return { status: 429, body: { error: { code: 'Throttled', message: 'slow down' } } };
        },
      ],
    });
    await assert.rejects(clients.secrets.getSecret('busy'), restError(429, 'Throttled'));
    await clients.secrets.setSecret('idle', 'value');
    assert.equal((await clients.secrets.getSecret('idle')).value, 'value');
    assert.ok(seen >= 3);
  });
});
