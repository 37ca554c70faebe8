import type { KeyObject } from 'node:crypto';
import { toHex } from '../../domain/encoding.ts';
import { EverleafError } from '../../domain/errors.ts';
import { validityFor } from '../../domain/policy.ts';
import { encodePem } from '../../pki/pem.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  CredentialVault,
  KeySpec,
  PendingRequest,
  PendingState,
  VaultCertificate,
} from '../../ports/credential-vault.ts';
import type { Random } from '../../ports/random.ts';
import { assertSameKey, makeKeyPair, makeRequest, makeSelfSigned } from './memory-certificates.ts';

interface Version extends VaultCertificate {
  readonly key: KeyObject;
  readonly isEnabled: boolean;
  /** The rest of what was merged, the issuer's first. */
  readonly chain: readonly Uint8Array[];
}

/** The newest operation of a name. One of the vault's own ends when somebody looks at it, and not before. */
type Operation =
  | { readonly state: 'waiting'; readonly request: PendingRequest; readonly key: KeyObject }
  | { readonly state: 'busy'; readonly spec: KeySpec; readonly key: KeyObject }
  | { readonly state: 'ended' };

/** A certificate with all its versions, as a backup holds it. */
export interface CertificateEntry {
  readonly versions: readonly Version[];
  readonly operation: Operation | null;
  readonly isDeleted: boolean;
}

const EMPTY: CertificateEntry = { versions: [], operation: null, isDeleted: false };
const SELF_SIGNED_DAYS = 365;

/** A vault's certificates and their keys in memory, with the promises of the port. */
export class MemoryVault implements CredentialVault {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #newKey: (spec: KeySpec) => KeyObject;
  readonly #entries = new Map<string, CertificateEntry>();

  /** @param newKey makes the keys; tests that need many RSA keys hand out ready ones */
  constructor(url: string, clock: Clock, random: Random, newKey: (spec: KeySpec) => KeyObject = makeKeyPair) {
    this.#url = url;
    this.#clock = clock;
    this.#random = random;
    this.#newKey = newKey;
  }

