/** For every route and method, requests as good callers send them. A route without a recipe here does not compile. */
import { CLIENT_TYPES } from '../../../shared/domain/identity.ts';
import { IDENTITY_STATES } from '../../../shared/domain/identity-status.ts';
import { REVOCATION_REASONS } from '../../../shared/domain/revocation.ts';
import type { MethodOf, RouteName } from '../../../shared/http/routes.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { byProof, logIn, renew } from './agent-recipes.ts';
import type { Recipe } from './draft.ts';
import { askOcsp, askOcspByGet } from './ocsp-recipes.ts';
import {
  ACTIONS,
  assignment,
  CLUSTERS,
  cluster,
  conditional,
  etagOf,
  identity,
  ifMatch,
  ifMatchKnown,
  keyed,
  moment,
  ofCluster,
  operation,
  optional,
  page,
  ROLES,
  read,
  role,
  ruling,
  scope,
  wishes,
  write,
} from './operator-parts.ts';
import type { Pick } from './pick.ts';
import type { HeldCertificate, Scene } from './scene.ts';

const NODES = ['node-1', 'node-2', 'Node-3', 'n4.test'];
const NAMES = ['Mail', 'web.test', 'n1', 'N1'];
const ASSIGNMENTS = ['one', 'two', 'contributor'];

function ofAuthority(scene: Scene, pick: Pick) {
  return { ...write(scene, pick), params: { id: pick.orElse(scene.authorities, 'a1a1a1a1') } };
}

function forceable(scene: Scene, pick: Pick) {
  const body = { ...optional(pick, 'force', pick.oneIn(2)), ...optional(pick, 'dryRun', pick.oneIn(2)) };
  return { ...ofAuthority(scene, pick), query: page(scene, pick), body };
}
/** An authority's list or certificate, or one of an authority that nobody knows. */
const publicOfAuthority = (scene: Scene, pick: Pick, route: 'crl' | 'ca') => {
  const authority = pick.orElse(scene.authorities, 'a1b2c3d4');
  return {
    params: { authority },
    headers: conditional('if-none-match', scene.etags.get(`/api/${route}/${authority}`)),
  };
};

type Recipes = { readonly [Name in RouteName]: { readonly [Method in MethodOf<Name>]: Recipe } };

