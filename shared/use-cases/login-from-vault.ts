import { isNewsToSee } from '../domain/certificate-use.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import {
  type CertificateHead,
  type CertificateRecord,
  type Identity,
  VAULT_INSTANCE,
} from '../domain/identity.ts';
import { type IdentityId, identityText, vaultCertificateName } from '../domain/names.ts';
import type { TokenRecord } from '../domain/token.ts';
import { bundleEvents, withBundle } from './bundle-word.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { findRevocation } from './find-revocation.ts';
import { countIssuance } from './issuance-limit.ts';
import type { IssuedLogin } from './login-answer.ts';
import { tokenUse } from './token-use.ts';
import { readIdentity } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

const RACES = 10;

/**
 * A login without a certificate request: the identity's current certificate and where in the vault its key is. Nothing is
 * issued, so it is not counted against the logins that the token is good for. It is written down when it is news: the
 * token's first use, the first in an hour, or another trust bundle.
 * @throws EverleafError InvalidInput for an identity that keeps its own key; NotReady before its first certificate, and
 *   while the one in the vault is revoked: the next scan brings another one there; TooManyRequests for one that makes too
 *   much news
 */
export async function readVaultCertificate(
  deps: Deps,
  run: Run,
  identity: Identity,
  token: TokenRecord,
  bundleId: string | null,
): Promise<IssuedLogin> {
  if (identity.delivery !== 'vault') {
    throw new EverleafError(
      'InvalidInput',
      `${identityText(identity)} keeps its own key: a login needs "csr", a certificate request in PEM.`,
      { details: { pointer: '/csr' } },
    );
  }
  const { used, head, record } = await recordUse(deps, run, identity, token, bundleId);
  const { url } = await vaultsOf(deps, identity.cluster);
  const path = `${vaultCertificateName(identity)}/${head.vaultVersion}`;
  return {
    identity: used,
    record,
    head,
    instance: VAULT_INSTANCE,
    vault: {
      certificateId: `${url}/certificates/${path}`,
      secretId: `${url}/secrets/${path}`,
    },
    warnings: [],
  };
}

/** The certificate in force, and the login that tells of it; a certificate that helps nobody is not told. */
async function recordUse(
  deps: Deps,
  run: Run,
  identity: Identity,
  token: TokenRecord,
  bundleId: string | null,
): Promise<{ used: Identity; head: CertificateHead; record: CertificateRecord }> {
  const id = { cluster: identity.cluster, name: identity.name };
  for (let race = 1; ; race++) {
    const current = await readIdentity(deps, id);
    const { head } = current.certificate;
    const record = head === null ? null : await deps.identities.certificate(id, head.serialNumber);
    if (head === null || record === null) throw notReady(id, 'The first certificate');
    const isNews =
      token.firstUsedAt === null ||
      isNewsToSee(current.lastSeenAt, deps.clock.now()) ||
      (bundleId !== null && bundleId !== current.acknowledgedBundleId);
    // Asked also when nothing is written: the token is judged once more there.
    const use = await tokenUse(deps, id, token.id, 'read', (fresh) => ({
      identity: isNews ? countIssuance(deps, withBundle(fresh, null, bundleId)) : fresh,
      changes: [],
    }));
    // After the token was judged: what revokes the identity or the token has its own answer.
    if ((await findRevocation(deps, current, null, record)) !== null) {
      throw notReady(id, 'The certificate in the vault is revoked, and the next one');
    }
    if (!isNews) return { used: current, head, record };
    try {
      await deps.identities.commit(identity.cluster, [
        ...use.changes,
        eventChange(deps, run, 'login', id, { serialNumber: head.serialNumber }),
        ...bundleEvents(deps, run, current, null, bundleId),
      ]);
      return { used: current, head, record };
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || race === RACES) throw error;
    }
  }
}

function notReady(id: IdentityId, what: string): EverleafError {
  return new EverleafError('NotReady', `${what} of ${identityText(id)} is still being made.`, {
    retryable: true,
    retryAfterSeconds: 30,
  });
}
