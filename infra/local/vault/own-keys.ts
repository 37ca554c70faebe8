import { z } from 'zod';
import { readBody, tagsSchema } from './body.ts';
import { badParameter, notFound } from './errors.ts';
import { newId } from './identifiers.ts';
import { showKey, showKeyItem } from './key-answers.ts';
import { ALL_OPERATIONS, generateKey, possibleOperations } from './key-material.ts';
import { findVersion, liveKey, refuseForeignName, refuseManaged } from './live-objects.ts';
import type { KeyObject, KeyVersion, StoredObject } from './model.ts';
import { nowSeconds } from './model.ts';
import { page, pageOfVersions } from './paging.ts';
import { resolveKeyType } from './policy.ts';
import type { Route, RouteContext, VaultResponse } from './request.ts';

/** Making, listing and changing keys of their own; they exist here because their names count for the other kinds. */
export const ownKeyRoutes: readonly Route[] = [
  { method: 'GET', path: '/keys', action: 'keys/read', operation: 'KeyList', handle: listKeys },
  {
    method: 'POST',
    path: '/keys/:name/create',
    action: 'keys/create/action',
    operation: 'KeyCreate',
    handle: createKey,
  },
  {
    method: 'GET',
    path: '/keys/:name/versions',
    action: 'keys/read',
    operation: 'KeyListVersions',
    handle: listVersions,
  },
  {
    method: 'PATCH',
    path: '/keys/:name/:version',
    action: 'keys/update/action',
    operation: 'KeyUpdate',
    handle: updateKey,
  },
];

const intDate = z.number().int().min(0);
const attributesSchema = z
  .object({ enabled: z.boolean().optional(), nbf: intDate.optional(), exp: intDate.optional() })
  .default({});
const operationsSchema = z.array(z.enum(ALL_OPERATIONS)).optional();
const createSchema = z.object({
  kty: z.string(),
  key_size: z.number().int().optional(),
  crv: z.string().optional(),
  key_ops: operationsSchema,
  attributes: attributesSchema,
  tags: tagsSchema.optional(),
});
const updateSchema = z.object({
  key_ops: operationsSchema,
  attributes: attributesSchema,
  tags: tagsSchema.optional(),
});

function createKey(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  const { key_ops: asked, attributes, tags, ...wire } = readBody(createSchema, context.body);
  const type = resolveKeyType(wire, null);
  return vault.store.update(name, async (object) => {
    refuseManaged(object, 'create', 'key');
    refuseForeignName(object, 'key');
    vault.quota.newKey(type);
    const existing = object?.kind === 'key' ? object : null;
    const now = nowSeconds();
    const { enabled = true, nbf = null, exp = null } = attributes;
    const key = await generateKey(type, []);
    const version: KeyVersion = {
      version: newId(),
      key: { ...key, keyOps: possibleOperations(type, asked ?? ALL_OPERATIONS) },
      attributes: { enabled, nbf, exp, created: now, updated: now },
      tags: tags ?? null,
    };
    const save: KeyObject = {
      v: 1,
      kind: 'key',
      name: existing?.name ?? name,
      versions: [...(existing?.versions ?? []), version],
      deleted: null,
    };
    return { save, result: { status: 200, body: showKey(vault, save, version) } };
  });
}

function listKeys(context: RouteContext): VaultResponse {
  const { vault } = context;
  const current = vault.store
    .all()
    .filter(({ deleted }) => deleted === null)
    .flatMap((object) =>
      keyVersions(object)
        .slice(-1)
        .map((version) => ({ object, version })),
    );
  return page(
    context,
    current,
    ({ object }) => object.name.toLowerCase(),
    ({ object, version }) => showKeyItem(vault, object, version),
  );
}

function listVersions(context: RouteContext): VaultResponse {
  const { vault, name } = context;
  const object = vault.store.get(name);
  if (object === undefined || object.deleted !== null || keyVersions(object).length === 0) {
    throw notFound('Key', name);
  }
  return pageOfVersions(context, keyVersions(object), (version) =>
    showKeyItem(vault, object, version, version.version),
  );
}

function keyVersions(object: StoredObject): readonly KeyVersion[] {
  return object.kind === 'secret' ? [] : object.versions;
}

function updateKey(context: RouteContext): Promise<VaultResponse> {
  const { vault, name, version } = context;
  const { key_ops: asked, attributes, tags } = readBody(updateSchema, context.body);
  return vault.store.update(name, (object) => {
    refuseManaged(object, 'update', 'key');
    const own = liveKey(object, name);
    const found = findVersion(own.versions, version);
    if (found === undefined) throw notFound('Key', `${name}/${version}`);
    const changed: KeyVersion = {
      ...found,
      key:
        asked === undefined ? found.key : { ...found.key, keyOps: possibleOperations(found.key.type, asked) },
      attributes: {
        ...found.attributes,
        enabled: attributes.enabled ?? found.attributes.enabled,
        nbf: attributes.nbf ?? found.attributes.nbf,
        exp: attributes.exp ?? found.attributes.exp,
        updated: nowSeconds(),
      },
      tags: tags ?? found.tags,
    };
    const { nbf, exp } = changed.attributes;
    if (nbf !== null && exp !== null && exp <= nbf) {
      throw badParameter('Property attributes has invalid value. exp must be later than nbf.');
    }
    const save: KeyObject = {
      ...own,
      versions: own.versions.map((each) => (each === found ? changed : each)),
    };
    return { save, result: { status: 200, body: showKey(vault, save, changed) } };
  });
}
