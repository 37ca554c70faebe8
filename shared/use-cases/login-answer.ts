import type { CertificateHead, CertificateRecord, Identity } from '../domain/identity.ts';
import { toInstant } from '../domain/instants.ts';
import { renewalWindow } from '../domain/policy.ts';
import type { TokenRecord } from '../domain/token.ts';
import { encodePem } from '../pki/pem.ts';
import { readTrustBundle } from './authorities.ts';
import type { Deps } from './deps.ts';

/** What a login found or made, before it is put into words. */
export interface IssuedLogin {
  readonly record: CertificateRecord;
  readonly head: CertificateHead;
  readonly instance: string;
  readonly vault: { readonly certificateId: string; readonly secretId: string } | null;
  readonly warnings: readonly string[];
}

/** The answer of `POST /api/login`, as the contract has it. */
export interface LoginAnswer {
  readonly identity: { readonly cluster: string; readonly name: string; readonly clientType: string };
  readonly instance: string;
  readonly certificate: string;
  readonly chain: string;
  readonly caBundle: string;
  readonly bundleId: string;
  readonly serialNumber: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly renewAfter: string;
  readonly renewCount: number;
  readonly token: { readonly expiresAt: string; readonly rotateAfter: string; readonly rotationDue: boolean };
  readonly warnings: readonly string[];
  readonly vault?: { readonly certificateId: string; readonly secretId: string };
}

export async function describeLogin(
  deps: Pick<Deps, 'fleet' | 'clock'>,
  identity: Identity,
  token: TokenRecord,
  login: IssuedLogin,
): Promise<LoginAnswer> {
  const bundle = await readTrustBundle(deps);
  const { renewAfter: rotateAfter } = renewalWindow(token.issuedAt, token.expiresAt, token.id);
  return {
    identity: { cluster: identity.cluster, name: identity.name, clientType: identity.clientType },
    instance: login.instance,
    certificate: encodePem('CERTIFICATE', login.record.der),
    chain: '',
    caBundle: bundle.pem,
    bundleId: bundle.id,
    serialNumber: login.head.serialNumber,
    notBefore: toInstant(login.head.notBefore),
    notAfter: toInstant(login.head.notAfter),
    renewAfter: toInstant(login.head.renewAfter),
    renewCount: login.head.renewCount,
    token: {
      expiresAt: toInstant(token.expiresAt),
      rotateAfter: toInstant(rotateAfter),
      rotationDue: rotateAfter <= deps.clock.now(),
    },
    warnings: login.warnings,
    ...(login.vault === null ? {} : { vault: login.vault }),
  };
}
