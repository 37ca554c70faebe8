import type { TokenCredential } from '@azure/identity';
import {
  CertificateClient,
  type CertificateOperation,
  type CertificatePolicy,
  type KeyUsageType,
  type KeyVaultCertificateWithPolicy,
} from '@azure/keyvault-certificates';
import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import type {
  CredentialVault,
  KeySpec,
  PendingRequest,
  PendingState,
  VaultCertificate,
} from '../../ports/credential-vault.ts';
import { ChallengedClient } from './challenged-client.ts';
import { vaultClientOptions } from './client-options.ts';
import { isMissing, vaultError } from './errors.ts';
import type { VaultPolicy } from './watched-calls.ts';

/**
 * Key Vault wants a length in whole months for every policy. For issuer Unknown it has no effect, because the
 * certificate that is merged has dates of its own; a self-signed version needs a life for its key to be usable.
 */
const POLICY_MONTHS = 12;

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** Certificates of one vault, through the unmodified Key Vault client. */
export class VaultCertificates implements CredentialVault {
  readonly #client: ChallengedClient<CertificateClient>;

  constructor(vaultUrl: string, credential: TokenCredential, policies: readonly VaultPolicy[] = []) {
    this.#client = new ChallengedClient(
      () => new CertificateClient(vaultUrl, credential, vaultClientOptions(vaultUrl, policies)),
    );
  }

  async request(name: string, spec: KeySpec): Promise<PendingRequest> {
    await this.#begin(name, policyFor(spec, 'Unknown'));
    const state = await this.pending(name);
    if (state.state === 'waiting') return state;
    throw new EverleafError('VaultRefused', `The vault made no request for "${name}", and gave no reason.`);
  }

  async pending(name: string): Promise<PendingState> {
    return this.#call(`Cannot read the pending operation of "${name}"`, async (client) => {
      try {
        const poller = await client.getCertificateOperation(name);
        return pendingState(poller.getOperationState().certificateOperation);
      } catch (error) {
        if (isMissing(error)) return { state: 'none' };
        if (isOperationError(error)) return { state: 'ended' };
        throw error;
      }
    });
  }

  async discardPending(name: string): Promise<void> {
    await this.#call(`Cannot remove the pending operation of "${name}"`, async (client) => {
      try {
        await client.deleteCertificateOperation(name);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  async merge(name: string, chain: readonly Uint8Array[]): Promise<VaultCertificate> {
    return this.#call(`Cannot merge a certificate into "${name}"`, async (client) => {
      const merged = await client.mergeCertificate(name, [...chain]);
      return finished(merged) ?? this.#unfinished(name);
    });
  }

  async current(name: string): Promise<VaultCertificate | null> {
    return this.#call(`Cannot read "${name}"`, async (client) => {
      try {
        return finished(await client.getCertificate(name));
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  async createSelfSigned(name: string, spec: KeySpec): Promise<void> {
    await this.#begin(name, policyFor(spec, 'Self'));
  }

  async recover(name: string): Promise<void> {
    await this.#call(`Cannot recover the soft-deleted "${name}"`, async (client) => {
      const poller = await client.beginRecoverDeletedCertificate(name, { intervalInMs: 500 });
      await poller.pollUntilDone();
    });
  }

  async disable(name: string, version: string): Promise<void> {
    await this.#call(`Cannot disable version ${version} of "${name}"`, (client) =>
      client.updateCertificateProperties(name, version, { enabled: false }),
    );
  }

  async enabledVersions(name: string): Promise<readonly string[]> {
    return this.#call(`Cannot list the versions of "${name}"`, async (client) => {
      const versions: string[] = [];
      try {
        for await (const { enabled, version } of client.listPropertiesOfCertificateVersions(name)) {
          if (enabled === true && version !== undefined) versions.push(version);
        }
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      return versions;
    });
  }

  /** Begins a new version; how the operation ends, `pending` tells. */
  async #begin(name: string, policy: CertificatePolicy): Promise<void> {
    await this.#call(`Cannot make a key in "${name}"`, async (client) => {
      try {
        await client.beginCreateCertificate(name, policy);
      } catch (error) {
        if (!isOperationError(error)) throw error;
      }
    });
  }

  #unfinished(name: string): never {
    throw new EverleafError(
      'VaultRefused',
      `The vault merged "${name}" and answered without its certificate.`,
    );
  }

  async #call<T>(doing: string, action: (client: CertificateClient) => Promise<T>): Promise<T> {
    try {
      return await this.#client.call(action);
    } catch (error) {
      throw isEverleafError(error) ? error : vaultError(error, doing);
    }
  }
}

