import { revocationReason } from './access-schemas.ts';
import { clientType, delivery, id } from './agent-schemas.ts';
import {
  count,
  flag,
  hex,
  instant,
  list,
  object,
  oneOf,
  orNull,
  page,
  ref,
  type Schema,
  text,
} from './schema.ts';

const credentials: Schema = oneOf('cloud', 'kubelet');
const wishes = {
  'autoRotate?': flag,
  'tokenExpiryInSeconds?': count,
  'tokenMaxUses?': orNull(count),
  'dnsNames?': list(text),
};

/** Clusters, identities and their lines. */
export const clusterSchemas: Readonly<Record<string, Schema>> = {
  Cluster: object({
    name: text,
    kind: oneOf('management', 'workload'),
    state: oneOf('Creating', 'Active', 'Deleting', 'Deleted'),
    delivery,
    createdAt: instant,
    createdBy: orNull(text),
    updatedAt: instant,
    updateDueAt: instant,
    vaultUrl: orNull(text),
    nodes: list(text),
  }),
  Clusters: page('items', ref('Cluster')),
  ClusterRequest: object({
    name: text,
    'nodes?': list(text),
    'delivery?': delivery,
    'vaultUrl?': orNull(text),
  }),
  ClusterCreated: object({
    cluster: ref('Cluster'),
    identities: list(object({ ...id, clientType, delivery, credentials })),
    loginFiles: list(ref('LoginFile')),
    operation: orNull(text),
    warnings: list(text),
  }),
  RenewClusterRequest: object({ 'credentials?': list(credentials), 'force?': flag, 'dryRun?': flag }),
  LoginFiles: object({ items: list(ref('LoginFile')) }),
  Identity: object({
    ...id,
    clientType,
    delivery,
    credentials,
    autoRotate: flag,
    revoked: flag,
    revokedAt: orNull(instant),
    revocationReason: orNull(revocationReason),
    tokenExpiryInSeconds: count,
    tokenMaxUses: orNull(count),
    dnsNames: list(text),
    createdAt: instant,
    incarnation: count,
    lastSeenAt: orNull(instant),
    certificate: orNull(ref('CertificateHead')),
    token: object({ id: hex, generation: count, expiresAt: instant, rotateAfter: instant, isUsed: flag }),
  }),
  Identities: page('items', ref('Identity')),
  IdentityRequest: object({
    name: text,
    clientType,
    'delivery?': delivery,
    'credentials?': credentials,
    ...wishes,
  }),
  IdentityChange: object(wishes),
  IdentityCreated: object({
    identity: ref('Identity'),
    loginFile: orNull(ref('LoginFile')),
    warnings: list(text),
  }),
  CertificateHead: object(head()),
  Instance: object({
    id: text,
    startedAt: instant,
    live: flag,
    locked: flag,
    lockedAt: orNull(instant),
    revoked: flag,
    revokedAt: orNull(instant),
    revocationReason: orNull(revocationReason),
    certificate: object({ ...head(), provenAt: orNull(instant) }),
    successor: orNull(ref('CertificateHead')),
    recoveriesUsed: count,
    lastSeenAt: orNull(instant),
    bundleId: orNull(hex),
  }),
  Instances: page('items', ref('Instance')),
};

function head(): Readonly<Record<string, Schema>> {
  return {
    serialNumber: hex,
    notBefore: instant,
    notAfter: instant,
    renewAfter: instant,
    renewCount: count,
    authorityId: text,
    vaultVersion: orNull(text),
  };
}