export const RECIPES: Recipes = {
  login: { POST: logIn },
  renew: { POST: renew },
  acknowledge: {
    POST: (scene, pick) => byProof(scene, pick, { bundleId: pick.orElse(scene.bundles, 'a'.repeat(64)) }),
  },
  'rotate-token': { POST: (scene, pick) => byProof(scene, pick, pick.oneIn(2) ? {} : undefined) },
  'ca-bundle': {
    GET: (scene) => ({ headers: conditional('if-none-match', scene.etags.get('/api/ca-bundle')) }),
  },
  crl: { GET: (scene, pick) => publicOfAuthority(scene, pick, 'crl') },
  ca: { GET: (scene, pick) => publicOfAuthority(scene, pick, 'ca') },
  ocsp: { POST: askOcsp },
  'ocsp-get': { GET: askOcspByGet },
  health: { GET: () => ({}) },
  openapi: {
    GET: (scene) => ({ headers: conditional('if-none-match', scene.etags.get('/api/openapi.json')) }),
  },
  status: {
    GET: (scene, pick) =>
      read(scene, pick, {
        ...page(scene, pick),
        ...optional(pick, 'cluster', pick.of(scene.clusters)),
        ...optional(pick, 'state', pick.of(IDENTITY_STATES)),
      }),
  },
  metrics: { GET: (scene, pick) => read(scene, pick, ofCluster(scene, pick)) },
  plan: {
    GET: (scene, pick) =>
      read(scene, pick, {
        ...page(scene, pick),
        ...optional(pick, 'at', moment(scene, pick)),
        ...ofCluster(scene, pick),
      }),
  },
  events: {
    GET: (scene, pick) =>
      read(scene, pick, {
        ...page(scene, pick),
        ...ofCluster(scene, pick),
        ...optional(pick, 'type', pick.of(['login', 'login-denied', 'identity-created'])),
        ...optional(pick, 'from', moment(scene, pick)),
        ...optional(pick, 'to', moment(scene, pick)),
      }),
  },
  clusters: {
    GET: (scene, pick) => read(scene, pick, page(scene, pick)),
    POST: (scene, pick) => ({
      ...write(scene, pick),
      headers: keyed(pick),
      body: {
        name: pick.of(CLUSTERS),
        ...optional(pick, 'nodes', NODES.slice(pick.index(NODES.length))),
        ...optional(pick, 'delivery', pick.of(['vault', 'agent'])),
        ...(pick.oneIn(4) ? { vaultUrl: 'https://other.vault.azure.net' } : {}),
      },
    }),
  },
  cluster: {
    GET: (scene, pick) => ({ ...read(scene, pick), params: cluster(scene, pick) }),
    DELETE: (scene, pick) => {
      const params = cluster(scene, pick);
      const etag = scene.etags.get(`/api/clusters/${params.cluster}`);
      return { ...write(scene, pick), params, headers: { ...keyed(pick), ...ifMatch(pick, etag) } };
    },
  },
  'renew-cluster': {
    POST: (scene, pick) => ({
      ...write(scene, pick),
      params: cluster(scene, pick),
      headers: keyed(pick),
      query: page(scene, pick),
      body: {
        ...optional(pick, 'credentials', pick.of([['cloud'], ['kubelet'], ['cloud', 'kubelet']])),
        ...optional(pick, 'force', pick.oneIn(2)),
        ...optional(pick, 'dryRun', pick.oneIn(2)),
      },
    }),
  },
  'update-cluster': {
    POST: (scene, pick) => ({
      ...write(scene, pick),
      params: cluster(scene, pick),
      headers: keyed(pick),
      body: pick.oneIn(2) ? {} : undefined,
    }),
  },
  operation: {
    GET: (scene, pick) => ({
      ...read(scene, pick, page(scene, pick)),
      params: { id: operation(scene, pick) },
    }),
  },
  'operation-login-files': {
    GET: (scene, pick) => ({ ...write(scene, pick), params: { id: operation(scene, pick) } }),
  },
  roles: {
    GET: (scene, pick) => read(scene, pick, page(scene, pick)),
    PUT: (scene, pick) => {
      const name = pick.of(ROLES);
      return {
        ...ruling(scene, pick),
        headers: ifMatchKnown(pick, scene.etags.get(`/api/roles/${name}`)),
        body: role(pick, name),
      };
    },
  },
  role: {
    GET: (scene, pick) => ({ ...read(scene, pick), params: { role: pick.of(ROLES) } }),
    PUT: (scene, pick) => {
      const name = pick.of(ROLES);
      const headers = ifMatchKnown(pick, scene.etags.get(`/api/roles/${name}`));
      return { ...ruling(scene, pick), params: { role: name }, headers, body: role(pick, name) };
    },
    DELETE: (scene, pick) => {
      const name = pick.of(ROLES);
      const headers = ifMatch(pick, scene.etags.get(`/api/roles/${name}`));
      return { ...ruling(scene, pick), params: { role: name }, headers };
    },
  },
  'role-assignments': {
    GET: (scene, pick) => read(scene, pick, page(scene, pick)),
    PUT: (scene, pick) => {
      const id = pick.of(ASSIGNMENTS);
      const headers = ifMatchKnown(pick, scene.etags.get(`/api/role-assignments/${id}`));
      return { ...ruling(scene, pick), headers, body: { id, ...assignment(scene, pick) } };
    },
  },
  'role-assignment': {
    GET: (scene, pick) => ({ ...read(scene, pick), params: { id: pick.of(ASSIGNMENTS) } }),
    PUT: (scene, pick) => {
      const id = pick.of(ASSIGNMENTS);
      const headers = ifMatchKnown(pick, scene.etags.get(`/api/role-assignments/${id}`));
      return { ...ruling(scene, pick), params: { id }, headers, body: assignment(scene, pick) };
    },
    DELETE: (scene, pick) => {
      const id = pick.of(ASSIGNMENTS);
      const headers = ifMatch(pick, scene.etags.get(`/api/role-assignments/${id}`));
      return { ...ruling(scene, pick), params: { id }, headers };
    },
  },
  'access-check': {
    POST: (scene, pick) => {
      const held = pick.orElse<HeldCertificate | null>(scene.held, null);
      const whom =
        held === null || pick.oneIn(2)
          ? { identity: identity(scene, pick) }
          : { certificate: encodePem('CERTIFICATE', held.certificate) };
      return { ...read(scene, pick), body: { ...whom, action: pick.of(ACTIONS), scope: scope(scene, pick) } };
    },
  },
  identities: {
    GET: (scene, pick) => ({ ...read(scene, pick, page(scene, pick)), params: cluster(scene, pick) }),
    POST: (scene, pick) => ({
      ...write(scene, pick),
      params: cluster(scene, pick),
      body: {
        name: pick.of(NAMES),
        clientType: pick.of(CLIENT_TYPES),
        ...optional(pick, 'delivery', pick.of(['vault', 'agent'])),
        ...optional(pick, 'credentials', pick.of(['cloud', 'kubelet'])),
        ...wishes(pick),
      },
    }),
  },
  identity: {
    GET: (scene, pick) => ({ ...read(scene, pick), params: { ...identity(scene, pick) } }),
    PATCH: (scene, pick) => {
      const id = identity(scene, pick);
      return {
        ...write(scene, pick),
        params: { ...id },
        headers: ifMatch(pick, etagOf(scene, id)),
        body: wishes(pick),
      };
    },
    DELETE: (scene, pick) => {
      const id = identity(scene, pick);
      return { ...write(scene, pick), params: { ...id }, headers: ifMatch(pick, etagOf(scene, id)) };
    },
  },
  'rotate-identity': {
    POST: (scene, pick) => ({
      ...write(scene, pick),
      params: { ...identity(scene, pick) },
      body: pick.of([undefined, {}, { cutOver: true }, { cutOver: false }]),
    }),
  },
  'revoke-identity': {
    POST: (scene, pick) => {
      const line = pick.orElse(scene.instances, { id: identity(scene, pick), instance: 'a'.repeat(32) });
      const reason = pick.of(REVOCATION_REASONS);
      // Whole identities seldom: what is revoked gets no further.
      const what = pick.oneIn(8)
        ? {}
        : pick.of([{ instance: line.instance }, { serialNumber: pick.orElse(scene.serials, '01') }]);
      return {
        ...write(scene, pick),
        params: { ...line.id },
        body: { reason, ...what, ...optional(pick, 'invalidityDate', moment(scene, pick)) },
      };
    },
  },
  instances: { GET: (scene, pick) => ({ ...read(scene, pick), params: { ...identity(scene, pick) } }) },
  'unlock-instance': {
    POST: (scene, pick) => {
      const line = pick.orElse(scene.instances, { id: identity(scene, pick), instance: 'a'.repeat(32) });
      return { ...write(scene, pick), params: { ...line.id, id: line.instance } };
    },
  },
  revocations: {
    GET: (scene, pick) => read(scene, pick),
    POST: (scene, pick) => ({
      ...write(scene, pick),
      body: {
        reason: pick.of(REVOCATION_REASONS),
        dnsName: pick.of(['node-1.test', '*.revoked.test', 'Web.Test']),
        ...optional(pick, 'cluster', pick.of(CLUSTERS)),
        ...optional(pick, 'clientType', pick.of(CLIENT_TYPES)),
        ...optional(pick, 'issuedBefore', moment(scene, pick)),
      },
    }),
  },
  authorities: { GET: (scene, pick) => read(scene, pick) },
  'roll-authorities': {
    POST: (scene, pick) => ({ ...write(scene, pick), body: optional(pick, 'dryRun', pick.oneIn(2)) }),
  },
  'prepare-authority': { POST: (scene, pick) => write(scene, pick) },
  'activate-authority': { POST: forceable },
  'cancel-authority': { POST: ofAuthority },
  // The scene's authorities are self-signed: none waits for what is brought.
  'authority-csr': {
    GET: (scene, pick) => ({
      ...read(scene, pick),
      params: { id: pick.orElse(scene.authorities, 'a1a1a1a1') },
    }),
  },
  'authority-certificate': {
    POST: (scene, pick) => {
      const pem = () => encodePem('CERTIFICATE', pick.of(scene.held).certificate);
      const chain = Array.from({ length: pick.index(4) }, pem).join('');
      return { ...ofAuthority(scene, pick), body: { certificate: pem(), chain } };
    },
  },
  'taint-authority': {
    // Seldom in earnest: what is tainted gets no further.
    POST: (scene, pick) => ({
      ...ofAuthority(scene, pick),
      query: page(scene, pick),
      body: { reason: pick.of(['a laptop was lost', 'Schlüssel 🔑']), dryRun: !pick.oneIn(4) },
    }),
  },
  'pause-taint': { POST: ofAuthority },
  'resume-taint': { POST: ofAuthority },
  'revoke-authority': { POST: forceable },
  revocation: {
    DELETE: (scene, pick) => ({
      ...write(scene, pick),
      params: { id: pick.orElse(scene.rules, 'b'.repeat(32)) },
    }),
  },
};
