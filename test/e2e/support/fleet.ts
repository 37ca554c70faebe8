import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import type { IdentityStatus } from '../../support/contract-shapes.ts';
import type { LocalEnvironment } from '../../support/local-environment.ts';
import type { OpensslAgent } from './openssl-agent.ts';
import { tokenId } from './tokens.ts';
import { type CertificateVersion, publicPem, type SecretVersion, VaultView } from './vault-view.ts';

/** What one client of the management cluster finds in the vault, all versions of it. */
export interface Delivered {
  readonly identity: IdentityStatus;
  /** The oldest first. */
  readonly certificates: readonly CertificateVersion[];
  /** The soonest to expire first. */
  readonly tokens: readonly SecretVersion[];
}

export function isDelivered({ delivery }: IdentityStatus): boolean {
  return delivery === 'vault';
}

/** Reads every version of what lies in the client vault. */
export async function readDelivered(everleaf: LocalEnvironment): Promise<Delivered[]> {
  const vault = clientVault(everleaf);
  const { identities } = await everleaf.status();
  const delivered: Delivered[] = [];
  for (const identity of identities.filter(isDelivered)) {
    const { certificate, token } = vaultNames(identity);
    const certificates = await vault.certificateVersions(certificate);
    delivered.push({ identity, certificates, tokens: await vault.secretVersions(token) });
  }
  return delivered;
}

/**
 * Checks all that holds whenever nothing is due or being worked on: eight clients are served from the vault and
 * Healthy; the vaults hold what belongs there and nothing else; record and vault agree on certificate and token;
 * key and certificate belong together; openssl accepts the certificate now; nothing is pending or poisoned.
 */
export async function checkFleet(everleaf: LocalEnvironment, openssl: OpensslAgent): Promise<Delivered[]> {
  // A start may have left a message that asks for revocation lists.
  await everleaf.settle();
  const status = await everleaf.status();
  const bundle = (await everleaf.api('/api/ca-bundle')).text;
  const delivered = await readDelivered(everleaf);
  assert.equal(delivered.length, 8);
  assert.equal(status.totals.identities, 10);
  assert.deepEqual(status.queue, { waiting: 0, poison: 0 });
  await checkNames(everleaf, delivered, status.authority.activeId);
  for (const { identity, certificates, tokens } of delivered) {
    const { name } = identity;
    assert.equal(identity.state, 'Healthy', name);
    assert.equal(identity.lastFailure, null, name);
    const vault = clientVault(everleaf);
    const names = vaultNames(identity);
    const head = certificates.at(-1);
    assert.ok(head, name);
    assert.equal(head.version, identity.certificate?.vaultVersion, name);
    assert.equal(await vault.currentVersion(names.certificate), head.version, name);
    assert.equal(head.certificate.serialNumber.toLowerCase(), identity.certificate?.serialNumber, name);
    assert.equal(identity.certificate?.renewCount, certificates.length - 1, `${name}: no version too many`);
    openssl.verify(head.certificate.toString(), bundle, {
      at: new Date(status.now),
      purpose: name === 'CloudAgent' ? 'sslserver' : 'sslclient',
    });
    for (const { certificate, keyOfSecret, chain } of certificates) {
      assert.equal(
        publicPem(createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' }))),
        keyOfSecret,
      );
      const [leaf, ...cross] = chain;
      assert.equal(
        leaf?.fingerprint256,
        certificate.fingerprint256,
        `${name}: the secret begins with the leaf`,
      );
      // The first authority has none; every later one is signed by the one before it.
      for (const one of cross) assert.ok(certificate.checkIssued(one) && one.issuer !== one.subject, name);
    }
    const token = await vault.currentSecret(names.token);
    assert.equal(tokenId(token.value), identity.token?.id, name);
    assert.equal(token.expiresOn?.getTime(), Date.parse(identity.token?.expiresAt ?? ''), name);
    assert.equal(token.version, tokens.at(-1)?.version, name);
  }
  return delivered;
}

/** Everything that a restart must leave as it is, in a form to compare. */
export async function fleetSnapshot(everleaf: LocalEnvironment): Promise<unknown> {
  const { identities, authority } = await everleaf.status();
  const { baseUrl, endpoints } = everleaf.env;
  return {
    baseUrl,
    endpoints,
    authority,
    bundle: (await everleaf.api('/api/ca-bundle')).text,
    // What follows from the moment of asking is no part of it.
    identities: identities.map(({ name, state, certificate, token, instances }) => ({
      name,
      state,
      certificate,
      token,
      instances,
    })),
    authorityVersions: await authorityVault(everleaf).versionStates(`authority--${authority.activeId}`),
    delivered: (await readDelivered(everleaf)).map(({ identity, certificates, tokens }) => ({
      name: identity.name,
      certificates: certificates.map(({ version, certificate }) => [version, certificate.fingerprint256]),
      tokens: tokens.map(({ version, value }) => [version, value]),
    })),
  };
}

export function clientVault({ env, personToken }: LocalEnvironment): VaultView {
  return new VaultView(env.endpoints.clientVault, personToken);
}

export function authorityVault({ env, personToken }: LocalEnvironment): VaultView {
  return new VaultView(env.endpoints.authorityVault, personToken);
}

/** The names that the contract gives to a client's certificate and token. */
export function vaultNames({ cluster, name }: IdentityStatus): { certificate: string; token: string } {
  return {
    certificate: `client--${cluster}--${name}`.toLowerCase(),
    token: `token--${cluster}--${name}`.toLowerCase(),
  };
}

/** The vaults hold what they should, and no operation waits in them. */
async function checkNames(
  everleaf: LocalEnvironment,
  delivered: readonly Delivered[],
  authorityId: string,
): Promise<void> {
  const [clients, authority] = [clientVault(everleaf), authorityVault(everleaf)];
  const names = delivered.map(({ identity }) => vaultNames(identity));
  assert.deepEqual(await clients.certificateNames(), names.map(({ certificate }) => certificate).sort());
  assert.deepEqual(await clients.secretNames(), ['ca-bundle', ...names.map(({ token }) => token)].sort());
  // The key that signs the audit log's checkpoints comes with the first of them.
  const authorities = (await authority.certificateNames()).filter((name) => name !== 'audit-signing');
  assert.ok(authorities.includes(`authority--${authorityId}`));
  const made = authorities.filter((name) => name.startsWith('authority--'));
  const trusted = (await everleaf.api('/api/ca-bundle')).text.match(/BEGIN CERTIFICATE/g);
  assert.equal(made.length, trusted?.length, 'no authority was made twice');
  const responders = authorities.filter((name) => !made.includes(name));
  assert.deepEqual(
    responders,
    made.map((name) => name.replace('authority--', 'responder--')),
  );
  assert.deepEqual(await authority.secretNames(), ['rotation-key']);
  for (const { certificate } of names) {
    assert.notEqual(await clients.operationStatus(certificate), 'inProgress', certificate);
  }
  assert.notEqual(await authority.operationStatus(`authority--${authorityId}`), 'inProgress');
}
