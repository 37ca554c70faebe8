import { inPath } from './operation.ts';
import {
  accepted,
  answered,
  cluster,
  cursor,
  forOperators,
  idempotencyKey,
  ifMatch,
  limit,
  name,
  type Paths,
} from './operator-parts.ts';
import { described, ref } from './schema.ts';

/** What operators call about clusters and what is in them. */
export const clusterPaths: Paths = {
  '/api/clusters': {
    get: forOperators({
      id: 'listClusters',
      summary: 'Every cluster',
      parameters: [limit, cursor],
      answers: answered('One page.', 'Clusters'),
      problems: [400],
    }),
    post: forOperators({
      id: 'createCluster',
      summary: 'Make a workload cluster with its clients and kubelets',
      parameters: [idempotencyKey],
      body: ref('ClusterRequest'),
      answers: {
        201: {
          text: 'The cluster, with login files.',
          schema: ref('ClusterCreated'),
          headers: ['etag', 'location'],
        },
      },
      problems: [409],
    }),
  },
  '/api/clusters/{cluster}': {
    get: forOperators({
      id: 'getCluster',
      summary: 'One cluster',
      parameters: [cluster],
      answers: answered('The cluster.', 'Cluster', 'etag'),
      problems: [400, 404],
    }),
    delete: forOperators({
      id: 'deleteCluster',
      summary: 'Revoke a cluster and all that is in it',
      parameters: [cluster, ifMatch, idempotencyKey],
      answers: accepted,
      problems: [400, 404, 409, 412, 413],
    }),
  },
  '/api/clusters/{cluster}/renew': {
    post: forOperators({
      id: 'renewCluster',
      summary: 'Repair: renew what is due, or with force everything',
      parameters: [cluster, idempotencyKey],
      body: ref('RenewClusterRequest'),
      isBodyOptional: true,
      answers: { ...accepted, ...answered('With dryRun: what would be done.', 'Plan') },
      problems: [404, 409],
    }),
  },
  '/api/clusters/{cluster}/update': {
    post: forOperators({
      id: 'updateCluster',
      summary: 'The monthly update: every token and every certificate anew, valid from today',
      parameters: [cluster, idempotencyKey],
      answers: accepted,
      problems: [400, 404, 409, 413],
    }),
  },
  '/api/clusters/{cluster}/identities': {
    get: forOperators({
      id: 'listIdentities',
      summary: 'The identities of a cluster',
      parameters: [cluster, limit, cursor],
      answers: answered('One page.', 'Identities'),
      problems: [400, 404],
    }),
    post: forOperators({
      id: 'createIdentity',
      summary: 'Make an identity',
      parameters: [cluster],
      body: ref('IdentityRequest'),
      answers: {
        201: { text: 'The identity.', schema: ref('IdentityCreated'), headers: ['etag', 'location'] },
      },
      problems: [404, 409],
    }),
  },
  '/api/clusters/{cluster}/identities/{name}': {
    get: forOperators({
      id: 'getIdentity',
      summary: 'One identity',
      parameters: [cluster, name],
      answers: answered('The identity.', 'Identity', 'etag'),
      problems: [400, 404],
    }),
    patch: forOperators({
      id: 'changeIdentity',
      summary: 'Change what an operator may change',
      parameters: [cluster, name, ifMatch],
      body: ref('IdentityChange'),
      answers: answered('The identity as it is now.', 'Identity', 'etag'),
      problems: [404, 412, 428],
    }),
    delete: forOperators({
      id: 'deleteIdentity',
      summary: 'Revoke an identity for good; its versions in the vault are disabled',
      parameters: [cluster, name, ifMatch],
      answers: { 204: { text: 'It is gone.' } },
      problems: [400, 404, 412, 413, 428],
    }),
  },
  '/api/clusters/{cluster}/identities/{name}/rotate': {
    post: forOperators({
      id: 'rotateIdentity',
      summary: 'A login file with the next token',
      parameters: [cluster, name],
      body: {
        type: 'object',
        properties: { cutOver: described({ type: 'boolean' }, 'End every earlier token at once.') },
      },
      isBodyOptional: true,
      answers: answered('The login file.', 'LoginFile'),
      problems: [404, 409],
    }),
  },
  '/api/clusters/{cluster}/identities/{name}/revoke': {
    post: forOperators({
      id: 'revokeIdentity',
      summary: 'Revoke an identity, one of its instances, or one certificate',
      parameters: [cluster, name],
      body: ref('RevokeRequest'),
      isBodyOptional: true,
      answers: answered('What is revoked, and since when.', 'Revocation'),
      problems: [404],
    }),
  },
  '/api/clusters/{cluster}/identities/{name}/instances': {
    get: forOperators({
      id: 'listInstances',
      summary: 'Its lines of certificates',
      parameters: [cluster, name, limit, cursor],
      answers: answered('The lines.', 'Instances'),
      problems: [400, 404],
    }),
  },
  '/api/clusters/{cluster}/identities/{name}/instances/{id}/unlock': {
    post: forOperators({
      id: 'unlockInstance',
      summary: 'Let a locked line go on',
      parameters: [cluster, name, inPath('id', 'Id of the instance.')],
      answers: answered('The line.', 'Instance'),
      problems: [400, 404, 413],
    }),
  },
};
