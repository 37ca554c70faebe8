import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import type { HttpRequest } from '../../../cli/agent/http.ts';
import { AgentWorld } from '../../support/agent-world.ts';

let world: AgentWorld;
afterEach(() => world.remove());

/** What a client reads at its start; fails when certificate and key do not belong together. */
function accessFile() {
  const fields = JSON.parse(readFileSync(world.options.accessFile, 'utf8')) as Record<string, string>;
  const text = (key: string) => Buffer.from(fields[key] ?? '', 'base64').toString();
  const certificate = new X509Certificate(text('ClientCertificate'));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(text('ClientKey'))));
  return { fields, certificate, key: text('ClientKey'), bundle: text('CloudCertificate') };
}

const isIn = (line: string, calls: readonly string[]) => calls.filter((call) => call === line).length;

describe('an agent with a login file', () => {
  it('logs in, tells which bundle it has, and writes the access file as the cloud agent’s clients read it', async () => {
    world = await AgentWorld.make();
    assert.equal((await world.run()).result, 'done');
    assert.deepEqual(world.server.calls, [
      '/api/login 200',
      '/api/ca-bundle 304',
      '/api/bundle/acknowledge 200',
    ]);
    const { fields, certificate, bundle } = accessFile();
    assert.deepEqual(Object.keys(fields), [
      'CloudCertificate',
      'ClientCertificate',
      'ClientKey',
      'IdentityName',
      'ClientCertificateType',
    ]);
    assert.equal(fields['IdentityName'], 'KMS');
    assert.equal(bundle, world.server.authority.bundle());
    assert.ok(certificate.raw.equals(world.server.issued[0]?.certificate.raw ?? Buffer.alloc(0)));
    for (const path of [world.options.accessFile, `${world.options.folder}/state.json`]) {
      assert.equal(statSync(path).mode & 0o777, 0o600, path);
    }
  });

  it('keeps an RSA key as PKCS#1 by default of the command, and proves it', async () => {
    world = await AgentWorld.make({ keyType: 'rsa-2048' });
    await world.run();
    assert.match(accessFile().key, /^-----BEGIN RSA PRIVATE KEY-----/);
    assert.equal(isIn('/api/bundle/acknowledge 200', world.server.calls), 1);
  });

  for (const proof of ['jws', 'csr'] as const) {
    it(`lives a year on its own, with a new key at every renewal (${proof})`, async () => {
      world = await AgentWorld.make({ proof });
      await world.run();
      const first = world.token;
      await world.live(365);
      const { issued, lines } = world.server;
      assert.equal(lines.length, 1, 'one line of certificates');
      assert.equal(lines[0]?.isLocked, false);
      assert.equal(new Set(issued.map(({ keyHash }) => keyHash)).size, issued.length);
      // 40 days and the jitter, and the next look on the day after.
      assert.ok(issued.length >= 9 && issued.length <= 10, `${issued.length} certificates`);
      assert.equal(isIn('/api/login 200', world.server.calls), 1);
      assert.notEqual(world.token, first);
      assert.equal(world.token, world.server.tokens.at(-1)?.text);
      assert.ok(world.server.tokens.length >= 8, 'the token was rotated as well');
      assert.ok(accessFile().certificate.raw.equals(issued.at(-1)?.certificate.raw ?? Buffer.alloc(0)));
      assert.equal(
        world.server.calls.filter((call) => / [45]\d\d/.test(call)).length,
        0,
        'nothing was refused all year',
      );
    });
  }

  it('does nothing but say when to come back, while nothing is due', async () => {
    world = await AgentWorld.make();
    const first = await world.run();
    world.server.calls.length = 0;
    const again = await world.run();
    assert.deepEqual(world.server.calls, []);
    assert.deepEqual(again, first);
    assert.ok(first.until > world.now);
  });

  it('leaves everything of the login file but the token as it was', async () => {
    world = await AgentWorld.make();
    const comment = '# from the operator\n';
    writeFileSync(world.options.loginFile, comment + world.server.loginFile());
    const before = readFileSync(world.options.loginFile, 'utf8');
    const old = world.token;
    await world.run();
    await world.live(45);
    assert.notEqual(world.token, old);
    assert.equal(readFileSync(world.options.loginFile, 'utf8'), before.replace(old, world.token));
    assert.equal(statSync(world.options.loginFile).mode & 0o777, 0o600);
  });

  it('takes over a new bundle within two days, and says so', async () => {
    world = await AgentWorld.make();
    await world.run();
    await world.server.authority.succeed();
    await world.live(2);
    assert.equal(accessFile().bundle, world.server.authority.bundle());
    assert.equal(world.server.acknowledged.at(-1), world.state.bundle?.id);
    assert.notEqual(world.server.acknowledged.at(-1), world.server.acknowledged[0]);
  });

  it('learns at its next check-in that an operator asks for a renewal, and renews within the hour', async () => {
    world = await AgentWorld.make();
    await world.run();
    world.server.isRenewalAsked = true;
    await world.live(2);
    world.advance(1 / 24);
    await world.run();
    assert.equal(world.server.issued.length, 2);
  });

  it('writes a lost or damaged access file anew', async () => {
    world = await AgentWorld.make();
    await world.run();
    const good = readFileSync(world.options.accessFile, 'utf8');
    unlinkSync(world.options.accessFile);
    await world.run();
    assert.equal(readFileSync(world.options.accessFile, 'utf8'), good);
    writeFileSync(world.options.accessFile, good.slice(0, 100));
    await world.run();
    assert.equal(readFileSync(world.options.accessFile, 'utf8'), good);
  });
});

