import type { KeyObject } from 'node:crypto';
import { toHex } from '../../domain/encoding.ts';
import { EverleafError } from '../../domain/errors.ts';
import { validityFor } from '../../domain/policy.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  CredentialVault,
  KeySpec,
  PendingRequest,
  PendingState,
  VaultCertificate,
} from '../../ports/credential-vault.ts';
import type { Random } from '../../ports/random.ts';
import type { SecretOptions, SecretVault } from '../../ports/secret-vault.ts';
import { assertSameKey, makeKeyPair, makeRequest, makeSelfSigned } from './memory-certificates.ts';

interface Version extends VaultCertificate {
  readonly key: KeyObject;
  readonly isEnabled: boolean;
}

interface Pending {
  readonly request: PendingRequest;
  readonly key: KeyObject;
}

const SELF_SIGNED_DAYS = 365;

/** A vault in memory: certificates, their keys, and secrets. Keeps the promises of both ports. */
export class MemoryVault implements CredentialVault, SecretVault {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #versions = new Map<string, Version[]>();
  readonly #pending = new Map<string, Pending>();
  readonly #secrets = new Map<string, { value: Secret<string>; version: string }[]>();
  /** Keys by key id, for the signer. */
  readonly keys = new Map<string, KeyObject>();

  constructor(url: string, clock: Clock, random: Random) {
    this.#url = url;
    this.#clock = clock;
    this.#random = random;
  }

  async request(name: string, spec: KeySpec): Promise<PendingRequest> {
    this.#assertIdle(name);
    const key = this.#keyFor(name, spec);
    const request = { requestId: this.#id(), csr: makeRequest(spec, key) };
    this.#pending.set(name, { request, key });
    return request;
  }

  async pending(name: string): Promise<PendingState> {
    const pending = this.#pending.get(name);
    if (pending === undefined) return { state: this.#versions.has(name) ? 'ended' : 'none' };
    return { state: 'waiting', ...pending.request };
  }

  async discardPending(name: string): Promise<void> {
    this.#pending.delete(name);
  }

  async merge(name: string, chain: readonly Uint8Array[]): Promise<VaultCertificate> {
    const pending = this.#pending.get(name);
    const [der] = chain;
    if (pending === undefined || der === undefined) {
      throw new EverleafError('NotFound', `Cannot merge into "${name}": nothing is waiting there.`);
    }
    assertSameKey(name, der, pending.key);
    this.#pending.delete(name);
    return this.#addVersion(name, der, pending.key);
  }

  async current(name: string): Promise<VaultCertificate | null> {
    return this.versions(name).at(-1) ?? null;
  }

  async createSelfSigned(name: string, spec: KeySpec): Promise<void> {
    this.#assertIdle(name);
    const key = this.#keyFor(name, spec);
    const validity = validityFor(this.#clock.now(), SELF_SIGNED_DAYS);
    this.#addVersion(name, makeSelfSigned(spec, key, validity, this.#random.bytes(16)), key);
  }

  /** Nothing is ever deleted here. */
  async recover(): Promise<void> {}

  async disable(name: string, version: string): Promise<void> {
    const versions = this.#versions.get(name) ?? [];
    this.#versions.set(
      name,
      versions.map((found) => (found.version === version ? { ...found, isEnabled: false } : found)),
    );
  }

  async write(name: string, value: Secret<string>, _options: SecretOptions): Promise<{ version: string }> {
    const version = this.#id();
    this.#secrets.set(name, [...(this.#secrets.get(name) ?? []), { value, version }]);
    return { version };
  }

  async read(name: string, version?: string): Promise<{ value: Secret<string>; version: string } | null> {
    const versions = this.#secrets.get(name) ?? [];
    return (
      (version === undefined ? versions.at(-1) : versions.find((found) => found.version === version)) ?? null
    );
  }

  /** Every finished version, oldest first: for tests. */
  versions(name: string): readonly VaultCertificate[] {
    return this.#versions.get(name) ?? [];
  }

  /** Every version of a secret, oldest first: for tests. */
  secretVersions(name: string): readonly { value: Secret<string>; version: string }[] {
    return this.#secrets.get(name) ?? [];
  }

  #assertIdle(name: string): void {
    if (!this.#pending.has(name)) return;
    throw new EverleafError('VaultObjectPending', `A version of "${name}" is being made already.`, {
      retryable: true,
    });
  }

  #keyFor(name: string, spec: KeySpec): KeyObject {
    const latest = this.#versions.get(name)?.at(-1);
    return spec.reuseKey && latest !== undefined ? latest.key : makeKeyPair(spec);
  }

  #addVersion(name: string, der: Uint8Array, key: KeyObject): VaultCertificate {
    const version = this.#id();
    const keyId = `${this.#url}/keys/${name}/${version}`;
    this.#versions.set(name, [
      ...(this.#versions.get(name) ?? []),
      { version, keyId, der, key, isEnabled: true },
    ]);
    this.keys.set(keyId, key);
    return { version, keyId, der };
  }

  #id(): string {
    return toHex(this.#random.bytes(16));
  }
}
