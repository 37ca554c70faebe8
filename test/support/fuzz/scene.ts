import type { App } from '../../../shared/app.ts';
import { type IdentityId, isSameIdentity } from '../../../shared/domain/names.ts';
import { decodePem } from '../../../shared/pki/pem.ts';
import { readActiveAuthority } from '../../../shared/use-cases/authorities.ts';
import { createCluster } from '../../../shared/use-cases/create-cluster.ts';
import { firstStart } from '../../../shared/use-cases/first-start.ts';
import { publishCrl } from '../../../shared/use-cases/publish-crl.ts';
import { putAssignment } from '../../../shared/use-cases/role-assignments.ts';
import { type KeyPair, keyPair } from '../../unit/pki/support/keys.ts';
import {
  certificateOf,
  logIn,
  management,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../agent.ts';
import { allIdentities } from '../inspect-world.ts';
import { memoryWorld, type World } from '../memory-world.ts';
import type { OperatorIssuer } from '../operator-issuer.ts';
import { Secrets } from './secrets.ts';

export const ADMIN = management('Mocctl');

/** Names that operators by bearer token go by; what each may do, the access rules say. */
export const OPERATORS = ['owner', 'reader', 'contributor', 'nobody', 'stranger'] as const;
export type OperatorName = (typeof OPERATORS)[number];

/** A certificate with its key, on an agent's disk. */
export interface HeldCertificate {
  readonly id: IdentityId;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyPair;
}

/**
 * Years of authority, so that however far a run jumps, it does not end; and limits so low that a run of some dozen
 * requests reaches them.
 */
const POLICY = {
  authorityValidityDays: 3650,
  loginFailuresPerSource: 3,
  issuancesPerIdentity: 4,
  ocspSignaturesPerSource: 5,
};
/** What stands there from the beginning, so that short runs come far too. */
const CLUSTER = { name: 'alpha', nodes: ['node-1'], delivery: 'agent', vaultUrl: null } as const;
const FIRST_HOLDERS = [NODE_AGENT, ADMIN];
/** No list of known things is longer; the newest stay. */
const MOST_KNOWN = 40;

/** One deployment, with everything that callers have learnt from its answers so far. */
export class Scene {
  readonly world: World;
  readonly app: App;
  readonly secrets: Secrets;
  readonly bearers: Readonly<Record<OperatorName, string>>;
  readonly identities: IdentityId[] = [];
  readonly tokens: { readonly id: IdentityId; readonly text: string }[] = [];
  readonly held: HeldCertificate[] = [];
  readonly clusters: string[] = ['management'];
  readonly cursors: string[] = ['0', '1'];
  readonly serials: string[] = [];
  readonly bundles: string[] = [];
  readonly authorities: string[] = [];
  readonly instances: { readonly id: IdentityId; readonly instance: string }[] = [];
  readonly operations: string[] = [];
  readonly rules: string[] = [];
  /** The authority's certificate, DER. */
  issuer: Uint8Array = new Uint8Array();
  /** The newest ETag of each path. */
  readonly etags = new Map<string, string>();

  private constructor(world: World, issuer: OperatorIssuer, bearers: Scene['bearers']) {
    this.secrets = new Secrets(world);
    const deps = { ...world.deps, digest: this.secrets.watching(world.deps.digest) };
    this.world = { ...world, deps };
    this.app = { deps, operators: issuer.operators };
    this.bearers = bearers;
  }

  /** A deployment after its first start; some tokens are in agents' hands. */
  static async open(issuer: OperatorIssuer, bearers: Scene['bearers']): Promise<Scene> {
    const scene = new Scene(memoryWorld(POLICY), issuer, bearers);
    const { world } = scene;
    const { deps, run } = world;
    await firstStart(deps, run);
    await publishCrl(deps, run);
    scene.authorities.push(...(await deps.fleet.authorities()).map(({ id }) => id));
    scene.issuer = (await readActiveAuthority(deps)).certificate;
    await createCluster(deps, run, CLUSTER, null);
    const contributor = { kind: 'operator', id: 'contributor' } as const;
    const assigned = { id: 'contributor', roleName: 'Contributor', scope: '/', principal: contributor };
    await putAssignment(deps, run, assigned, null);
    scene.clusters.push(CLUSTER.name);
    for (const { cluster, name, delivery } of await allIdentities(world)) {
      const id = { cluster, name };
      scene.identities.push(id);
      const text = delivery === 'agent' ? await tokenFromLoginFile(world, id) : tokenFromVault(world, id);
      scene.tokens.push({ id, text });
    }
    for (const id of FIRST_HOLDERS) {
      const text = scene.tokens.find((one) => isSameIdentity(one.id, id))?.text ?? '';
      const certificate = certificateOf(await logIn(world, text, requestOf(id, id.name)));
      scene.held.push({ id, certificate, key: keyPair('P-256', id.name) });
    }
    return scene;
  }

  /** Keeps what a caller would keep of an answer. */
  learn(path: string, headers: Readonly<Record<string, string>>, json: unknown, key: KeyPair | null): void {
    const etag = headers['etag'];
    if (etag !== undefined) this.etags.set(headers['location'] ?? path, etag);
    const operation = /^\/api\/operations\/(\w+)$/.exec(headers['location'] ?? '')?.[1];
    if (operation !== undefined) keep(this.operations, operation);
    const rule = /^\/api\/revocations\/(\w+)$/.exec(headers['location'] ?? '')?.[1];
    if (rule !== undefined) keep(this.rules, rule);
    const cluster = /^\/api\/clusters\/([a-z0-9-]+)$/.exec(headers['location'] ?? '')?.[1];
    if (cluster !== undefined) keep(this.clusters, cluster);
    const [, ofCluster, ofName] = /^\/api\/clusters\/([\w-]+)\/identities\/([\w.-]+)\//.exec(path) ?? [];
    const id = ofCluster === undefined || ofName === undefined ? null : { cluster: ofCluster, name: ofName };
    this.#walk(json, id, key);
  }

  #walk(value: unknown, id: IdentityId | null, key: KeyPair | null): void {
    if (Array.isArray(value)) for (const one of value) this.#walk(one, id, key);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const of = value as Record<string, unknown>;
    const text = (name: string) => (typeof of[name] === 'string' ? of[name] : null);
    const [cluster, name] = [text('cluster'), text('name')];
    const own = cluster !== null && name !== null && name !== '' ? { cluster, name } : id;
    if (own !== null && own !== id && 'clientType' in of) keep(this.identities, own);
    const token = text('token');
    if (own !== null && token !== null) keep(this.tokens, { id: own, text: token });
    keep(this.cursors, text('nextCursor'));
    keep(this.serials, text('serialNumber'));
    keep(this.bundles, text('bundleId'));
    if ('subjectKeyId' in of) keep(this.authorities, text('id'));
    const instance = text('instance') ?? ('startedAt' in of ? text('id') : null);
    if (own !== null && instance !== null) keep(this.instances, { id: own, instance });
    const pem = text('certificate');
    const { identity } = of as { identity?: IdentityId };
    if (key !== null && pem !== null && identity !== undefined) {
      const { cluster: in_, name: as } = identity;
      keep(this.held, { id: { cluster: in_, name: as }, certificate: decodePem(pem, 'CERTIFICATE'), key });
      if (instance !== null) keep(this.instances, { id: { cluster: in_, name: as }, instance });
    }
    for (const member of Object.values(of)) this.#walk(member, own, key);
  }
}

function keep<T>(list: T[], value: T | null): void {
  if (value === null || list.includes(value)) return;
  list.push(value);
  if (list.length > MOST_KNOWN) list.splice(0, list.length - MOST_KNOWN);
}
