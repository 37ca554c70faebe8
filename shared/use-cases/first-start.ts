import { isSuccessor } from '../domain/authority.ts';
import { toBase64Url } from '../domain/encoding.ts';
import { isEverleafError } from '../domain/errors.ts';
import { type Identity, MANAGEMENT_CLIENTS } from '../domain/identity.ts';
import { MANAGEMENT_CLUSTER, VAULT_ROTATION_KEY_NAME } from '../domain/names.ts';
import { Secret } from '../domain/secret.ts';
import { readActiveAuthority, readAuthorities } from './authorities.ts';
import { activateAuthority, publishAuthority } from './authority-steps.ts';
import { createIdentity } from './create-identity.ts';
import { DEPLOYMENT_VAULT, deliverBundleTo } from './deliver-bundle.ts';
import { ensureDeployment, pinDeployment } from './deployment.ts';
import type { Deps, Run } from './deps.ts';
import { doWork } from './do-work.ts';
import { ensureResponder } from './ensure-responder.ts';
import { newAuthorityId, prepareAuthority } from './prepare-authority.ts';
import { prepareSuccessor } from './prepare-successor.ts';
import { orLog } from './source-window.ts';
import { readRotationKey } from './tokens.ts';
import { readIdentity } from './update-identity.ts';

const ROTATION_KEY_BYTES = 32;

/** A second try goes on where the first one has stopped. */
const RESPONDER_TRIES = 2;

/**
 * Makes what a deployment starts with: the rotation key, the authority, the management cluster with its default
 * clients, the first certificates and tokens in the vault, and the OCSP responder. The same in Azure and on one machine.
 *
 * Idempotent: every step looks at what is there, so it can be killed anywhere and called again, also by several at
 * once. A client whose first certificate fails does not stop the others; it stays due and the scan tries it again. With an
 * outside root it ends once the request for the authority is made, and the first call after the certificate came goes on.
 * @returns the clients whose first certificate or token is not in the vault yet
 */
export async function firstStart(deps: Deps, run: Run): Promise<readonly Identity[]> {
  const before = await ensureDeployment(deps);
  if (before.readyAt !== null) return [];
  await ensureRotationKey(deps, run);
  if (!(await ensureAuthority(deps, run))) return [];
  const rotationKey = await readRotationKey(deps);
  await ensureCluster(deps);
  const identities: Identity[] = [];
  for (const template of MANAGEMENT_CLIENTS) {
    identities.push(await createIdentity(deps, run, rotationKey, MANAGEMENT_CLUSTER, template));
  }
  await deliverBundleTo(deps, DEPLOYMENT_VAULT);
  const missing: Identity[] = [];
  for (const identity of identities.filter(({ delivery }) => delivery === 'vault')) {
    if (!(await deliverFirstCredentials(deps, run, identity))) missing.push(identity);
  }
  await makeFirstResponder(deps, run);
  if (missing.length === 0) {
    await pinDeployment(deps, (deployment) =>
      deployment.readyAt === null ? { readyAt: deps.clock.now() } : null,
    );
    run.log.write('info', 'First start done.');
  }
  return missing;
}

/** The key that tokens are derived from: whoever writes its version down first decides for all. */
async function ensureRotationKey(deps: Deps, run: Run): Promise<void> {
  if ((await deps.fleet.deployment())?.value.rotationKeyVersion != null) return;
  const key = new Secret(toBase64Url(deps.random.bytes(ROTATION_KEY_BYTES)));
  const { version } = await deps.authoritySecrets.write(VAULT_ROTATION_KEY_NAME, key, {
    contentType: 'application/octet-stream;base64url',
    tags: { purpose: 'Everleaf derives tokens from it; losing it loses unused tokens' },
    expiresAt: null,
  });
  await pinDeployment(deps, (deployment) =>
    deployment.rotationKeyVersion === null ? { rotationKeyVersion: version } : null,
  );
  run.log.write('info', 'Made the rotation key.');
}

/**
 * The first authority: prepared, and put to use at once, because there is nobody yet who must learn of it. In the place of
 * one that was given up or tainted before the first start was done comes its successor.
 * @returns false while its request waits for the signature of an outside root
 */
export async function ensureAuthority(deps: Deps, run: Run): Promise<boolean> {
  const deployment = await pinDeployment(deps, ({ activeAuthorityId }) =>
    activeAuthorityId === null ? { activeAuthorityId: newAuthorityId(deps) } : null,
  );
  const id = deployment.activeAuthorityId;
  const { all, active } = await readAuthorities(deps);
  if (id === null || active !== null) return true;
  const isOver = all.some((one) => one.id === id && !isSuccessor(one));
  const prepared = isOver ? await prepareSuccessor(deps, run, null) : await prepareAuthority(deps, run, id);
  if (prepared === null) return false;
  await publishAuthority(deps, run, prepared.id);
  await activateAuthority(deps, run, prepared.id);
  return true;
}

async function ensureCluster(deps: Deps): Promise<void> {
  if ((await deps.fleet.cluster(MANAGEMENT_CLUSTER)) !== null) return;
  const now = deps.clock.now();
  try {
    await deps.fleet.insertCluster({
      v: 1,
      name: MANAGEMENT_CLUSTER,
      kind: 'management',
      state: 'Active',
      nodes: [],
      delivery: 'vault',
      vaultUrl: null,
      createdAt: now,
      updatedAt: now,
      remindedAt: null,
      createdBy: null,
      operationId: null,
      creationId: null,
      epoch: 1,
      deliveredBundleId: null,
      revision: 1,
    });
  } catch (error) {
    if (!isEverleafError(error, 'AlreadyExists')) throw error;
  }
}

/** No credential waits for it: what fails to the end is the timer's to make. */
async function makeFirstResponder(deps: Deps, run: Run): Promise<void> {
  const authority = await readActiveAuthority(deps);
  for (let attempt = 1; attempt <= RESPONDER_TRIES; attempt++) {
    const made = await orLog(run, 'make the first OCSP responder', () =>
      ensureResponder(deps, run, authority),
    );
    if (made !== null) return;
  }
}

/** @returns whether both are in the vault now */
async function deliverFirstCredentials(deps: Deps, run: Run, { cluster, name }: Identity): Promise<boolean> {
  const id = { cluster, name };
  const before = await readIdentity(deps, id);
  if (isDelivered(before)) return true;
  for (const kind of ['certificate', 'token'] as const) {
    const { generation } = before[kind];
    if (kind === 'certificate' ? before.certificate.head !== null : before.token.vaultVersion !== null)
      continue;
    await doWork(deps, run, { v: 1, identity: id, kind, generation });
  }
  return isDelivered(await readIdentity(deps, id));
}

function isDelivered(identity: Identity): boolean {
  return identity.certificate.head !== null && identity.token.vaultVersion !== null;
}
