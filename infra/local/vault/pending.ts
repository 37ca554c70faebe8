import { z } from 'zod';
import { readBody, tagsSchema } from './body.ts';
import { showCertificate, showOperation } from './certificate-answers.ts';
import { completeCertificate } from './completion.ts';
import { badParameter, forbidden, VaultError } from './errors.ts';
import { newId, objectId } from './identifiers.ts';
import { generateKey, keyOperations, publicKeyOf } from './key-material.ts';
import { certificateToExtend, liveCertificate, notInProgress } from './live-objects.ts';
import type {
  CertificateObject,
  CertificatePolicy,
  CertificateVersion,
  PendingOperation,
  StoredKey,
  StoredObject,
} from './model.ts';
import { nowSeconds } from './model.ts';
import { policySchema, resolvePolicy, type WirePolicy } from './policy.ts';
import type { Quota } from './quota.ts';
import type { Route, RouteContext, VaultResponse } from './request.ts';
import { createRequest, createSelfSigned, readCertificates } from './x509.ts';

/** The way to a new version: create, look at the pending operation, cancel or forget it, merge. */
export const pendingRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/certificates/:name/create',
    action: 'certificates/create/action',
    operation: 'CertificateCreate',
    handle: createCertificate,
  },
  {
    method: 'GET',
    path: '/certificates/:name/pending',
    action: 'certificates/read',
    operation: 'CertificatePendingGet',
    handle: getOperation,
  },
  {
    method: 'PATCH',
    path: '/certificates/:name/pending',
    action: 'certificates/update/action',
    operation: 'CertificatePendingUpdate',
    handle: cancelOperation,
  },
  {
    method: 'DELETE',
    path: '/certificates/:name/pending',
    action: 'certificates/update/action',
    operation: 'CertificatePendingDelete',
    handle: deleteOperation,
  },
  {
    method: 'POST',
    path: '/certificates/:name/pending/merge',
    action: 'certificates/create/action',
    operation: 'CertificatePendingMerge',
    handle: mergeCertificate,
  },
];

const attributesSchema = z.object({ enabled: z.boolean().optional() }).optional();
const createSchema = z.object({
  policy: policySchema.optional(),
  attributes: attributesSchema,
  tags: tagsSchema.optional(),
});

function createCertificate(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  const input = readBody(createSchema, context.body);
  return vault.store.update(name, async (object) => {
    const existing = certificateToExtend(object);
    const now = nowSeconds();
    const policy = policyForVersion(input.policy, existing, now);
    const key = await keyForVersion(policy, existing?.versions.at(-1), vault.quota);
    const pending: PendingOperation = {
      requestId: newId(),
      version: newId(),
      issuer: policy.issuer,
      csr: (await createRequest(key, policy)).toString('base64'),
      status: 'inProgress',
      cancellationRequested: false,
      pollsLeft: vault.selfCompletesAfterPolls,
      key,
      exportable: policy.exportable,
      contentType: policy.contentType,
      enabled: input.attributes?.enabled ?? true,
      tags: input.tags ?? null,
    };
    const save: CertificateObject = {
      v: 1,
      kind: 'certificate',
      name: existing?.name ?? name,
      policy,
      versions: existing?.versions ?? [],
      pending,
      draft: existing?.versions.length ? null : { version: pending.version, created: now },
      deleted: null,
    };
    const location = `${objectId(vault, 'certificates', save.name)}/pending?${new URLSearchParams({
      'api-version': context.query.get('api-version') ?? '',
      request_id: pending.requestId,
    })}`;
    return {
      save,
      result: {
        status: 202,
        body: showOperation(vault, save, pending),
        headers: { Location: location, 'Retry-After': '10' },
      },
    };
  });
}

/** A look at the operation is what completes one of issuer Self, once it has been looked at often enough. */
function getOperation(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  return vault.store.update(name, async (object) => {
    const { certificate, pending } = pendingOperation(object, context);
    if (pending.status !== 'inProgress' || pending.issuer.name !== 'Self') {
      return { result: operationAnswer(context, certificate, pending) };
    }
    if (pending.pollsLeft > 0) {
      const waiting = { ...pending, pollsLeft: pending.pollsLeft - 1 };
      return {
        save: { ...certificate, pending: waiting },
        result: operationAnswer(context, certificate, waiting),
      };
    }
    const now = nowSeconds();
    const cer = (await createSelfSigned(pending.key, certificate.policy, now)).toString('base64');
    const save = completeCertificate(certificate, pending, { cer, chain: [] }, now);
    return { save, result: operationAnswer(context, save, save.pending) };
  });
}

const cancelSchema = z.object({ cancellation_requested: z.literal(true) });

