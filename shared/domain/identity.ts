import type { IdentityId } from './names.ts';
import type { WindowCount } from './rate-window.ts';
import type { RevocationReason } from './revocation.ts';

/** The cloud agent's client types, spelled as in its login files, and Host, which its enum knows as well. */
export const CLIENT_TYPES = [
  'Admin',
  'BareMetal',
  'ControlPlane',
  'ExternalClient',
  'LoadBalancer',
  'Node',
  'Host',
] as const;
export type ClientType = (typeof CLIENT_TYPES)[number];

/**
 * Who keeps the key. `vault`: born in Key Vault, renewed by Everleaf with nobody's help, read by the client from
 * there. `agent`: the agent's own; it sends certificate requests and renews with proof of the key.
 */
export type Delivery = 'vault' | 'agent';

/** Which of the operator's repairs an identity belongs to: Update-AksHciClusterCertificates has one switch each. */
export type CredentialsGroup = 'cloud' | 'kubelet';

export type CredentialKind = 'certificate' | 'token';

/** The last failure of a credential's renewal; gone with the next success. */
export interface Failure {
  readonly at: Date;
  readonly code: string;
  /** Failures in a row, 1 or more. */
  readonly attempts: number;
  readonly retryAt: Date;
}

/** A certificate that is being made: written before anything is signed, so that a crash leaves a trace. */
export interface CertificateAttempt {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly serialNumber: string;
  readonly issuedAt: Date;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly authorityId: string;
  /** SHA-256 of the request's SubjectPublicKeyInfo; once written, the attempt's serial belongs to this key alone. */
  readonly spkiHash: string | null;
  /** The vault's name for its pending operation. */
  readonly requestId: string | null;
}

/** The certificate in force of a line. */
export interface CertificateHead {
  readonly serialNumber: string;
  readonly issuedAt: Date;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly renewAfter: Date;
  readonly renewCount: number;
  readonly authorityId: string;
  readonly vaultVersion: string | null;
}

/** What certificates and tokens have in common in an identity's record. */
export interface CredentialState {
  /** Renewals done, counted per credential: a message of an earlier generation has had its effect already. */
  readonly generation: number;
  /** Row key of this credential's row in the due index; changes in the same transaction as that row. */
  readonly dueKey: string | null;
  /** Set while a message for this credential is on the queue or being worked on. */
  readonly queuedAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly failure: Failure | null;
  /** Set while an operator has asked for the next one, whatever the dates say; gone when it is there. */
  readonly forcedAt: Date | null;
}

export interface CertificateState extends CredentialState {
  readonly attempt: CertificateAttempt | null;
  /**
   * The certificate in force: the vault's current one, or the one that an agent was given last, whichever of its
   * instances that was; the lines themselves stand in rows of their own.
   */
  readonly head: CertificateHead | null;
}

export interface TokenState extends CredentialState {
  /** The newest token. */
  readonly id: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly rotateAfter: Date;
  /** Highest generation that was ever used to log in; -1 while none was. Every earlier one has ended. */
  readonly usedGeneration: number;
  /** Version of the vault secret that holds the newest token; null while it is not there (or agent delivery). */
  readonly vaultVersion: string | null;
  /** Lowest generation that may log in at all: a cut-over raises it to the newest, which ends all others at once. */
  readonly floorGeneration: number;
  /** Generation of the last token that was made for an operator to hand over in a login file; -1 while none was. */
  readonly handoverGeneration: number;
  /** End of the token before this one; null for the first. Until the newest is delivered, clients hold that one. */
  readonly predecessorExpiresAt: Date | null;
}