/**
 * True for what the client throws when it has read an operation that failed or was cancelled: a plain Error with the
 * operation's message. What went wrong on the way to the vault has a status, or a class of its own.
 */
function isOperationError(error: unknown): boolean {
  return error instanceof Error && error.name === 'Error' && !('statusCode' in error) && !('code' in error);
}

function pendingState(operation: CertificateOperation | undefined): PendingState {
  if (operation === undefined) return { state: 'none' };
  if (operation.status !== 'inProgress' || operation.cancellationRequested === true)
    return { state: 'ended' };
  const { csr, requestId, issuerName } = operation;
  if (issuerName !== 'Unknown' || csr === undefined || csr.length === 0) return { state: 'busy' };
  return { state: 'waiting', requestId: requestId ?? '', csr };
}

/** While its first version is being made, a certificate has no content yet. */
function finished(certificate: KeyVaultCertificateWithPolicy): VaultCertificate | null {
  const { cer, keyId, properties } = certificate;
  if (cer === undefined || cer.length === 0 || keyId === undefined || properties.version === undefined)
    return null;
  return {
    version: properties.version,
    keyId,
    der: Uint8Array.from(cer),
    isEnabled: properties.enabled !== false,
  };
}

const EXTENDED_KEY_USAGE: Readonly<Record<KeySpec['usage'], string[]>> = {
  client: [CLIENT_AUTH],
  server: [CLIENT_AUTH, SERVER_AUTH],
  authority: [],
  signature: [],
};

function policyFor(spec: KeySpec, issuerName: 'Self' | 'Unknown'): CertificatePolicy {
  const isAuthority = spec.usage === 'authority';
  const common: CertificatePolicy = {
    issuerName,
    subject: subjectText(spec),
    exportable: spec.exportable,
    reuseKey: spec.reuseKey,
    validityInMonths: POLICY_MONTHS,
    contentType: 'application/x-pem-file',
    // An authority's key must be allowed to sign certificates, lists of revoked ones and, in the vault, anything.
    keyUsage: isAuthority ? ['digitalSignature', 'keyCertSign', 'cRLSign'] : keyUsageOf(spec),
    enhancedKeyUsage: EXTENDED_KEY_USAGE[spec.usage],
  };
  const [firstName, ...otherNames] = spec.dnsNames;
  if (firstName !== undefined) common.subjectAlternativeNames = { dnsNames: [firstName, ...otherNames] };
  if (spec.keyType === 'EC-P256') return { ...common, keyType: 'EC', keyCurveName: 'P-256' };
  return { ...common, keyType: 'RSA', keySize: Number(spec.keyType.slice('RSA-'.length)) };
}

function keyUsageOf(spec: KeySpec): KeyUsageType[] {
  const isRsaServer = spec.usage === 'server' && spec.keyType !== 'EC-P256';
  return isRsaServer ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
}

/** Names hold letters, digits, dots, hyphens and spaces here, none of which needs escaping (RFC 4514, 2.4). */
function subjectText({ commonName, organization }: KeySpec): string {
  return organization === null ? `CN=${commonName}` : `CN=${commonName}, O=${organization}`;
}
