import { z } from 'zod';
import { readBody } from './body.ts';
import { showCertificate } from './certificate-answers.ts';
import { badParameter, notFound, VaultError } from './errors.ts';
import { objectId } from './identifiers.ts';
import { liveCertificate, liveSecret, refuseDeletedName, refuseManaged } from './live-objects.ts';
import type { StoredObject } from './model.ts';
import type { Route, RouteContext, Vault, VaultResponse } from './request.ts';
import { ownView, showSecret } from './secret-views.ts';

/** Backup and restore: an object with all its versions, in one opaque blob, with its policy and without what is pending. */
export const backupRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/certificates/:name/backup',
    action: 'certificates/backup/action',
    operation: 'CertificateBackup',
    handle: (context) => backup(context, ({ vault, name }) => liveCertificate(vault.store.get(name), name)),
  },
  {
    method: 'POST',
    path: '/certificates/restore',
    action: 'certificates/restore/action',
    operation: 'CertificateRestore',
    handle: (context) => restore(context, 'certificate'),
  },
  {
    method: 'POST',
    path: '/secrets/:name/backup',
    action: 'secrets/backup/action',
    operation: 'SecretBackup',
    handle: (context) =>
      backup(context, ({ vault, name }) => {
        refuseManaged(vault.store.get(name), 'backup', 'secret');
        return liveSecret(vault.store.get(name), name);
      }),
  },
  {
    method: 'POST',
    path: '/secrets/restore',
    action: 'secrets/restore/action',
    operation: 'SecretRestore',
    handle: (context) => restore(context, 'secret'),
  },
];

/** An object with more past versions than this has no backup (Microsoft Learn, "Azure Key Vault backup and restore"). */
const MAX_PAST_VERSIONS = 500;

function backup(context: RouteContext, find: (context: RouteContext) => StoredObject): VaultResponse {
  const object = find(context);
  const { length } = object.versions;
  if (length === 0) throw notFound('Certificate', object.name);
  if (length > MAX_PAST_VERSIONS + 1) {
    throw badParameter(
      `Cannot back up ${object.name}: it has ${length} versions, and a backup holds ${MAX_PAST_VERSIONS} past ones.`,
    );
  }
  const settled = object.kind === 'certificate' ? { ...object, pending: null } : object;
  return { status: 200, body: { value: context.vault.backups.seal(settled) } };
}

const restoreSchema = z.object({ value: z.string().min(1) });

/** Brings back all versions under their old ids; the name must be free. */
function restore(context: RouteContext, kind: 'certificate' | 'secret'): Promise<VaultResponse> {
  const { vault } = context;
  const object = vault.backups.open(readBody(restoreSchema, context.body).value);
  if (object.kind !== kind) {
    throw badParameter(
      `Property value has invalid value. It is the backup of a ${object.kind}, not of a ${kind}.`,
    );
  }
  return vault.store.update(object.name, (current) => {
    refuseDeletedName(current);
    if (current !== undefined) throw nameTaken(vault, object);
    return { save: object, result: { status: 200, body: show(vault, object) } };
  });
}

function show(vault: Vault, object: StoredObject): Record<string, unknown> {
  if (object.kind === 'certificate') return showCertificate(vault, object);
  const latest = object.kind === 'secret' ? object.versions.at(-1) : undefined;
  return latest === undefined ? {} : showSecret(vault, object, ownView(latest));
}

/** The service's words, as recorded in azure-sdk-for-js#5447. */
function nameTaken(vault: Vault, { kind, name, versions }: StoredObject): VaultError {
  const id = objectId(vault, `${kind}s`, name, versions.at(-1)?.version);
  return new VaultError(
    409,
    'Conflict',
    `Conflict while restoring ${kind} ${id} - ${kind} already exists or concurrent access`,
  );
}