/** An identity's record. The names of its fields are the cloud agent's own where it has one. */
export interface Identity extends IdentityId {
  readonly v: 1;
  readonly clientType: ClientType;
  readonly delivery: Delivery;
  readonly credentials: CredentialsGroup;
  readonly autoRotate: boolean;
  readonly tokenExpiryInSeconds: number;
  /** How many logins each of its tokens is good for; null for any number. */
  readonly tokenMaxUses: number | null;
  /** DNS names that its certificates may carry. */
  readonly dnsNames: readonly string[];
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
  readonly revocationReason: RevocationReason | null;
  /** A deleted identity keeps its row, so that nothing of it can come to life again under the same name. */
  readonly deletedAt: Date | null;
  /** 1, and one more each time that a deleted identity of this name is made again. */
  readonly incarnation: number;
  /** `creationId` of the cluster that it was made with; null for one that was made by itself. */
  readonly creationId: string | null;
  readonly lastSeenAt: Date | null;
  /** The trust bundle that it told last it holds; null while it never told. */
  readonly acknowledgedBundleId: string | null;
  /** How many of its instances are locked, so that a look at the record alone tells of them. */
  readonly lockedInstances: number;
  /** What was issued and noted at the identity's own request, in the window of its limit; null before the first. */
  readonly issuances: WindowCount | null;
  readonly certificate: CertificateState;
  readonly token: TokenState;
}

/** A certificate that was issued: never changed, never deleted. */
export interface CertificateRecord {
  readonly v: 1;
  readonly identity: IdentityId;
  /** The identity's incarnation that it was issued to. */
  readonly incarnation: number;
  readonly instance: string;
  readonly serialNumber: string;
  readonly authorityId: string;
  readonly issuedAt: Date;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spkiHash: string;
  readonly der: Uint8Array;
}

/** The line of a vault-delivered identity's own certificates, beside the instances that log in. */
export const VAULT_INSTANCE = 'vault';

/** Whether the newest token can be given out again: nobody has used it, and it is not due itself. */
export function isTokenFresh(token: TokenState, now: Date): boolean {
  return token.usedGeneration < token.generation && now < token.rotateAfter;
}

/**
 * Whether a cut-over's token is still on its way in an operator's login file: nobody has used one since every earlier
 * one was ended. (A floor of 0 is an identity's beginning; only a cut-over, or being made again, raises it.)
 */
export function isCutOverPending({
  floorGeneration,
  handoverGeneration,
  usedGeneration,
}: TokenState): boolean {
  return floorGeneration > Math.max(0, usedGeneration) && handoverGeneration >= floorGeneration;
}

/** When the token that the client can have ends: while the newest waits for delivery, that is the one before it. */
export function tokenEnd({ delivery, token }: Pick<Identity, 'delivery' | 'token'>): Date {
  const isWaiting = delivery === 'vault' && token.vaultVersion === null;
  return isWaiting ? (token.predecessorExpiresAt ?? token.expiresAt) : token.expiresAt;
}

export interface ClientTemplate {
  readonly name: string;
  readonly clientType: ClientType;
  readonly delivery: Delivery;
  readonly credentials: CredentialsGroup;
}

/** What whoever makes an identity may choose beside its template; the policy decides what they leave out. */
export type IdentityWishes = Partial<
  Pick<Identity, 'autoRotate' | 'tokenExpiryInSeconds' | 'tokenMaxUses' | 'dnsNames'>
>;

const external = (name: string): ClientTemplate => ({
  name,
  clientType: 'ExternalClient',
  delivery: 'vault',
  credentials: 'cloud',
});

/**
 * The clients of the management cluster: those that Update-AksHciCertificates renews, the admin Mocctl, and the
 * cloud agent itself, which checks the others' certificates and serves TLS.
 */
export const MANAGEMENT_CLIENTS: readonly ClientTemplate[] = [
  ...['KVA', 'KMS', 'CloudOperator', 'CSI', 'CertManager', 'CAPH', 'CloudProvider'].map(external),
  { name: 'NodeAgent', clientType: 'Node', delivery: 'agent', credentials: 'cloud' },
  { name: 'Mocctl', clientType: 'Admin', delivery: 'agent', credentials: 'cloud' },
  { name: 'CloudAgent', clientType: 'Host', delivery: 'vault', credentials: 'cloud' },
];

/** Whether certificates of this client type may serve TLS as well as call. */
export function isServer(clientType: ClientType): boolean {
  return clientType === 'Node' || clientType === 'Host' || clientType === 'LoadBalancer';
}
