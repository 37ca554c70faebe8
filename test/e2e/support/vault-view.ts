import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { CertificateClient } from '@azure/keyvault-certificates';
import { SecretClient } from '@azure/keyvault-secrets';

/** One version of a certificate, as its client finds it in the vault: certificate and private key. */
export interface CertificateVersion {
  readonly version: string;
  readonly certificate: X509Certificate;
  /** SubjectPublicKeyInfo of the private key that lies beside it, as PEM. */
  readonly keyOfSecret: string;
  /** The certificates of the secret's PEM, the leaf first. */
  readonly chain: readonly X509Certificate[];
}

export interface SecretVersion {
  readonly version: string;
  readonly value: string;
  readonly expiresOn: Date | undefined;
}

/** A vault through the unmodified SDK clients, for somebody who may read everything. */
export class VaultView {
  readonly #url: string;
  readonly #token: string;
  readonly #certificates: CertificateClient;
  readonly #secrets: SecretClient;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
    // Ten virtual years is how long the local tokens live; the client need not ask for another.
    const credential = {
      getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 10 * 365 * 86_400_000 }),
    };
    const options = { allowInsecureConnection: true, disableChallengeResourceVerification: true };
    this.#certificates = new CertificateClient(url, credential, options);
    this.#secrets = new SecretClient(url, credential, options);
  }

  async certificateNames(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.#certificates.listPropertiesOfCertificates({ includePending: true })) {
      names.push(name ?? '');
    }
    return names.sort();
  }

  /** The names of the secrets that are no certificate's other side. */
  async secretNames(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name, managed } of this.#secrets.listPropertiesOfSecrets()) {
      if (managed !== true) names.push(name);
    }
    return names.sort();
  }

  /** The version that a client gets that asks for none. */
  async currentVersion(name: string): Promise<string> {
    return (await this.#certificates.getCertificate(name)).properties.version ?? '';
  }

  async currentSecret(name: string): Promise<SecretVersion> {
    const { value, properties } = await this.#secrets.getSecret(name);
    return { version: properties.version ?? '', value: value ?? '', expiresOn: properties.expiresOn };
  }

  /** Makes a version that the vault signs itself, as somebody with the portal may. */
  async makeVersion(name: string): Promise<void> {
    const policy = { issuerName: 'Self', subject: 'CN=somebody else' };
    await (await this.#certificates.beginCreateCertificate(name, policy)).pollUntilDone();
  }

  /** Every version and whether it may be used, by id. */
  async versionStates(name: string): Promise<[version: string, enabled: boolean][]> {
    const states: [string, boolean][] = [];
    for await (const { version, enabled } of this.#certificates.listPropertiesOfCertificateVersions(name)) {
      states.push([version ?? '', enabled ?? false]);
    }
    return states.sort();
  }

  /** Every version, the oldest first. */
  async certificateVersions(name: string): Promise<CertificateVersion[]> {
    const versions: CertificateVersion[] = [];
    for await (const { version = '' } of this.#certificates.listPropertiesOfCertificateVersions(name)) {
      versions.push(await this.#certificateVersion(name, version));
    }
    return versions.sort((a, b) => startOf(a) - startOf(b));
  }

  /** Every version with its value, the soonest to expire first. */
  async secretVersions(name: string): Promise<SecretVersion[]> {
    const versions: SecretVersion[] = [];
    for await (const { version = '', expiresOn } of this.#secrets.listPropertiesOfSecretVersions(name)) {
      const { value } = await this.#secrets.getSecret(name, { version });
      versions.push({ version, value: value ?? '', expiresOn });
    }
    return versions.sort((a, b) => (a.expiresOn?.getTime() ?? 0) - (b.expiresOn?.getTime() ?? 0));
  }

  /** The state of the last operation on a certificate, null when there is none. The SDK has only a poller for it. */
  async operationStatus(name: string): Promise<string | null> {
    const response = await fetch(`${this.#url}/certificates/${name}/pending?api-version=7.4`, {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    if (response.status === 404) return null;
    return ((await response.json()) as { status: string }).status;
  }

  async #certificateVersion(name: string, version: string): Promise<CertificateVersion> {
    const { cer } = await this.#certificates.getCertificateVersion(name, version);
    const { value = '' } = await this.#secrets.getSecret(name, { version });
    const blocks = value.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    return {
      version,
      certificate: new X509Certificate(cer ?? new Uint8Array()),
      keyOfSecret: publicPem(createPublicKey(createPrivateKey(value))),
      chain: blocks.map((pem) => new X509Certificate(pem)),
    };
  }
}

/** SubjectPublicKeyInfo as PEM, to compare keys by. */
export function publicPem(key: ReturnType<typeof createPublicKey>): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function startOf({ certificate }: CertificateVersion): number {
  return Date.parse(certificate.validFrom);
}
