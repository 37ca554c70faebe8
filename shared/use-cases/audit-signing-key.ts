import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { VAULT_AUDIT_SIGNING_NAME } from '../domain/names.ts';
import { parseCertificate } from '../pki/certificate.ts';
import type { AuditSigningKey } from '../ports/audit-store.ts';
import type { KeySpec, VaultCertificate } from '../ports/credential-vault.ts';
import type { Deps, Run } from './deps.ts';

/** How often, and how far apart, the vault is asked whether it has finished the key. */
const KEY_POLLS = 30;
const KEY_POLL_MS = 1_000;

/** A new version is made when this much of the old one's life is over. */
const RENEW_AT = 2 / 3;

/** Not exportable, and not the authority's: who signs the log must not be able to issue, and the other way round. */
const SPEC: KeySpec = {
  keyType: 'EC-P256',
  exportable: false,
  reuseKey: false,
  commonName: 'Everleaf Audit',
  organization: null,
  dnsNames: [],
  usage: 'signature',
};

/**
 * The key that signs checkpoints now: a self-signed certificate in the authority vault, a new version before the old one
 * ends. Each version goes on to prove what it has signed. Safe to interrupt anywhere and to repeat.
 * @throws EverleafError VaultObjectPending while the vault still makes the key; as CredentialVault and AuditStore
 */
export async function ensureAuditSigningKey(deps: Deps, run: Run): Promise<AuditSigningKey> {
  const stored = await deps.audit.signingKey();
  if (stored !== null && isFresh(deps, stored.value)) return stored.value;
  const made = await freshVersion(deps);
  const key: AuditSigningKey = { v: 1, ...made };
  try {
    await deps.audit.putSigningKey(key, stored?.etag ?? null);
  } catch (error) {
    const winner = isEverleafError(error, 'Conflict') ? await deps.audit.signingKey() : null;
    if (winner === null) throw error;
    return winner.value;
  }
  run.log.write('info', `Checkpoints of the audit log are signed with ${key.keyId} from now on.`);
  return key;
}

type Made = Omit<AuditSigningKey, 'v'>;

/** The vault's newest version, or a new one when that has not long to live. */
async function freshVersion(deps: Deps): Promise<Made> {
  const name = VAULT_AUDIT_SIGNING_NAME;
  for (let poll = 0; poll < KEY_POLLS; poll++) {
    // In this order: an operation that ends in between shows as a version.
    const pending = await deps.authorityVault.pending(name);
    const current = await deps.authorityVault.current(name);
    const made = current === null ? null : describe(current);
    if (made !== null && isFresh(deps, made)) return made;
    if (pending.state === 'waiting' || pending.state === 'ended')
      await deps.authorityVault.discardPending(name);
    if (pending.state === 'busy') await deps.clock.wait(KEY_POLL_MS);
    else await createVersion(deps, name);
  }
  throw new EverleafError('VaultObjectPending', `The vault has not finished the key of "${name}".`, {
    retryable: true,
    retryAfterSeconds: 60,
  });
}

async function createVersion(deps: Deps, name: string): Promise<void> {
  try {
    await deps.authorityVault.createSelfSigned(name, SPEC);
  } catch (error) {
    if (isEverleafError(error, 'VaultObjectDeleted')) await deps.authorityVault.recover(name);
    else if (!isEverleafError(error, 'VaultObjectPending')) throw error;
  }
}

function describe({ keyId, der }: VaultCertificate): Made {
  const { notBefore, notAfter } = parseCertificate(der);
  return { keyId, certificate: der, notBefore, notAfter };
}

function isFresh(deps: Deps, { notBefore, notAfter }: Pick<Made, 'notBefore' | 'notAfter'>): boolean {
  const life = notAfter.getTime() - notBefore.getTime();
  return deps.clock.now().getTime() < notBefore.getTime() + life * RENEW_AT;
}
