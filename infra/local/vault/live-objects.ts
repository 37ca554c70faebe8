import { badParameter, deletedButRecoverable, forbidden, notFound, VaultError } from './errors.ts';
import type {
  CertificateObject,
  CertificateVersion,
  KeyObject,
  KeyType,
  KeyVersion,
  SecretObject,
  StoredObject,
} from './model.ts';

const KIND_NAMES = { certificate: 'Certificate', key: 'Key', secret: 'Secret' } as const;

/** @throws VaultError 404 unless it is a certificate that is not deleted */
export function liveCertificate(object: StoredObject | undefined, name: string): CertificateObject {
  if (object?.kind === 'certificate' && object.deleted === null) return object;
  throw notFound('Certificate', name);
}

/** @throws VaultError 404 unless it is a key of its own, not deleted */
export function liveKey(object: StoredObject | undefined, name: string): KeyObject {
  if (object?.kind === 'key' && object.deleted === null) return object;
  throw notFound('Key', name);
}

/** @throws VaultError 404 unless it is a secret of its own, not deleted */
export function liveSecret(object: StoredObject | undefined, name: string): SecretObject {
  if (object?.kind === 'secret' && object.deleted === null) return object;
  throw notFound('Secret', name);
}

/**
 * A certificate's version, the latest when `version` is empty.
 * @throws VaultError 404
 */
export function certificateVersion(
  object: StoredObject | undefined,
  name: string,
  version: string,
): { certificate: CertificateObject; found: CertificateVersion } {
  const certificate = object?.kind === 'certificate' && object.deleted === null ? object : null;
  const found = findVersion(certificate?.versions ?? [], version);
  if (certificate === null || found === undefined) {
    throw notFound('Certificate', version === '' ? name : `${name}/${version}`);
  }
  return { certificate, found };
}

/** The type of the key that a request is about, deleted or not; null when there is none. */
export function keyTypeOf(object: StoredObject | undefined, version: string): KeyType | null {
  if (object === undefined || object.kind === 'secret') return null;
  const versions: readonly KeyVersion[] = object.versions;
  return findVersion(versions, version)?.key.type ?? null;
}

/**
 * A version of a key, be it a key's own or a certificate's; the latest when `version` is empty.
 * @throws VaultError 404
 */
export function keyVersion(
  object: StoredObject | undefined,
  name: string,
  version: string,
): { owner: CertificateObject | KeyObject; found: KeyVersion } {
  const owner = object === undefined || object.kind === 'secret' || object.deleted !== null ? null : object;
  const versions: readonly KeyVersion[] = owner?.versions ?? [];
  const found = findVersion(versions, version);
  if (owner === null || found === undefined)
    throw notFound('Key', version === '' ? name : `${name}/${version}`);
  return { owner, found };
}

/** The version of that id, the latest when `version` is empty. */
export function findVersion<Version extends { readonly version: string }>(
  versions: readonly Version[],
  version: string,
): Version | undefined {
  if (version === '') return versions.at(-1);
  return versions.find((candidate) => candidate.version === version.toLowerCase());
}

/**
 * A certificate's key and secret change with the certificate only.
 * @throws VaultError 403
 */
export function refuseManaged(
  object: StoredObject | undefined,
  operation: 'create' | 'set' | 'update' | 'delete' | 'backup',
  what: 'key' | 'secret',
): void {
  if (object?.kind === 'certificate' && object.deleted === null) {
    throw forbidden(
      `Operation ${operation} is not allowed on the ${what} of a certificate.`,
      what === 'key' ? 'KeyManaged' : 'SecretManaged',
    );
  }
}

/**
 * Certificates, keys and secrets share their names: lets a new version be added only to an object of its own kind.
 * @throws VaultError 409
 */
export function refuseForeignName(object: StoredObject | undefined, kind: StoredObject['kind']): void {
  refuseDeletedName(object);
  if (object !== undefined && object.kind !== kind) {
    throw new VaultError(
      409,
      'Conflict',
      `The name ${object.name} belongs to a ${object.kind}: a ${kind} needs a name of its own.`,
    );
  }
}

/**
 * The certificate that gets a new version by create or import; null when it will be the first.
 * @throws VaultError 409 when the name is another kind's, is soft-deleted, or has a version on its way
 */
export function certificateToExtend(object: StoredObject | undefined): CertificateObject | null {
  refuseForeignName(object, 'certificate');
  if (object?.kind !== 'certificate') return null;
  if (object.pending?.status === 'inProgress') {
    // The service answers 409 with the code Forbidden (Microsoft Learn, "Monitor and manage certificate creation").
    throw new VaultError(
      409,
      'Forbidden',
      'A new key vault certificate can not be created or imported while a pending key vault certificate is in progress.',
    );
  }
  return object;
}

/** @throws VaultError 409 when the name belongs to a soft-deleted object, of whatever kind */
export function refuseDeletedName(object: StoredObject | undefined): void {
  if (object === undefined || object.deleted === null) return;
  throw deletedButRecoverable(KIND_NAMES[object.kind], object.name);
}

/** 400 for an operation that has come to its end, whichever that was. */
export function notInProgress(status: string): VaultError {
  return badParameter(`The pending certificate operation is not in progress: its status is ${status}.`);
}
