import assert from 'node:assert/strict';
import { PROMETHEUS_TYPE } from '../../../shared/http/prometheus.ts';
import { ROUTES, type RouteName } from '../../../shared/http/routes.ts';
import type { Problem } from '../contract-shapes.ts';
import { undocumented } from '../documented.ts';
import type { RawAnswer, RawRequest } from './functions-in-process.ts';
import type { Scene } from './scene.ts';

/** Where the contract hands tokens out, in fields `token` and `yaml`, and nowhere else. */
const HANDS_OUT_TOKENS = [
  'clusters',
  'identities',
  'rotate-identity',
  'rotate-token',
  'operation-login-files',
];
/** The most that one request may wait for others, by the clock of the deployment. */
const MOST_WAIT_MS = 10_000;
const CORRELATION_ID = /^[0-9a-zA-Z-]{8,64}$/;
const CALLER_ERRORS = [400, 401, 403, 404, 409, 412, 413, 428, 429];

export interface Circumstances {
  /** The same request was under way at the same time: one of them may be told to come again. */
  readonly isTwin: boolean;
  readonly waitedMs: number;
}

/**
 * What holds for every answer, whatever was asked.
 * @returns the JSON of the answer; null for one without
 */
export function checkAnswer(
  scene: Scene,
  request: RawRequest,
  answer: RawAnswer,
  { isTwin, waitedMs }: Circumstances,
): unknown {
  const { status, headers, text } = answer;
  assert.ok(waitedMs <= MOST_WAIT_MS, `it waited ${waitedMs} ms`);
  checkHeaders(request, answer);
  const type = headers['content-type'] ?? '';
  const isJson = /^application\/(?:problem\+)?json/.test(type) && text !== '';
  const json: unknown = isJson ? JSON.parse(text) : null;
  if (status >= 400) checkProblem(answer, json, isTwin);
  else if (status === 204 || status === 304) assert.equal(text, '', 'an answer without content has some');
  else {
    assert.ok([200, 201, 202].includes(status), `status ${status}`);
    assert.ok(json !== null || FILES.includes(type), `content-type ${type}`);
  }
  checkDocumented(request, answer, json);
  checkSecrets(scene, request, answer, json);
  return status < 400 ? json : null;
}

/** What is answered otherwise than in JSON. */
const FILES = [
  'application/x-pem-file',
  'application/pkix-crl',
  'application/pkix-cert',
  'application/ocsp-response',
  PROMETHEUS_TYPE,
];

function checkHeaders({ headers: asked }: RawRequest, { headers }: RawAnswer): void {
  const id = headers['x-correlation-id'] ?? '';
  assert.match(id, CORRELATION_ID);
  const wanted = asked['x-correlation-id'];
  if (wanted !== undefined && CORRELATION_ID.test(wanted)) assert.equal(id, wanted);
  assert.ok(headers['cache-control'] !== undefined, 'it says nothing of caching');
  assert.equal(headers['x-content-type-options'], 'nosniff');
}

/** RFC 9457, with the members that the contract adds. */
function checkProblem(
  { status, headers, function: answerOf }: RawAnswer,
  json: unknown,
  isTwin: boolean,
): void {
  const problem = json as Problem & { readonly retryAfterSeconds?: number };
  // A client of the vault that logs in before the scan has made its first certificate, or replaced a revoked one.
  const isEarly = status === 503 && problem.code === 'NotReady' && answerOf === 'login';
  const isBusy = isTwin && status === 503 && ['InProgress', 'Conflict'].includes(problem.code);
  assert.ok(isBusy || isEarly || CALLER_ERRORS.includes(status), `status ${status}: ${problem.code}`);
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.equal(problem.status, status);
  assert.match(problem.code, /^[A-Z][A-Za-z]+$/);
  assert.equal(problem.type, `urn:everleaf:problem:${problem.code}`);
  for (const text of [problem.title, problem.detail]) assert.ok(typeof text === 'string' && text.length > 0);
  assert.equal(problem.correlationId, headers['x-correlation-id']);
  assert.equal(problem.instance, `urn:uuid:${problem.correlationId}`);
  assert.equal(typeof problem.retryable, 'boolean');
  const seconds = problem.retryAfterSeconds;
  assert.equal(headers['retry-after'], seconds === undefined ? undefined : String(seconds));
  if (status === 429) assert.ok(seconds !== undefined && seconds > 0, 'a limit does not say when it ends');
  assert.equal(headers['www-authenticate'] !== undefined, status === 401);
  for (const { pointer } of problem.errors ?? []) assert.match(pointer, /^(?:\/(?:[^/~]|~[01])*)*$/);
}

/** The OpenAPI document names the status, the media type and every field of the body. */
function checkDocumented({ method }: RawRequest, answer: RawAnswer, json: unknown): void {
  if (answer.function === null) return;
  const { route } = ROUTES[answer.function as RouteName];
  const contentType = answer.headers['content-type'] ?? null;
  const seen = { method, path: `/api/${route}`, status: answer.status, contentType, json: json ?? undefined };
  assert.equal(undocumented(seen), null);
}

function checkSecrets(scene: Scene, request: RawRequest, answer: RawAnswer, json: unknown): void {
  const mayHold = answer.status < 300 && HANDS_OUT_TOKENS.includes(answer.function ?? '');
  const shown = mayHold ? JSON.stringify(json, withoutTokens) : answer.text;
  scene.secrets.assertNone(shown + JSON.stringify(answer.headers), 'the answer');
  const lines = answer.lines.join('\n');
  scene.secrets.assertNone(lines, 'the log');
  for (const name of ['authorization', 'x-everleaf-proof']) {
    // The last part of a JWT or JWS is its signature.
    const signature = request.headers[name]?.split('.')[2] ?? '';
    if (signature.length < 64) continue;
    assert.ok(!answer.text.includes(signature), `the answer holds the signature of ${name}`);
    assert.ok(!lines.includes(signature), `the log holds the signature of ${name}`);
  }
}

function withoutTokens(name: string, value: unknown): unknown {
  return (name === 'token' || name === 'yaml') && typeof value === 'string' ? undefined : value;
}
