import { type Authority, type FinishedAuthority, isFinished } from '../domain/authority.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { addMs, earlier, HOUR_MS, wholeSecond } from '../domain/instants.ts';
import { needsResponder, type ResponderCertificate, responderInForce } from '../domain/responder.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { type CertId, certIdFor, isSameCertIdIssuer, publicKeyDigest } from '../pki/ocsp-cert-id.ts';
import { type OcspRequest, parseOcspRequest } from '../pki/ocsp-request.ts';
import {
  assembleOcspResponse,
  buildOcspResponseData,
  type OcspCertStatus,
  type OcspErrorStatus,
  ocspError,
} from '../pki/ocsp-response.ts';
import { parseOcspResponse, verifyOcspResponse } from '../pki/ocsp-response-reader.ts';
import { readPublicKey } from '../pki/public-key.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { KeptAnswer } from '../ports/ocsp-store.ts';
import type { Deps, Run } from './deps.ts';
import { findCertificateStatus } from './find-certificate-status.ts';
import { ANSWER_VALIDITY_MS, keep, placeOf, readKept } from './kept-answers.ts';
import { countSignature } from './signature-limit.ts';

/** For one caller alone; short, because what is unknown now may be issued in the next minute. */
const LIVE_VALIDITY_MS = HOUR_MS;

export interface OcspAnswer {
  /** The OCSPResponse, DER. */
  readonly der: Uint8Array;
  /** Whether everybody who asks the same gets it, and until when; null for one caller's answer and for an error. */
  readonly kept: {
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
    /** The first moment at which it is signed anew. */
    readonly freshUntil: Date;
  } | null;
  /** When an answer that says `tryLater` is worth another try. */
  readonly retryAfterSeconds: number | null;
}

/**
 * Answers an OCSP request as RFC 6960 says. What is true of the certificates is looked up in the record at every request; the
 * signature on it is what is kept: a question about one certificate that was issued gets an answer that was signed once for
 * everybody (RFC 5019, 2.2). Signed for the caller alone, and counted against its source, is what carries a nonce, asks
 * about several certificates or about one that is unknown: a stranger must not be able to fill the storage.
 *
 * It answers in OCSP's own words whatever happens (2.3): clients read nothing else.
 * @param der the request as it came
 * @param isNonceIgnored for a request whose answer may be kept by anybody on the way, as with GET: a responder may leave
 *   the nonce out (RFC 9654, 2.1)
 */
export async function answerOcsp(
  deps: Deps,
  run: Run,
  der: Uint8Array,
  isNonceIgnored: boolean,
): Promise<OcspAnswer> {
  try {
    const request = parseOcspRequest(der);
    return await answer(deps, run, isNonceIgnored ? { ...request, nonce: null } : request);
  } catch (error) {
    if (isEverleafError(error, 'InvalidInput')) return refusal('malformedRequest');
    if (!isEverleafError(error)) throw error;
    const isPassing = error.retryable || error.code === 'Conflict';
    run.log.write(isPassing ? 'warn' : 'error', `Cannot answer an OCSP request: ${error.message}`, {
      code: error.code,
    });
    return isPassing ? refusal('tryLater', error.retryAfterSeconds ?? 30) : refusal('internalError');
  }
}

async function answer(deps: Deps, run: Run, { certIds, nonce }: OcspRequest): Promise<OcspAnswer> {
  const all = await deps.fleet.authorities();
  const authority = authorityOf(all, certIds);
  if (authority === null) return refusal('unauthorized');
  const now = deps.clock.now();
  const responder = responderInForce((await deps.ocsp.responder(authority.id))?.value ?? null, now);
  // Of an authority that has ended nothing is known any more (RFC 5019, 2.2.3); one that has not begun soon has one.
  if (responder === null) {
    return needsResponder(authority, now) ? refusal('tryLater', 60) : refusal('unauthorized');
  }
  const statuses = await Promise.all(
    certIds.map(({ serialNumber }) => findCertificateStatus(deps, all, authority, serialNumber)),
  );
  const asked = certIds.map((certId, i) => ({ certId, status: statuses[i] ?? { kind: 'unknown' } }) as const);
  const [only] = asked;
  if (only === undefined || asked.length > 1 || nonce !== null || only.status.kind === 'unknown') {
    const wait = await countSignature(deps, run, true);
    if (wait !== null) return refusal('tryLater', wait);
    const { der } = await sign(deps, responder, asked, nonce, LIVE_VALIDITY_MS);
    return { der, kept: null, retryAfterSeconds: null };
  }
  const place = placeOf(deps, authority.id, only.certId, only.status);
  let kept = await readKept(deps, place);
  if (kept === null) {
    const wait = await countSignature(deps, run, false);
    if (wait !== null) return refusal('tryLater', wait);
    kept = await sign(deps, responder, asked, null, ANSWER_VALIDITY_MS);
    await keep(deps, run, place, kept);
  }
  const { der, thisUpdate, nextUpdate } = kept;
  return {
    der,
    kept: { thisUpdate, nextUpdate, freshUntil: earlier(place.windowEnd, nextUpdate) },
    retryAfterSeconds: null,
  };
}

/** The authority that all of them name; null when they name several, or one that is not Everleaf's. */
function authorityOf(all: readonly Authority[], certIds: readonly CertId[]): FinishedAuthority | null {
  const hashes = new Set(certIds.map(({ hashAlgorithm }) => hashAlgorithm));
  const isNamed = (authority: FinishedAuthority) => {
    const parsed = parseCertificate(authority.certificate);
    const names = [...hashes].flatMap((hash) => (hash === null ? [] : [certIdFor(parsed, hash)]));
    return certIds.every((certId) => names.some((name) => isSameCertIdIssuer(certId, name)));
  };
  return all.filter(isFinished).find(isNamed) ?? null;
}

function refusal(status: OcspErrorStatus, retryAfterSeconds: number | null = null): OcspAnswer {
  return { der: ocspError(status), kept: null, retryAfterSeconds };
}

/** Has the vault sign an answer, and checks what came back with the responder's public key. */
async function sign(
  deps: Deps,
  { keyId, certificate, notAfter }: ResponderCertificate,
  asked: readonly { readonly certId: CertId; readonly status: OcspCertStatus }[],
  nonce: Uint8Array | null,
  validityMs: number,
): Promise<KeptAnswer> {
  const { spki } = parseCertificate(certificate);
  const thisUpdate = wholeSecond(deps.clock.now());
  const nextUpdate = earlier(addMs(thisUpdate, validityMs), notAfter);
  const tbs = buildOcspResponseData({
    responderKeyHash: publicKeyDigest(spki, 'sha1'),
    producedAt: thisUpdate,
    responses: asked.map(({ certId, status }) => ({ certIdDer: certId.der, status, thisUpdate, nextUpdate })),
    nonce,
  });
  const algorithm = signatureAlgorithmFor(readPublicKey(spki));
  const signature = await deps.signer.sign(keyId, algorithm, tbs);
  const der = assembleOcspResponse(tbs, algorithm, signature, [certificate]);
  const parsed = parseOcspResponse(der);
  if (parsed.status !== 'successful' || !verifyOcspResponse(parsed, spki)) {
    throw new EverleafError(
      'VaultRefused',
      `The vault's signature by ${keyId} does not verify with the OCSP responder's public key. Nothing was answered.`,
    );
  }
  return { v: 1, der, thisUpdate, nextUpdate };
}
