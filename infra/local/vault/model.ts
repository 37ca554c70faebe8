/**
 * What the stand-in remembers. One object per name: a certificate owns the key and the secret of the same name, so
 * these have no record of their own. Times are whole seconds since 1970, as on the wire; `null` is "not set".
 */
export type StoredObject = CertificateObject | KeyObject | SecretObject;

export interface Attributes {
  readonly enabled: boolean;
  readonly nbf: number | null;
  readonly exp: number | null;
  readonly created: number;
  readonly updated: number;
}

export type Tags = Readonly<Record<string, string>>;

/** Soft deletion. After `scheduledPurgeDate` the object does not exist any more. */
export interface Deletion {
  readonly deletedDate: number;
  readonly scheduledPurgeDate: number;
}

export interface SecretObject {
  readonly v: 1;
  readonly kind: 'secret';
  readonly name: string;
  readonly versions: readonly SecretVersion[];
  readonly deleted: Deletion | null;
}

export interface SecretVersion {
  readonly version: string;
  readonly value: string;
  readonly contentType: string | null;
  readonly attributes: Attributes;
  readonly tags: Tags | null;
}

/** A key of its own, not a certificate's. */
export interface KeyObject {
  readonly v: 1;
  readonly kind: 'key';
  readonly name: string;
  readonly versions: readonly KeyVersion[];
  readonly deleted: Deletion | null;
}

export interface KeyVersion {
  readonly version: string;
  readonly key: StoredKey;
  readonly attributes: Attributes;
  readonly tags: Tags | null;
}

export interface CertificateObject {
  readonly v: 1;
  readonly kind: 'certificate';
  readonly name: string;
  /** One policy for all versions; each version keeps what was decided when its key was made. */
  readonly policy: CertificatePolicy;
  /** Oldest first; the last one is the current version. */
  readonly versions: readonly CertificateVersion[];
  readonly pending: PendingOperation | null;
  /** The version that the first create call began; it is shown, disabled, until there is a real one. */
  readonly draft: { readonly version: string; readonly created: number } | null;
  readonly deleted: Deletion | null;
}

export interface CertificateVersion {
  readonly version: string;
  /** Base64 of the DER certificate. */
  readonly cer: string;
  /** The rest of the merged chain, leaf's issuer first, base64 of DER. */
  readonly chain: readonly string[];
  readonly key: StoredKey;
  readonly exportable: boolean;
  readonly contentType: string;
  readonly attributes: Attributes;
  readonly tags: Tags | null;
}

/** A private key with what may be done with it. */
export interface StoredKey {
  /** PKCS#8 PEM. */
  readonly pem: string;
  readonly type: KeyType;
  readonly keyOps: readonly string[];
}

/** `hsm` keys stand for keys in hardware: they never leave the vault, and they are dearer. Here they are like the others. */
export type KeyType = (
  | { readonly kty: 'RSA'; readonly keySize: 2048 | 3072 | 4096 }
  | { readonly kty: 'EC'; readonly crv: Curve }
) & { readonly hsm?: true };

export type Curve = 'P-256' | 'P-384' | 'P-521';

export interface PendingOperation {
  readonly requestId: string;
  /** The version that the certificate will get. */
  readonly version: string;
  readonly issuer: IssuerParameters;
  /** Base64 of the DER PKCS#10 request. */
  readonly csr: string;
  readonly status: 'inProgress' | 'completed' | 'cancelled';
  readonly cancellationRequested: boolean;
  /** For issuer Self: how often `inProgress` is still to be answered. */
  readonly pollsLeft: number;
  readonly key: StoredKey;
  readonly exportable: boolean;
  readonly contentType: string;
  readonly enabled: boolean;
  readonly tags: Tags | null;
}

export interface IssuerParameters {
  readonly name: string;
  readonly cty?: string | undefined;
  readonly cert_transparency?: boolean | undefined;
}

/** A certificate policy with every default filled in. */
export interface CertificatePolicy {
  readonly key: KeyType;
  readonly exportable: boolean;
  readonly reuseKey: boolean;
  readonly contentType: string;
  readonly subject: string;
  readonly ekus: readonly string[];
  readonly sans: SubjectAlternativeNames | null;
  readonly keyUsage: readonly string[];
  readonly validityMonths: number;
  readonly lifetimeActions: readonly unknown[];
  readonly issuer: IssuerParameters;
  readonly attributes: { readonly enabled: boolean; readonly created: number; readonly updated: number };
}

export interface SubjectAlternativeNames {
  readonly emails?: readonly string[] | undefined;
  readonly dns_names?: readonly string[] | undefined;
  readonly upns?: readonly string[] | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly ipAddresses?: readonly string[] | undefined;
}

/** Now, in whole seconds of virtual time. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