/** The answer still says `inProgress`, as the service's does; the next look says `cancelled`. */
function cancelOperation(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  readBody(cancelSchema, context.body);
  return vault.store.update(name, (object) => {
    const { certificate, pending } = pendingOperation(object, context);
    if (pending.status !== 'inProgress') throw notInProgress(pending.status);
    const asked: PendingOperation = { ...pending, cancellationRequested: true };
    return {
      save: { ...certificate, pending: { ...asked, status: 'cancelled' } },
      result: { status: 200, body: showOperation(vault, certificate, asked) },
    };
  });
}

function deleteOperation(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  return vault.store.update(name, (object) => {
    const { certificate, pending } = pendingOperation(object, context);
    return {
      save: { ...certificate, pending: null },
      result: { status: 200, body: showOperation(vault, certificate, pending) },
    };
  });
}

const mergeSchema = z.object({
  x5c: z.array(z.string().min(1)).min(1),
  attributes: attributesSchema,
  tags: tagsSchema.optional(),
});

/** Takes the certificate that somebody issued for the pending request; the rest of `x5c` is kept as its chain. */
function mergeCertificate(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  const input = readBody(mergeSchema, context.body);
  const certificates = input.x5c.flatMap(readCertificates);
  return vault.store.update(name, (object) => {
    const { certificate, pending } = pendingOperation(object, context);
    if (pending.status !== 'inProgress') throw notInProgress(pending.status);
    if (pending.issuer.name !== 'Unknown') {
      throw forbidden(`Merge is not allowed: the certificate is being issued by ${pending.issuer.name}.`);
    }
    const publicKey = publicKeyOf(pending.key);
    const leaf = certificates.find((candidate) => candidate.publicKey.equals(publicKey));
    if (leaf === undefined) {
      throw badParameter(
        'Property x5c has invalid value. No certificate in it has the public key of the pending request.',
      );
    }
    const chain = certificates.filter((other) => other !== leaf).map((other) => other.raw.toString('base64'));
    const merged: PendingOperation = {
      ...pending,
      enabled: input.attributes?.enabled ?? pending.enabled,
      tags: input.tags ?? pending.tags,
    };
    const save = completeCertificate(
      certificate,
      merged,
      { cer: leaf.raw.toString('base64'), chain },
      nowSeconds(),
    );
    const query = new URLSearchParams({ 'api-version': context.query.get('api-version') ?? '' });
    return {
      save,
      result: {
        status: 201,
        body: showCertificate(vault, save),
        headers: { Location: `${objectId(vault, 'certificates', save.name)}?${query}` },
      },
    };
  });
}

/** A policy given at create replaces the one there was; without one, that one is used again. */
function policyForVersion(
  wire: WirePolicy | undefined,
  existing: CertificateObject | null,
  now: number,
): CertificatePolicy {
  if (wire !== undefined) {
    const policy = resolvePolicy(wire, null, now);
    const created = existing?.policy.attributes.created ?? now;
    return { ...policy, attributes: { ...policy.attributes, created } };
  }
  if (existing !== null) return existing.policy;
  throw badParameter('Property policy has invalid value. The first version needs a policy.');
}

/** A new key, or with `reuse_key` the one of the latest version, which must be what the policy asks for. */
async function keyForVersion(
  policy: CertificatePolicy,
  latest: CertificateVersion | undefined,
  quota: Quota,
): Promise<StoredKey> {
  if (!policy.reuseKey || latest === undefined) {
    quota.newKey(policy.key);
    return generateKey(policy.key, policy.keyUsage);
  }
  const isSameType = JSON.stringify(latest.key.type) === JSON.stringify(policy.key);
  if (!isSameType || (policy.exportable && !latest.exportable)) {
    throw badParameter(
      'Property policy.key_props has invalid value. reuse_key asks for the key of the latest version, which is of ' +
        'another type, or not exportable.',
    );
  }
  return { ...latest.key, keyOps: keyOperations(policy.key, policy.keyUsage) };
}

function pendingOperation(
  object: StoredObject | undefined,
  { name, query }: RouteContext,
): { certificate: CertificateObject; pending: PendingOperation } {
  const certificate = liveCertificate(object, name);
  const { pending } = certificate;
  const requestId = query.get('request_id');
  if (pending === null || (requestId !== null && requestId !== pending.requestId)) {
    throw new VaultError(404, 'PendingCertificateNotFound', `Pending certificate not found: ${name}`);
  }
  return { certificate, pending };
}

function operationAnswer(
  { vault }: RouteContext,
  certificate: CertificateObject,
  pending: PendingOperation,
): VaultResponse {
  const headers = pending.status === 'inProgress' ? { 'Retry-After': '10' } : {};
  return { status: 200, body: showOperation(vault, certificate, pending), headers };
}
