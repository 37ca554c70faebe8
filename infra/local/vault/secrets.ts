import { z } from 'zod';
import { readBody, tagsSchema } from './body.ts';
import { badParameter, forbidden, notFound, type VaultError } from './errors.ts';
import { newId } from './identifiers.ts';
import { findVersion, liveSecret, refuseForeignName, refuseManaged } from './live-objects.ts';
import type { SecretObject, SecretVersion, StoredObject } from './model.ts';
import { nowSeconds } from './model.ts';
import { page, pageOfVersions } from './paging.ts';
import type { Route, RouteContext, VaultResponse } from './request.ts';
import { ownView, type SecretView, secretViews, showSecret, showSecretItem } from './secret-views.ts';

/** Secrets, and the secrets of certificates as far as they can be read. */
export const secretRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/secrets',
    action: 'secrets/readMetadata/action',
    operation: 'SecretList',
    handle: listSecrets,
  },
  {
    method: 'PUT',
    path: '/secrets/:name',
    action: 'secrets/setSecret/action',
    operation: 'SecretSet',
    handle: setSecret,
  },
  {
    method: 'GET',
    path: '/secrets/:name/versions',
    action: 'secrets/readMetadata/action',
    operation: 'SecretListVersions',
    handle: listVersions,
  },
  {
    method: 'GET',
    path: '/secrets/:name/:version',
    action: 'secrets/getSecret/action',
    operation: 'SecretGet',
    handle: getSecret,
  },
  {
    method: 'PATCH',
    path: '/secrets/:name/:version',
    action: 'secrets/update/action',
    operation: 'SecretUpdate',
    handle: updateSecret,
  },
];

/** A secret's value takes 25 KB at most (Microsoft Learn, "About Azure Key Vault secrets"). */
const MAX_VALUE_OCTETS = 25 * 1024;

const intDate = z.number().int().min(0);
const attributesSchema = z
  .object({ enabled: z.boolean().optional(), nbf: intDate.optional(), exp: intDate.optional() })
  .optional();
const contentTypeSchema = z.string().max(255).optional();
const setSchema = z.object({
  value: z.string(),
  contentType: contentTypeSchema,
  attributes: attributesSchema,
  tags: tagsSchema.optional(),
});
const updateSchema = setSchema.omit({ value: true });

function listSecrets(context: RouteContext): VaultResponse {
  const { vault } = context;
  const current = vault.store
    .all()
    .filter(({ deleted }) => deleted === null)
    .flatMap((object) =>
      secretViews(object)
        .slice(-1)
        .map((view) => ({ object, view })),
    );
  return page(
    context,
    current,
    ({ object }) => object.name.toLowerCase(),
    ({ object, view }) => showSecretItem(vault, object, view),
  );
}

function listVersions(context: RouteContext): VaultResponse {
  const { vault, name } = context;
  const { object, views } = readable(vault.store.get(name), name);
  return pageOfVersions(context, views, (view) => showSecretItem(vault, object, view, view.version));
}

/** Expired and not yet valid secrets can be read, disabled ones cannot (Microsoft Learn, "About Azure Key Vault secrets"). */
function getSecret(context: RouteContext): VaultResponse {
  const { vault, name, version } = context;
  const stored = vault.store.get(name);
  // While a certificate's first version waits, its secret is there, disabled (as users of csr-based tools report).
  if (version === '' && stored?.kind === 'certificate' && stored.deleted === null && stored.draft !== null) {
    throw disabledSecret();
  }
  const { object, views } = readable(stored, name);
  const view = findVersion(views, version);
  if (view === undefined) throw notFound('Secret', `${name}/${version}`);
  if (!view.attributes.enabled) throw disabledSecret();
  return { status: 200, body: showSecret(vault, object, view, view.readValue()) };
}

function disabledSecret(): VaultError {
  return forbidden('Operation get is not allowed on a disabled secret.', 'SecretDisabled');
}

function setSecret(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  const input = readBody(setSchema, context.body);
  if (Buffer.byteLength(input.value) > MAX_VALUE_OCTETS) {
    throw badParameter(`Property value has invalid value. It is longer than ${MAX_VALUE_OCTETS} octets.`);
  }
  const { enabled = true, nbf = null, exp = null } = input.attributes ?? {};
  refuseEmptyWindow(nbf, exp);
  return vault.store.update(name, (object) => {
    refuseManaged(object, 'set', 'secret');
    refuseForeignName(object, 'secret');
    const existing = object?.kind === 'secret' ? object : null;
    const now = nowSeconds();
    const version: SecretVersion = {
      version: newId(),
      value: input.value,
      contentType: input.contentType ?? null,
      attributes: { enabled, nbf, exp, created: now, updated: now },
      tags: input.tags ?? null,
    };
    const save: SecretObject = {
      v: 1,
      kind: 'secret',
      name: existing?.name ?? name,
      versions: [...(existing?.versions ?? []), version],
      deleted: null,
    };
    return { save, result: { status: 200, body: showSecret(vault, save, ownView(version), input.value) } };
  });
}

function updateSecret(context: RouteContext): Promise<VaultResponse> {
  const { vault, name, version } = context;
  const input = readBody(updateSchema, context.body);
  return vault.store.update(name, (object) => {
    refuseManaged(object, 'update', 'secret');
    const secret = liveSecret(object, name);
    const found = findVersion(secret.versions, version);
    if (found === undefined) throw notFound('Secret', `${name}/${version}`);
    const nbf = input.attributes?.nbf ?? found.attributes.nbf;
    const exp = input.attributes?.exp ?? found.attributes.exp;
    refuseEmptyWindow(nbf, exp);
    const changed: SecretVersion = {
      ...found,
      contentType: input.contentType ?? found.contentType,
      attributes: {
        ...found.attributes,
        enabled: input.attributes?.enabled ?? found.attributes.enabled,
        nbf,
        exp,
        updated: nowSeconds(),
      },
      tags: input.tags ?? found.tags,
    };
    const save: SecretObject = {
      ...secret,
      versions: secret.versions.map((each) => (each === found ? changed : each)),
    };
    return { save, result: { status: 200, body: showSecret(vault, save, ownView(changed)) } };
  });
}

function readable(
  object: StoredObject | undefined,
  name: string,
): { object: StoredObject; views: SecretView[] } {
  if (object === undefined || object.deleted !== null) throw notFound('Secret', name);
  const views = secretViews(object);
  if (views.length === 0) throw notFound('Secret', name);
  return { object, views };
}

function refuseEmptyWindow(nbf: number | null, exp: number | null): void {
  if (nbf !== null && exp !== null && exp <= nbf) {
    throw badParameter('Property attributes has invalid value. exp must be later than nbf.');
  }
}