  async request(name: string, spec: KeySpec): Promise<PendingRequest> {
    const key = this.#keyFor(this.#idle(name), spec);
    const request = { requestId: this.#id(), csr: makeRequest(spec, key) };
    this.#change(name, { operation: { state: 'waiting', request, key } });
    return request;
  }

  async pending(name: string): Promise<PendingState> {
    const { operation } = this.#live(name) ?? EMPTY;
    if (operation === null) return { state: 'none' };
    if (operation.state === 'waiting') return { state: 'waiting', ...operation.request };
    if (operation.state === 'busy') {
      const { spec, key } = operation;
      const validity = validityFor(this.#clock.now(), SELF_SIGNED_DAYS);
      this.#addVersion(name, makeSelfSigned(spec, key, validity, this.#random.bytes(16)), key);
    }
    return { state: 'ended' };
  }

  async discardPending(name: string): Promise<void> {
    if (this.#live(name) !== null) this.#change(name, { operation: null });
  }

  async merge(name: string, chain: readonly Uint8Array[]): Promise<VaultCertificate> {
    const operation = this.#live(name)?.operation ?? null;
    const [der, ...rest] = chain;
    if (operation === null || der === undefined) {
      throw new EverleafError('NotFound', `Cannot merge into "${name}": there is no operation.`);
    }
    if (operation.state !== 'waiting') {
      throw new EverleafError('VaultRefused', `Cannot merge into "${name}": no request is waiting there.`);
    }
    assertSameKey(name, der, operation.key);
    return this.#addVersion(name, der, operation.key, rest);
  }

  async current(name: string): Promise<VaultCertificate | null> {
    return this.versions(name).at(-1) ?? null;
  }

  async createSelfSigned(name: string, spec: KeySpec): Promise<void> {
    const key = this.#keyFor(this.#idle(name), spec);
    this.#change(name, { operation: { state: 'busy', spec, key } });
  }

  async recover(name: string): Promise<void> {
    if (this.#entries.get(name)?.isDeleted !== true) {
      throw new EverleafError('NotFound', `Cannot recover "${name}": it is not soft-deleted.`);
    }
    this.#change(name, { isDeleted: false });
  }

  async disable(name: string, version: string): Promise<void> {
    const entry = this.#live(name);
    if (entry === null || !entry.versions.some((found) => found.version === version)) {
      throw new EverleafError('NotFound', `Cannot disable version ${version} of "${name}": there is none.`);
    }
    this.#change(name, {
      versions: entry.versions.map((found) =>
        found.version === version ? { ...found, isEnabled: false } : found,
      ),
    });
  }

  async enabledVersions(name: string): Promise<readonly string[]> {
    const versions = this.#live(name)?.versions ?? [];
    return versions.filter(({ isEnabled }) => isEnabled).map(({ version }) => version);
  }

  /**
   * The key of a version, for the signer.
   * @throws EverleafError NotFound; VaultAccessDenied for a version that was disabled
   */
  keyOf(keyId: string): KeyObject {
    const versions = [...this.#entries.values()].flatMap((entry) => (entry.isDeleted ? [] : entry.versions));
    const found = versions.find((version) => version.keyId === keyId);
    if (found === undefined) {
      throw new EverleafError('NotFound', `Cannot sign with ${keyId}: there is no such key.`);
    }
    if (!found.isEnabled) {
      throw new EverleafError('VaultAccessDenied', `Cannot sign with ${keyId}: it is disabled.`, {
        retryable: true,
      });
    }
    return found.key;
  }

  /** A copy with all its versions, without what is pending. @throws EverleafError NotFound */
  copyOut(name: string): CertificateEntry {
    const entry = this.#live(name);
    if (entry !== null && entry.versions.length > 0) return { ...entry, operation: null };
    throw new EverleafError('NotFound', `Cannot back up "${name}": there is none.`);
  }

  /**
   * Brings a copy back: versions keep their ids, and their keys are called after this vault.
   * @throws EverleafError VaultObjectDeleted, VaultRefused for a name that is not free
   */
  copyIn(name: string, { versions }: CertificateEntry): void {
    const found = this.#entries.get(name);
    if (found?.isDeleted === true)
      throw new EverleafError('VaultObjectDeleted', `"${name}" is soft-deleted.`);
    if (found !== undefined)
      throw new EverleafError('VaultRefused', `Cannot restore "${name}": it is there.`);
    const moved = versions.map((one) => ({ ...one, keyId: `${this.#url}/keys/${name}/${one.version}` }));
    this.#change(name, { versions: moved });
  }

  /** Names that hold something, or wait for it. For tests. */
  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Holds what another vault of the same address holds, and forgets what it held itself. For tests. */
  copyFrom(other: MemoryVault): void {
    this.#entries.clear();
    for (const [name, entry] of other.#entries) this.#entries.set(name, entry);
  }

  /** Every finished version, oldest first. For tests. */
  versions(name: string): readonly VaultCertificate[] {
    return this.#live(name)?.versions ?? [];
  }

  /** The certificates of the newest version as its client reads them from the secret: its own, then the chain. For tests. */
  pem(name: string): string {
    const newest = this.#live(name)?.versions.at(-1);
    const ders = newest === undefined ? [] : [newest.der, ...newest.chain];
    return ders.map((der) => encodePem('CERTIFICATE', der)).join('');
  }

  /** What somebody with the rights for it may do at any time. For tests. */
  softDelete(name: string): void {
    if (this.#entries.has(name)) this.#change(name, { isDeleted: true });
  }

  /** As if it had never been. For tests. */
  purge(name: string): void {
    this.#entries.delete(name);
  }

  #live(name: string): CertificateEntry | null {
    const entry = this.#entries.get(name);
    return entry === undefined || entry.isDeleted ? null : entry;
  }

  #change(name: string, change: Partial<CertificateEntry>): void {
    this.#entries.set(name, { ...EMPTY, ...this.#entries.get(name), ...change });
  }

  /** The entry that a new operation begins in. */
  #idle(name: string): CertificateEntry {
    const entry = this.#entries.get(name) ?? EMPTY;
    if (entry.isDeleted) {
      throw new EverleafError('VaultObjectDeleted', `"${name}" is soft-deleted and can be recovered.`, {
        retryable: true,
      });
    }
    if (entry.operation !== null && entry.operation.state !== 'ended') {
      throw new EverleafError('VaultObjectPending', `A version of "${name}" is being made already.`, {
        retryable: true,
      });
    }
    return entry;
  }

  #keyFor(entry: CertificateEntry, spec: KeySpec): KeyObject {
    const latest = entry.versions.at(-1);
    return spec.reuseKey && latest !== undefined ? latest.key : this.#newKey(spec);
  }

  #addVersion(
    name: string,
    der: Uint8Array,
    key: KeyObject,
    chain: readonly Uint8Array[] = [],
  ): VaultCertificate {
    const version = this.#id();
    const added = {
      version,
      keyId: `${this.#url}/keys/${name}/${version}`,
      der,
      key,
      isEnabled: true,
      chain,
    };
    const { versions } = this.#entries.get(name) ?? EMPTY;
    this.#change(name, { versions: [...versions, added], operation: { state: 'ended' } });
    return added;
  }

  #id(): string {
    return toHex(this.#random.bytes(16));
  }
}