describe('an agent that was away', () => {
  it('renews an expired certificate with proof of its key, while the server takes that', async () => {
    world = await AgentWorld.make();
    await world.run();
    world.advance(100);
    await world.run();
    assert.equal(world.server.lines.length, 1);
    assert.equal(world.server.issued.length, 2);
    assert.equal(isIn('/api/login 200', world.server.calls), 1, 'without its token, which has expired too');
  });

  it('logs in with a newer token when the time to renew late is over, and goes on with its line', async () => {
    world = await AgentWorld.make();
    await world.run();
    world.advance(130);
    world.server.addToken();
    world.putLoginFile();
    assert.equal((await world.run()).result, 'done');
    assert.equal(isIn('/api/certificates/renew 401 Expired', world.server.calls), 1);
    assert.equal(world.server.lines.length, 1);
  });

  it('tells what an operator has to do when the token is gone too, and goes on with the new login file', async () => {
    world = await AgentWorld.make();
    await world.run();
    world.advance(130);
    assert.equal((await world.run()).result, 'blocked');
    const event = world.events.at(-1);
    assert.equal(event?.event, 'operator-needed');
    assert.match(event?.text ?? '', /token has expired.*An operator has to rotate the token.*login\.yaml/);
    const calls = world.server.calls.length;
    for (let i = 0; i < 5; i++) assert.equal((await world.run()).result, 'blocked');
    assert.equal(world.server.calls.length, calls, 'the server is left in peace');
    world.server.addToken();
    world.putLoginFile();
    assert.equal((await world.run()).result, 'done');
    assert.equal(world.server.lines.length, 1);
  });

  it('is blocked without a login file, and without one goes on as long as its certificate is good', async () => {
    world = await AgentWorld.make();
    unlinkSync(world.options.loginFile);
    assert.equal((await world.run()).result, 'blocked');
    world.putLoginFile();
    await world.run();
    unlinkSync(world.options.loginFile);
    await world.live(100);
    assert.equal(world.server.issued.length, 3);
    assert.equal((await world.run()).result, 'done');
  });

  it('begins another line with its token when its own was locked', async () => {
    world = await AgentWorld.make();
    await world.run();
    const [line] = world.server.lines;
    assert.ok(line);
    line.isLocked = true;
    await world.live(42);
    assert.equal(world.server.lines.length, 2);
    assert.notEqual(world.server.lines[1]?.head?.keyHash, world.server.issued[0]?.keyHash);
  });

  it('is blocked when its identity is revoked, and back when that was taken back', async () => {
    world = await AgentWorld.make();
    await world.run();
    world.server.isRevoked = true;
    await world.live(2);
    assert.equal((await world.run()).result, 'blocked');
    assert.match(world.events.at(-1)?.text ?? '', /^The identity is revoked/);
    world.server.isRevoked = false;
    world.advance(1);
    assert.equal((await world.run()).result, 'done');
  });
});

describe('an agent whose clock is wrong', () => {
  for (const days of [-400, -0.1, 0.1, 400]) {
    it(`goes by the server’s when it is ${days} days off`, async () => {
      world = await AgentWorld.make();
      world.clockErrorMs = days * 86_400_000;
      const { result } = await world.run();
      assert.equal(result, 'done');
      assert.ok(world.eventNames().includes('clock-corrected'));
      await world.live(100);
      // A clock far ahead costs one needless renewal, after which it is known.
      assert.ok(world.server.issued.length <= 4, `${world.server.issued.length} certificates`);
      assert.ok(world.server.issued.length >= 3);
      assert.equal(world.server.lines.length, 1);
    });
  }

  it('notices at once when it is set back', async () => {
    world = await AgentWorld.make();
    world.clockErrorMs = 5 * 86_400_000;
    await world.run();
    world.clockErrorMs = 0;
    await world.run();
    assert.equal(world.state.clockOffsetMs, 0);
    assert.equal(world.state.retries['check-in'], undefined);
  });
});

describe('an agent whose server is away', () => {
  it('tries again ever more seldom, at least once in six hours, and not before Retry-After', async () => {
    world = await AgentWorld.make();
    const requests: HttpRequest[] = [];
    const send = async (request: HttpRequest) => {
      requests.push(request);
      return { status: 503, headers: { 'retry-after': '120' }, text: 'away' };
    };
    const waits: number[] = [];
    for (let i = 0; i < 30; i++) {
      const { result, until } = await world.run({ send });
      assert.equal(result, 'failed');
      waits.push(until.getTime() - world.now.getTime());
      world.now = until;
    }
    assert.equal(requests.length, 30, 'one request in each run');
    assert.equal(new Set(requests.map(({ body }) => body)).size, 1, 'always the same request');
    assert.ok(Math.min(...waits) >= 120_000);
    assert.ok(Math.max(...waits) > 3_600_000 && Math.max(...waits) <= 6 * 3_600_000);
    assert.equal((await world.run()).result, 'done');
  });

  it('has exit code 0 between two attempts: nothing is due', async () => {
    world = await AgentWorld.make();
    await world.run({ send: () => Promise.reject(new Error('connect ECONNREFUSED')) });
    assert.match(world.events[0]?.text ?? '', /Could not log in\. No answer from .*ECONNREFUSED/);
    assert.equal((await world.run()).result, 'done');
    assert.deepEqual(world.server.calls, []);
  });

  it('takes what a proxy says for no word of the server’s', async () => {
    world = await AgentWorld.make();
    await world.run();
    world.advance(50);
    const send = async () => ({ status: 403, headers: { 'content-type': 'text/html' }, text: '<h1>' });
    await world.run({ send });
    assert.equal(world.state.fallback, null);
    assert.notEqual(world.state.pending, null);
  });
});
