import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, EverleafError } from '../../../shared/domain/errors.ts';
import { problemResponse } from '../../../shared/http/problem.ts';

const CORRELATION = 'c0ffee00-0000-4000-8000-000000000000';

function problemOf(error: unknown) {
  const { status, headers, body } = problemResponse(error, CORRELATION);
  return {
    status,
    headers: headers as Record<string, string>,
    text: String(body),
    body: JSON.parse(String(body)) as Record<string, unknown>,
  };
}

/** Status, the cloud agent's number where it has one, and whether the sentence may be told. */
const TABLE: readonly [ErrorCode, number, number | undefined, boolean][] = [
  ['InvalidInput', 400, 4, true],
  ['InvalidCertificateRequest', 400, 4, true],
  ['PayloadTooLarge', 413, undefined, true],
  ['InvalidToken', 401, 33, true],
  ['InvalidProof', 401, 33, true],
  ['Expired', 401, 29, true],
  ['Revoked', 401, 30, true],
  ['IdentityRevoked', 409, 30, true],
  ['NoAuthenticationInformation', 401, 43, true],
  ['AccessDenied', 403, 40, true],
  ['IdentityProviderUnavailable', 503, undefined, true],
  ['TooManyRequests', 429, undefined, true],
  ['NotFound', 404, 1, true],
  ['AlreadyExists', 409, 7, true],
  ['InUse', 409, undefined, true],
  ['StateConflict', 409, undefined, true],
  ['PreconditionFailed', 412, undefined, true],
  ['PreconditionRequired', 428, undefined, true],
  ['Conflict', 503, undefined, false],
  ['InProgress', 503, undefined, true],
  ['NotReady', 503, undefined, true],
  ['AuthorityEnding', 503, undefined, true],
  ['UnknownRecordVersion', 503, undefined, false],
  ['VaultObjectPending', 503, undefined, false],
  ['VaultAccessDenied', 503, undefined, false],
  ['VaultThrottled', 503, undefined, false],
  ['VaultRefused', 500, undefined, false],
  ['StorageUnavailable', 503, undefined, false],
  ['StorageRefused', 500, undefined, false],
  ['LintFailed', 500, undefined, false],
  ['Internal', 500, undefined, false],
];

for (const [code, status, mocCode, isPublic] of TABLE) {
  test(`${code} is answered as ${status}${mocCode === undefined ? '' : ` with the cloud agent's ${mocCode}`}${isPublic ? '' : ', without its sentence'}`, () => {
    const sentence = `What happened to "management/KMS" in https://clients.vault.test`;
    const problem = problemOf(new EverleafError(code, sentence));
    assert.equal(problem.status, status);
    assert.equal(problem.body['status'], status);
    assert.equal(problem.body['code'], code);
    assert.equal(problem.body['mocCode'], mocCode);
    assert.equal(problem.body['type'], `urn:everleaf:problem:${code}`);
    assert.equal(problem.text.includes('vault.test'), isPublic);
    assert.equal(problem.headers['content-type'], 'application/problem+json');
    assert.equal('www-authenticate' in problem.headers, status === 401);
  });
}

test('What nobody foresaw gives its correlation id and nothing else', () => {
  for (const thrown of [new TypeError('x is undefined in secret.ts'), 'text', null, undefined, 42]) {
    const { status, body, text } = problemOf(thrown);
    assert.equal(status, 500);
    assert.deepEqual(body, {
      type: 'urn:everleaf:problem:Internal',
      title: 'Something went wrong',
      status: 500,
      detail: 'Something went wrong. The log has more under the correlation id.',
      instance: `urn:uuid:${CORRELATION}`,
      code: 'Internal',
      correlationId: CORRELATION,
      retryable: false,
    });
    assert.doesNotMatch(text, /secret|undefined|42/);
  }
});

test('Retry-After stands in the header and in the body', () => {
  const error = new EverleafError('InProgress', 'Wait.', { retryable: true, retryAfterSeconds: 5 });
  const { headers, body } = problemOf(error);
  assert.equal(headers['retry-after'], '5');
  assert.equal(body['retryAfterSeconds'], 5);
  assert.equal(body['retryable'], true);
});

test('A pointer into the body comes as an item of errors, and other details stay inside', () => {
  const details = { pointer: '/csr', reason: 'weak-key', internal: 'value' };
  const { body, text } = problemOf(
    new EverleafError('InvalidCertificateRequest', 'The key is weak.', { details }),
  );
  assert.deepEqual(body['errors'], [{ pointer: '/csr', code: 'weak-key', detail: 'The key is weak.' }]);
  assert.doesNotMatch(text, /internal/);
});

test('A hidden error shows no pointer and no cause', () => {
  const error = new EverleafError('StorageRefused', 'The row is broken.', {
    details: { pointer: '/csr', key: 'i|management|kms' },
    cause: new Error('AccountKey=a2V5'),
  });
  assert.doesNotMatch(problemOf(error).text, /csr|kms|a2V5|broken/);
});

test('a refused certificate request points at the csr of the body and says why in one word', () => {
  const error = new EverleafError('InvalidCertificateRequest', 'Cannot accept the certificate request: no.', {
    details: { reason: 'not-pem' },
  });
  const body = JSON.parse(String(problemResponse(error, 'correlation').body));
  assert.deepEqual(body.errors, [{ pointer: '/csr', code: 'not-pem', detail: error.message }]);
});

test('A proof whose clock is off is told the time', () => {
  const details = { reason: 'stale', serverTime: '2026-11-21T08:00:00Z' };
  const { body } = problemOf(new EverleafError('InvalidProof', 'It is stale.', { details }));
  assert.equal(body['serverTime'], '2026-11-21T08:00:00Z');
  assert.equal(
    Object.hasOwn(problemOf(new EverleafError('InvalidProof', 'Wrong.')).body, 'serverTime'),
    false,
  );
});
