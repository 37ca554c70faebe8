import { showCertificate, showCertificateItem } from './certificate-answers.ts';
import { forbidden, notFound, type VaultError } from './errors.ts';
import { objectId } from './identifiers.ts';
import { showKey, showKeyItem } from './key-answers.ts';
import { liveCertificate, liveKey, liveSecret, refuseManaged } from './live-objects.ts';
import type { StoredObject } from './model.ts';
import { nowSeconds } from './model.ts';
import { page } from './paging.ts';
import type { Route, RouteContext, Vault, VaultResponse } from './request.ts';
import { secretViews, showSecret, showSecretItem } from './secret-views.ts';

/**
 * Deleting, recovering and purging, the same for certificates, keys and secrets. Soft delete cannot be switched off in a
 * vault; a deleted object keeps its name until it is purged, by somebody or by the end of its retention. A
 * certificate takes its key and its secret with it.
 */
export const softDeleteRoutes: readonly Route[] = [
  ...routesOf('certificates', {
    prefix: 'Certificate',
    readAction: 'certificates/read',
    remove: liveCertificate,
    show: showAsCertificate,
    showItem: (vault, object) =>
      object.kind === 'certificate' ? showCertificateItem(vault, object, object.versions.at(-1)) : {},
  }),
  ...routesOf('keys', {
    prefix: 'Key',
    readAction: 'keys/read',
    remove: (object, name) => {
      refuseManaged(object, 'delete', 'key');
      return liveKey(object, name);
    },
    show: showAsKey,
    showItem: (vault, object) => {
      const latest = object.kind === 'key' ? object.versions.at(-1) : undefined;
      return latest === undefined ? {} : showKeyItem(vault, object, latest);
    },
  }),
  ...routesOf('secrets', {
    prefix: 'Secret',
    readAction: 'secrets/readMetadata/action',
    remove: (object, name) => {
      refuseManaged(object, 'delete', 'secret');
      return liveSecret(object, name);
    },
    show: showAsSecret,
    showItem: (vault, object) => {
      const view = secretViews(object).at(-1);
      return view === undefined ? {} : showSecretItem(vault, object, view);
    },
  }),
];

interface Kind {
  /** What the names of its operations begin with. */
  readonly prefix: 'Certificate' | 'Key' | 'Secret';
  readonly readAction: string;
  /** The object that may be deleted, or a refusal. */
  readonly remove: (object: StoredObject | undefined, name: string) => StoredObject;
  readonly show: (vault: Vault, object: StoredObject) => Record<string, unknown>;
  readonly showItem: (vault: Vault, object: StoredObject) => Record<string, unknown>;
}

function routesOf(collection: 'certificates' | 'keys' | 'secrets', kind: Kind): Route[] {
  const objectKind = collection.slice(0, -1);
  const deletedCollection = `deleted${collection}` as const;

  const showDeleted = (vault: Vault, object: StoredObject, show: Kind['show']): Record<string, unknown> => ({
    recoveryId: objectId(vault, deletedCollection, object.name),
    ...object.deleted,
    ...show(vault, object),
  });

  const deletedObject = (object: StoredObject | undefined, name: string): StoredObject => {
    if (object?.kind === objectKind && object.deleted !== null) return object;
    throw notFound(kind.prefix, name);
  };

  const remove = ({ vault, name }: RouteContext): Promise<VaultResponse> =>
    vault.store.update(name, (current) => {
      const object = kind.remove(current, name);
      const deletedDate = nowSeconds();
      const scheduledPurgeDate = deletedDate + vault.retentionDays * 86_400;
      const save: StoredObject = { ...object, deleted: { deletedDate, scheduledPurgeDate } };
      return { save, result: { status: 200, body: showDeleted(vault, save, kind.show) } };
    });

  const list = (context: RouteContext): VaultResponse =>
    page(
      context,
      context.vault.store
        .all()
        .filter((object) => object.kind === objectKind && object.deleted !== null)
        .filter(({ versions }) => versions.length > 0 || context.query.get('includePending') === 'true'),
      (object) => object.name.toLowerCase(),
      (object) => showDeleted(context.vault, object, kind.showItem),
    );

  const get = ({ vault, name }: RouteContext): VaultResponse => {
    const object = deletedObject(vault.store.get(name), name);
    return { status: 200, body: showDeleted(vault, object, kind.show) };
  };

  const recover = ({ vault, name }: RouteContext): Promise<VaultResponse> =>
    vault.store.update(name, (current) => {
      const save: StoredObject = { ...deletedObject(current, name), deleted: null };
      return { save, result: { status: 200, body: kind.show(vault, save) } };
    });

  const purge = ({ vault, name }: RouteContext): Promise<VaultResponse> =>
    vault.store.update(name, (current) => {
      deletedObject(current, name);
      if (vault.purgeProtection) throw purgeProtected(vault);
      return { save: null, result: { status: 204 } };
    });

  const deletedPath = `/${deletedCollection}/:name`;
  return [
    {
      method: 'DELETE',
      path: `/${collection}/:name`,
      action: `${collection}/delete`,
      operation: `${kind.prefix}Delete`,
      handle: remove,
    },
    {
      method: 'GET',
      path: `/${deletedCollection}`,
      action: kind.readAction,
      operation: `${kind.prefix}ListDeleted`,
      handle: list,
    },
    {
      method: 'GET',
      path: deletedPath,
      action: kind.readAction,
      operation: `${kind.prefix}GetDeleted`,
      handle: get,
    },
    {
      method: 'POST',
      path: `${deletedPath}/recover`,
      action: `${collection}/recover/action`,
      operation: `${kind.prefix}Recover`,
      handle: recover,
    },
    {
      method: 'DELETE',
      path: deletedPath,
      action: `${collection}/purge/action`,
      operation: `${kind.prefix}Purge`,
      handle: purge,
    },
  ];
}

/** The words of the service, as users report them (Azure/sap-automation#200). */
function purgeProtected(vault: Vault): VaultError {
  return forbidden(
    'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will ' +
      `automatically purge it after the retention period has passed.\r\nVault: ${vault.name};location=local`,
  );
}

function showAsCertificate(vault: Vault, object: StoredObject): Record<string, unknown> {
  return object.kind === 'certificate' ? showCertificate(vault, object) : {};
}

function showAsKey(vault: Vault, object: StoredObject): Record<string, unknown> {
  const latest = object.kind === 'key' ? object.versions.at(-1) : undefined;
  return latest === undefined ? {} : showKey(vault, object, latest);
}

/** The latest version without its value: deleting and recovering hand out no secrets. */
function showAsSecret(vault: Vault, object: StoredObject): Record<string, unknown> {
  const view = secretViews(object).at(-1);
  return view === undefined ? {} : showSecret(vault, object, view);
}
