import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { LoginAnswer } from '../support/contract-shapes.ts';
import { LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import {
  checkFleet,
  clientVault,
  type Delivered,
  fleetSnapshot,
  isDelivered,
  readDelivered,
  vaultNames,
} from './support/fleet.ts';
import { OpensslAgent } from './support/openssl-agent.ts';

const DAY_MS = 86_400_000;
const BACKDATE_MS = 300_000;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** Less than the nine days for which a credential may be renewed before its window closes. */
const STEP_DAYS = 8;

let stateDir: string;
let everleaf: LocalEnvironment;
let openssl: OpensslAgent;
let bundle: string;
/** The vault on the first day. */
let atFirst: Delivered[];

before(async () => {
  stateDir = makeStateDirectory();
  openssl = new OpensslAgent();
  everleaf = await LocalEnvironment.start(stateDir);
  bundle = (await everleaf.api('/api/ca-bundle')).text;
  atFirst = await checkFleet(everleaf, openssl);
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
  openssl.remove();
});

function keysOf(delivered: readonly Delivered[]): string[] {
  return delivered.flatMap(({ certificates }) => certificates.map(({ keyOfSecret }) => keyOfSecret));
}

describe('fifty days later', () => {
  it('every client finds a new certificate with a new key and a new token in the vault', async () => {
    const before = await everleaf.now();
    const now = await everleaf.advance('P50D', { settle: true });
    assert.ok(now.getTime() - before.getTime() >= 50 * DAY_MS);
    const delivered = await checkFleet(everleaf, openssl);
    for (const { identity, certificates, tokens } of delivered) {
      assert.equal(certificates.length, 2, identity.name);
      assert.equal(tokens.length, 2, identity.name);
      assert.equal(identity.certificate?.renewCount, 1, identity.name);
    }
    assert.equal(new Set(keysOf(delivered)).size, 16, 'no key is used twice');
    assert.equal(new Set(delivered.flatMap(({ tokens }) => tokens.map(({ value }) => value))).size, 16);
  });

  it('the versions before are still there, and still good', async () => {
    const at = await everleaf.now();
    const delivered = await readDelivered(everleaf);
    for (const [index, { identity, certificates, tokens }] of delivered.entries()) {
      const first = atFirst[index];
      assert.equal(first?.identity.name, identity.name);
      assert.deepEqual(certificates[0]?.keyOfSecret, first.certificates[0]?.keyOfSecret);
      assert.equal(certificates[0]?.version, first.certificates[0]?.version);
      assert.deepEqual(tokens[0], first.tokens[0]);
      openssl.verify(certificates[0]?.certificate.toString() ?? '', bundle, { at });
    }
  });

  it('running the timers again changes nothing', async () => {
    const before = await fleetSnapshot(everleaf);
    await everleaf.runTimer('renew-due');
    await everleaf.runTimer('reconcile');
    assert.deepEqual(await fleetSnapshot(everleaf), before);
    const { timers } = await everleaf.status();
    assert.deepEqual(
      timers.map(({ name, lastErrorCode }) => [name, lastErrorCode]),
      [
        ['renew-due', null],
        ['reconcile', null],
        ['seal-audit', null],
        ['roll-authority', null],
        ['publish-crl', null],
        ['renew-responders', null],
        ['backup', null],
        ['watch-fleet', null],
      ],
    );
  });

  it('a client logs in with its new token, and with that the token before has ended', async () => {
    const login = (token: string) => everleaf.login<LoginAnswer & { code: string }>({ token });
    const { token: first } = everleaf.loginFile('KMS');
    const early = await login(first);
    assert.equal(early.status, 200, 'each works to its own end while the newer one is unused');
    const vault = clientVault(everleaf);
    const second = (await vault.currentSecret('token--management--kms')).value;
    assert.notEqual(second, first);
    const answer = await login(second);
    assert.equal(answer.status, 200, answer.text);
    const version = await vault.currentVersion('client--management--kms');
    assert.ok(answer.json.vault?.certificateId.endsWith(`/client--management--kms/${version}`));
    const late = await login(first);
    assert.deepEqual([late.status, late.json.code], [401, 'Expired']);
    assert.equal((await login(second)).status, 200, 'a token can be used again and again');
  });
});

describe('another 272 days, eight days at a time', () => {
  it('no credential in the vault is ever expired, nor left alone when its moment has come', async () => {
    let before = await everleaf.now();
    for (let day = STEP_DAYS; day <= 272; day += STEP_DAYS) {
      const now = await everleaf.advance(`P${STEP_DAYS}D`, { settle: true });
      const due = before.getTime() + STEP_DAYS * DAY_MS;
      before = now;
      const { identities, queue } = await everleaf.status();
      assert.deepEqual(queue, { waiting: 0, poison: 0 });
      for (const { name, state, certificate, token } of identities.filter(isDelivered)) {
        const where = `${name} on day ${day}, ${now.toISOString()}`;
        assert.equal(state, 'Healthy', where);
        assert.ok(Date.parse(certificate?.notAfter ?? '') > now.getTime(), where);
        assert.ok(Date.parse(token?.expiresAt ?? '') > now.getTime(), where);
        assert.ok(Date.parse(certificate?.renewAfter ?? '') > due, `the certificate of ${where}`);
        assert.ok(Date.parse(token?.rotateAfter ?? '') > due, `the token of ${where}`);
      }
    }
  });

  it('openssl accepts every version that ever was in the vault, as long as it says', async () => {
    const delivered = await checkFleet(everleaf, openssl);
    const both = (await everleaf.api('/api/ca-bundle')).text;
    for (const { identity, certificates } of delivered) {
      assert.equal(certificates.at(-1)?.chain.length, 2, 'the newest brings the cross certificate along');
      assert.ok(certificates.length > 6, `${identity.name} was renewed about every 40 days`);
      for (const { certificate } of certificates) {
        const pem = certificate.toString();
        const issuedAt = new Date(Date.parse(certificate.validFrom) + BACKDATE_MS);
        const last = Date.parse(certificate.validTo);
        openssl.verify(pem, both, { at: issuedAt });
        // The last second is valid (RFC 5280, 4.1.2.5); OpenSSL counts it as over (X509_cmp_time(3)).
        openssl.verify(pem, both, { at: new Date(last - 1000) });
        assert.throws(() => openssl.verify(pem, both, { at: new Date(last + 1000) }), /expired/);
      }
    }
    assert.equal(new Set(keysOf(delivered)).size, keysOf(delivered).length, 'no key is used twice');
  });

  it('the authority was followed by the next one in time, and no certificate outlives its own', async () => {
    const pems = (await everleaf.api('/api/ca-bundle')).text.match(PEM) ?? [];
    const authorities = pems.map((pem) => new X509Certificate(pem));
    assert.equal(authorities.length, 2);
    for (const { certificates } of await readDelivered(everleaf)) {
      for (const { certificate } of certificates) {
        const issuer = authorities.find((authority) => certificate.checkIssued(authority));
        assert.ok(Date.parse(certificate.validTo) <= Date.parse(issuer?.validTo ?? ''));
      }
    }
    const end = Date.parse(authorities[1]?.validTo ?? '');
    const instant = new Date(end).toISOString().replace('.000Z', 'Z');
    const { authority, reasons } = await everleaf.status();
    assert.deepEqual([authority.status, authority.nextId, authority.notAfter], ['Overlap', null, instant]);
    assert.ok(!reasons.some(({ code }) => code.startsWith('Authority')));
    const { entries } = await everleaf.plan();
    const [prepare, retire] = entries.filter(({ kind }) => kind === 'authority');
    assert.deepEqual(prepare?.target, { authorityId: authority.activeId });
    assert.deepEqual([prepare?.action, prepare?.reason], ['none', 'NotDue']);
    assert.ok(prepare?.text.includes(`ends at ${instant}`), prepare?.text);
    assert.match(retire?.text ?? '', /^retire authority /);
  });

  it('a client that keeps its own key and never came is shown with its next step', async () => {
    const status = await everleaf.status();
    assert.equal(status.overall, 'critical');
    const agent = status.identities.find(({ name }) => name === 'NodeAgent');
    assert.equal(agent?.state, 'TokenExpired');
    assert.equal(agent?.nextStep.action, 'operator-rotate');
    const late = await everleaf.login({ token: everleaf.loginFile('NodeAgent').token, csr: 'any' });
    assert.deepEqual([late.status, late.json.code], [401, 'Expired']);
  });

  it('every token before the current one is still in the vault', async () => {
    for (const { identity, tokens } of await readDelivered(everleaf)) {
      assert.ok(tokens.length > 6, vaultNames(identity).token);
      assert.equal(new Set(tokens.map(({ value }) => value)).size, tokens.length);
    }
  });
});

describe('somebody makes a version of a client’s certificate in the vault', () => {
  it('Everleaf sees it when the vault tells of it, long before it compares everything, and makes the next one over it', async () => {
    const name = 'client--management--kms';
    const find = async () => {
      const { identities, timers } = await everleaf.status();
      const kms = identities.find((identity) => identity.name === 'KMS');
      return { certificate: kms?.certificate, reconcile: timers.find((timer) => timer.name === 'reconcile') };
    };
    const before = await find();
    await clientVault(everleaf).makeVersion(name);
    const foreign = await clientVault(everleaf).currentVersion(name);
    await everleaf.settle();
    const { certificate, reconcile } = await find();
    assert.deepEqual(reconcile, before.reconcile, 'its timer has not run');
    const current = await clientVault(everleaf).currentVersion(name);
    assert.ok(![foreign, before.certificate?.vaultVersion].includes(current));
    assert.equal(certificate?.vaultVersion, current);
    assert.equal(certificate?.renewCount, (before.certificate?.renewCount ?? 0) + 1);
    const query = '/api/events?cluster=management&type=reconciled&limit=500';
    const events = await everleaf.api<{ items: { reason: string; actor: { id: string } }[] }>(query, {
      token: everleaf.readerToken,
    });
    assert.deepEqual(
      events.json.items.map(({ reason, actor }) => [reason, actor.id]),
      [['vault-version-unknown', 'vault-event']],
    );
  });
});
