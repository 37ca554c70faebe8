import { createPrivateKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { readBody } from './body.ts';
import { badParameter, forbidden } from './errors.ts';
import { objectId } from './identifiers.ts';
import { showKey } from './key-answers.ts';
import { publicKeyOf } from './key-material.ts';
import { keyVersion } from './live-objects.ts';
import type { Curve, KeyVersion, StoredKey } from './model.ts';
import { nowSeconds } from './model.ts';
import * as ecdsa from './prehashed-ecdsa.ts';
import * as rsa from './prehashed-rsa.ts';
import type { Route, RouteContext, VaultResponse } from './request.ts';

/** Using keys, those of certificates and others; own-keys.ts makes the others. */
export const keyRoutes: readonly Route[] = [
  { method: 'GET', path: '/keys/:name/:version', action: 'keys/read', operation: 'KeyGet', handle: getKey },
  {
    method: 'POST',
    path: '/keys/:name/:version/sign',
    action: 'keys/sign/action',
    operation: 'KeySign',
    handle: sign,
  },
  {
    method: 'POST',
    path: '/keys/:name/:version/verify',
    action: 'keys/verify/action',
    operation: 'KeyVerify',
    handle: verify,
  },
];

const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]*={0,2}$/, 'not base64url')
  .transform((text) => Buffer.from(text, 'base64url'));
const signSchema = z.object({ alg: z.string(), value: base64url });
const verifySchema = z.object({ alg: z.string(), digest: base64url, value: base64url });

function getKey(context: RouteContext): VaultResponse {
  const { vault, name, version } = context;
  const { owner, found } = keyVersion(vault.store.get(name), name, version);
  return { status: 200, body: showKey(vault, owner, found) };
}

function sign(context: RouteContext): VaultResponse {
  const { alg, value } = readBody(signSchema, context.body);
  const { kid, key } = usableKey(context, 'sign');
  const signature = signDigest(createPrivateKey(key.pem), algorithmFor(alg, key, value), value);
  return { status: 200, body: { kid, value: signature.toString('base64url') } };
}

function verify(context: RouteContext): VaultResponse {
  const { alg, digest, value } = readBody(verifySchema, context.body);
  const { key } = usableKey(context, 'verify');
  const isValid = verifyDigest(key, algorithmFor(alg, key, digest), digest, value);
  return { status: 200, body: { value: isValid } };
}

function signDigest(key: KeyObject, algorithm: Algorithm, digest: Buffer): Buffer {
  if (algorithm.family === 'ES') return ecdsa.signDigest(key, algorithm.crv, digest);
  const signRsa = algorithm.family === 'RS' ? rsa.signPkcs1 : rsa.signPss;
  return signRsa(key, algorithm.hash, digest);
}

function verifyDigest(key: StoredKey, algorithm: Algorithm, digest: Buffer, signature: Buffer): boolean {
  if (algorithm.family === 'ES') {
    return ecdsa.verifyDigest(createPrivateKey(key.pem), algorithm.crv, digest, signature);
  }
  const verifyRsa = algorithm.family === 'RS' ? rsa.verifyPkcs1 : rsa.verifyPss;
  return verifyRsa(publicKeyOf(key), algorithm.hash, digest, signature);
}

/**
 * The key, when it may be used now: enabled, inside nbf and exp, and for this operation (Microsoft Learn, "About
 * Azure Key Vault certificates": operations outside the nbf and exp window are disallowed).
 */
function usableKey(context: RouteContext, operation: 'sign' | 'verify'): { kid: string; key: StoredKey } {
  const { vault, name, version } = context;
  const { owner, found } = keyVersion(vault.store.get(name), name, version);
  // Signatures of a key of its own can be verified before and after its time (Microsoft Learn, "About keys", date-time
  // controlled operations); a certificate's key is inoperable then.
  const isDated = owner.kind === 'certificate' || operation !== 'verify';
  refuseUnusable(found, operation, isDated);
  return { kid: objectId(vault, 'keys', owner.name, found.version), key: found.key };
}

function refuseUnusable({ attributes, key }: KeyVersion, operation: string, isDated: boolean): void {
  const now = nowSeconds();
  const { enabled } = attributes;
  const { nbf, exp } = isDated ? attributes : { nbf: null, exp: null };
  if (!enabled) throw forbidden(`Operation ${operation} is not allowed on a disabled key.`, 'KeyDisabled');
  if (nbf !== null && now < nbf) {
    throw forbidden(
      `Operation ${operation} is not allowed on a key that is not yet valid.`,
      'KeyNotYetValid',
    );
  }
  if (exp !== null && now > exp) {
    throw forbidden(`Operation ${operation} is not allowed on an expired key.`, 'KeyExpired');
  }
  if (!key.keyOps.includes(operation)) {
    throw forbidden(
      `Operation ${operation} is not permitted on this key: its operations are [${key.keyOps.join(', ')}].`,
      'KeyOperationForbidden',
    );
  }
}

type Algorithm =
  | { readonly family: 'RS' | 'PS'; readonly hash: rsa.RsaHash }
  | { readonly family: 'ES'; readonly crv: Curve };

const HASHES = {
  '256': { hash: 'sha256', octets: 32, crv: 'P-256' },
  '384': { hash: 'sha384', octets: 48, crv: 'P-384' },
  '512': { hash: 'sha512', octets: 64, crv: 'P-521' },
} as const;

/** @throws VaultError 400 when the algorithm is unknown, does not fit the key, or has digests of another length */
function algorithmFor(alg: string, key: StoredKey, digest: Buffer): Algorithm {
  const [, family, bits] = /^(RS|PS|ES)(256|384|512)$/.exec(alg) ?? [];
  if (family === undefined || bits === undefined) {
    throw badParameter(`Property alg has invalid value. The algorithm ${alg} is not supported.`);
  }
  const { hash, octets, crv } = HASHES[bits as keyof typeof HASHES];
  const fits = family === 'ES' ? key.type.kty === 'EC' && key.type.crv === crv : key.type.kty === 'RSA';
  if (!fits) {
    throw badParameter(`Key and signing algorithm are incompatible: the key cannot sign with ${alg}.`);
  }
  if (digest.length !== octets) {
    throw badParameter(
      `Invalid length of value: ${alg} signs a digest of ${octets} octets, not ${digest.length}.`,
    );
  }
  return family === 'ES' ? { family, crv } : { family: family as 'RS' | 'PS', hash };
}
