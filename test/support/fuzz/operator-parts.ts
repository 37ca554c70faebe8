/** Parts of what operators send. */
import { type IdentityId, isSameIdentity } from '../../../shared/domain/names.ts';
import { identityScope } from '../../../shared/domain/scope.ts';
import type { Credential, Draft } from './draft.ts';
import type { Pick } from './pick.ts';
import { ADMIN, OPERATORS, type OperatorName, type Scene } from './scene.ts';

/** Few names of everything, so that they come again. */
export const CLUSTERS = ['alpha', 'beta', 'management'];
export const ROLES = ['Helper', 'Helper', 'Helper', 'Other', 'Other', 'Owner', 'Contributor'];
export const ACTIONS = ['*', '*/read', 'identity/*', 'cluster/read', 'identity/rotate', 'disk/format'];
const KEYS = ['key-00000001', 'key-00000002', 'key-00000003'];

/** Whoever may read, and now and then somebody who may not. */
export function read(scene: Scene, pick: Pick, query: Draft['query'] = {}): Partial<Draft> {
  return { query, credential: caller(scene, pick, ['owner', 'reader']) };
}

/** Whoever may change things, and now and then somebody who may not. */
export function write(scene: Scene, pick: Pick): Partial<Draft> {
  return { credential: caller(scene, pick, ['owner', 'contributor']) };
}

function caller(scene: Scene, pick: Pick, allowed: readonly OperatorName[]): Credential {
  const admin = pick.oneIn(6) ? scene.held.find(({ id }) => isSameIdentity(id, ADMIN)) : undefined;
  if (admin !== undefined) return { kind: 'proof', held: pick.oneIn(4) ? pick.of(scene.held) : admin };
  return { kind: 'operator', name: pick.of(pick.oneIn(10) ? OPERATORS : allowed) };
}

/** Access rules are for owners alone. */
export function ruling(scene: Scene, pick: Pick): Partial<Draft> {
  return { credential: caller(scene, pick, ['owner']) };
}

export function optional<T>(pick: Pick, name: string, value: T): Record<string, T> {
  return pick.oneIn(2) ? { [name]: value } : {};
}

export function page(scene: Scene, pick: Pick): Record<string, string> {
  const limit = pick.oneIn(2) ? { limit: pick.of(['1', '2', '100', '500']) } : {};
  return pick.oneIn(3) ? { ...limit, cursor: pick.of(scene.cursors) } : limit;
}

export function ofCluster(scene: Scene, pick: Pick): Record<string, string> {
  return optional(pick, 'cluster', pick.of([...scene.clusters, '_fleet']));
}

export function moment({ world }: Scene, pick: Pick): string {
  const days = pick.of([-400, -1, 0, 0, 1, 60, 400]);
  return new Date(world.clock.now().getTime() + days * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
}

export function cluster(scene: Scene, pick: Pick): { cluster: string } {
  return { cluster: pick.oneIn(6) ? pick.of(CLUSTERS) : pick.of(scene.clusters) };
}

export function identity(scene: Scene, pick: Pick): IdentityId {
  const { cluster: of, name } = pick.of(scene.identities);
  return { cluster: of, name: pick.oneIn(6) ? name.toUpperCase() : name };
}

export function etagOf(scene: Scene, { cluster: of, name }: IdentityId): string | undefined {
  return scene.etags.get(`/api/clusters/${of}/identities/${name}`);
}

export function operation(scene: Scene, pick: Pick): string {
  return pick.orElse(scene.operations, 'c'.repeat(32));
}

export function conditional(name: string, etag: string | undefined): Record<string, string> {
  return etag === undefined ? {} : { [name]: etag };
}

export function ifMatch(pick: Pick, etag: string | undefined): Record<string, string> {
  return pick.oneIn(5) ? {} : { 'if-match': etag === undefined || pick.oneIn(4) ? '*' : etag };
}

/** For a PUT: what is not known to be there is made. */
export function ifMatchKnown(pick: Pick, etag: string | undefined): Record<string, string> {
  return etag === undefined && !pick.oneIn(4) ? {} : ifMatch(pick, etag);
}

export function keyed(pick: Pick): Record<string, string> {
  return pick.oneIn(2) ? { 'idempotency-key': pick.of(KEYS) } : {};
}

export function wishes(pick: Pick) {
  return {
    ...optional(pick, 'autoRotate', pick.oneIn(2)),
    ...optional(pick, 'tokenExpiryInSeconds', pick.of([3_600, 86_400, 31_536_000])),
    ...optional(pick, 'tokenMaxUses', pick.of([null, 1, 2, 10_000])),
    ...optional(pick, 'dnsNames', pick.of([[], ['node-1.test'], ['Web.Test', 'a.revoked.test']])),
  };
}

export function scope(scene: Scene, pick: Pick): string {
  return pick.of(['/', `/clusters/${pick.of(scene.clusters)}`, identityScope(pick.of(scene.identities))]);
}

export function role(pick: Pick, name: string) {
  const assignableScopes = pick.of([['/'], ['/clusters/management'], ['/', '/clusters/alpha']]);
  return {
    name,
    actions: [pick.of(ACTIONS), pick.of(ACTIONS)],
    ...optional(pick, 'notActions', ['role/*']),
    assignableScopes,
  };
}

export function assignment(scene: Scene, pick: Pick) {
  const principal = pick.oneIn(2)
    ? { kind: 'identity', ...identity(scene, pick) }
    : { kind: 'operator', id: pick.of(['nobody', 'contributor', 'stranger']) };
  return { roleName: pick.of(ROLES), scope: scope(scene, pick), principal };
}
