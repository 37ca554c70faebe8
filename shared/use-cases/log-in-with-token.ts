import { fromHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { identityText } from '../domain/names.ts';
import { decodeToken, judgeToken, TOKEN_ID_BYTES, type TokenRecord } from '../domain/token.ts';
import { checkCertificateRequest, parseCertificateRequest } from '../pki/certificate-request.ts';
import type { Deps, Run } from './deps.ts';
import { describeLogin, type LoginAnswer } from './login-answer.ts';
import { issueForLogin } from './login-attempt.ts';
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
  const { token, identity } = await authenticate(deps, run, input.token);
  if (input.csr === null) {
    return describeLogin(deps, token, await readVaultCertificate(deps, run, identity, token, input.bundleId));
  }
  const request = parseCertificateRequest(input.csr);
  checkCertificateRequest(request, { identityName: identity.name });
  return describeLogin(deps, token, await issueForLogin(deps, run, identity, token, request, input.bundleId));
}

/** Who the token logs in. */
async function authenticate(
  deps: Deps,
  run: Run,
  text: string,
): Promise<{ token: TokenRecord; identity: Identity }> {
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
  const verdict = judgeToken(stored.value, identity, deps.clock.now());
  if (!verdict.valid) {
    run.log.write('warn', `Refused a login of ${identityText(identity)}.`, { reason: verdict.reason });
    await countRefusal(deps, run, verdict.reason, identity);
    throw new EverleafError(
      verdict.code,
      verdict.code === 'Revoked'
        ? `Cannot log in ${identityText(identity)}: the identity is revoked.`
        : `Cannot log in ${identityText(identity)}: the token has ended. It needs a newer token.`,
      { details: { reason: verdict.reason } },
    );
  }
  return { token: stored.value, identity };
}
