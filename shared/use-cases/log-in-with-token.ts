import { fromHex } from '../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { identityText } from '../domain/names.ts';
import { decodeToken, TOKEN_ID_BYTES, TOKEN_USED_UP, type TokenRecord } from '../domain/token.ts';
import { checkCertificateRequest, parseCertificateRequest } from '../pki/certificate-request.ts';
import type { Deps, Run } from './deps.ts';
import { judgeLogin } from './find-revocation.ts';
import { describeLogin, type IssuedLogin, type LoginAnswer } from './login-answer.ts';
import { issueForLogin, repeatLogin } from './login-attempt.ts';
import { readVaultCertificate } from './login-from-vault.ts';
import { assertSourceMayTry, countRefusal } from './login-limit.ts';
import { readIdentity } from './update-identity.ts';

export interface LoginInput {
  /** The token's text as it came; whatever it is. */
  readonly token: string;
  /** PEM of a certificate request; null when the request has none, which is not the same as an empty one. */
  readonly csr: string | null;
  /** The trust bundle that the agent holds; null when it does not say. */
  readonly bundleId: string | null;
}

/**
 * Logs an identity in with its token: a certificate for the key of the request, or, without a request, the current
 * certificate of an identity whose key lies in the vault.
 *
 * Checks in this order: source, token, certificate request. Whoever holds no genuine secret gets InvalidToken after the
 * same calls, whatever is wrong; the reason goes to the log and the audit events, and the source is counted. Idempotent: the same token with the same key gets the
 * same certificate for ten minutes, so a lost answer costs nothing.
 * @throws EverleafError TooManyRequests for a source of many refused tokens, and for an identity that was issued many
 *   certificates; InvalidToken; Expired or Revoked for a genuine token; InvalidInput, InvalidCertificateRequest;
 *   InProgress while an equal request is being answered; NotReady; AuthorityEnding; what the ports throw
 */
export async function logInWithToken(deps: Deps, run: Run, input: LoginInput): Promise<LoginAnswer> {
  await assertSourceMayTry(deps, run);
  const { token, identity, usedUp } = await authenticate(deps, run, input.token);
  if (usedUp !== null) {
    const repeated = await readRepeated(deps, identity, token, input.csr);
    if (repeated !== null) return describeLogin(deps, token, repeated, input.bundleId);
    await countRefusal(deps, run, TOKEN_USED_UP, identity);
    throw usedUp;
  }
  if (input.csr === null) {
    const found = await readVaultCertificate(deps, run, identity, token, input.bundleId);
    return describeLogin(deps, token, found, input.bundleId);
  }
  const request = parseCertificateRequest(input.csr);
  checkCertificateRequest(request, { identityName: identity.name });
  const issued = await issueForLogin(deps, run, identity, token, request, input.bundleId);
  return describeLogin(deps, token, issued, input.bundleId);
}

/** The answer that a token that is used up got for the same key, as long as it is repeated; null when there is none. */
async function readRepeated(
  deps: Deps,
  identity: Identity,
  token: TokenRecord,
  csr: string | null,
): Promise<IssuedLogin | null> {
  if (csr === null) return null;
  try {
    return await repeatLogin(deps, identity, token, parseCertificateRequest(csr));
  } catch (error) {
    // The token is judged before the request: that it has ended is what such a caller learns.
    if (isEverleafError(error, 'InvalidCertificateRequest')) return null;
    throw error;
  }
}

/** Who the token logs in; with the refusal of a token that is used up, whose answers can still be repeated. */
async function authenticate(
  deps: Deps,
  run: Run,
  text: string,
): Promise<{ token: TokenRecord; identity: Identity; usedUp: EverleafError | null }> {
  const decoded = decodeToken(text);
  const isDefect = typeof decoded === 'string';
  // A text that is no token is looked up all the same, so that every refusal makes the same calls.
  const id = isDefect ? deps.random.bytes(TOKEN_ID_BYTES) : decoded.id;
  const secret = isDefect ? deps.random.bytes(32) : decoded.secret.reveal();
  const stored = await deps.identities.token(id);
  const expected = stored === null ? deps.random.bytes(32) : fromHex(stored.value.secretHash);
  const isMatch = deps.digest.equal(deps.digest.sha256(secret), expected);
  if (isDefect || stored === null || !isMatch) {
    const reason = isDefect ? decoded : stored === null ? 'unknown-id' : 'wrong-secret';
    run.log.write('warn', 'Refused a login.', { reason, source: run.actor.source });
    await countRefusal(deps, run, reason, null);
    throw new EverleafError('InvalidToken', 'The token is not valid.');
  }
  const identity = await readIdentity(deps, stored.value.identity);
  const verdict = await judgeLogin(deps, stored.value, identity);
  if (verdict.valid) return { token: stored.value, identity, usedUp: null };
  const refusal = new EverleafError(
    verdict.code,
    verdict.code === 'Revoked'
      ? `Cannot log in ${identityText(identity)}: the identity is revoked.`
      : `Cannot log in ${identityText(identity)}: the token has ended. It needs a newer token.`,
    { details: { reason: verdict.reason } },
  );
  if (verdict.reason === TOKEN_USED_UP) return { token: stored.value, identity, usedUp: refusal };
  run.log.write('warn', `Refused a login of ${identityText(identity)}.`, { reason: verdict.reason });
  await countRefusal(deps, run, verdict.reason, identity);
  throw refusal;
}
