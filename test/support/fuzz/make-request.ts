/** From a recipe's draft to the bytes of a request: as they should be, with one thing wrong, or with everything. */
import { createHash } from 'node:crypto';
import { ROUTES, type RoutePolicy } from '../../../shared/http/routes.ts';
import type { KeyPair } from '../../unit/pki/support/keys.ts';
import { makeProof } from '../proofs.ts';
import type { Draft, Recipe, Target } from './draft.ts';
import type { RawRequest } from './functions-in-process.ts';
import { mutateBytes, mutateJson, mutateJsonText, mutateText, mutateToken } from './mutations.ts';
import { type Junk, oddText, oddValue } from './odd-values.ts';
import type { Pick } from './pick.ts';
import { RECIPES } from './recipes.ts';
import type { Scene } from './scene.ts';

export type Quality = 'good' | 'nearly' | 'garbage';

export interface Made {
  readonly request: RawRequest;
  readonly key: KeyPair | null;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const HEADERS = [
  'x-correlation-id',
  'if-match',
  'if-none-match',
  'idempotency-key',
  'authorization',
  'x-everleaf-proof',
  'content-type',
  'x-forwarded-for',
  'traceparent',
  'x-ms-client-principal',
];
const QUERY = ['limit', 'cursor', 'cluster', 'state', 'type', 'at', 'from', 'to', '__proto__', 'constructor'];
/** Node's server takes no more in all headers together. */
const MOST_HEADER = 9_000;
/** Few, so that the limit of a source is reached. */
const SOURCES = 2;

const CHANGES = ['params', 'query', 'headers', 'body', 'text', 'token', 'credential', 'method'] as const;
type Change = (typeof CHANGES)[number];

export function makeRequest(
  scene: Scene,
  { name, method }: Target,
  quality: Quality,
  pick: Pick,
  junk: Junk,
): Made {
  const recipes = RECIPES[name] as Readonly<Record<string, Recipe>>;
  const none = { params: {}, query: {}, headers: {}, body: undefined, key: null };
  const good: Draft = { ...none, credential: { kind: 'none' }, ...recipes[method]?.(scene, pick) };
  const change = quality === 'nearly' ? pick.of(possibleChanges(good)) : null;
  const draft = quality === 'garbage' ? garbage(good, pick, junk) : changed(good, change, pick, junk);
  const sentMethod = change === 'method' ? pick.of(METHODS) : method;
  const target = targetOf(ROUTES[name], draft, pick, quality === 'good');
  const body = bytesOf(draft, change === 'text' || (quality === 'garbage' && pick.oneIn(2)), pick, junk);
  const proven = {
    ...credentialHeaders(scene, draft, sentMethod, target, body, change, pick, junk),
    ...draft.headers,
  };
  const length = body.length > 0 && !(quality !== 'good' && pick.oneIn(20));
  const headers = {
    ...Object.fromEntries(Object.entries(proven).map(([key, value]) => [key, onTheWire(value)])),
    ...(length ? { 'content-length': String(body.length) } : {}),
  };
  const address = `192.0.2.${1 + pick.index(SOURCES)}`;
  return {
    request: { method: sentMethod, target, headers, body: length ? body : new Uint8Array(), address },
    key: good.key,
  };
}

/** Places that there are to change; bodies more often than others. */
function possibleChanges({ params, body, credential }: Draft): Change[] {
  const isBytes = body instanceof Uint8Array;
  const isObject = typeof body === 'object' && body !== null && !isBytes;
  return CHANGES.flatMap((change): Change[] => {
    if (change === 'params') return Object.keys(params).length > 0 ? [change, change] : [];
    if (change === 'body') return isObject ? [change, change, change, change] : [];
    if (change === 'text') return isObject || isBytes ? [change, change] : [];
    if (change === 'token') return tokenOf(body) === null ? [] : [change, change, change, change];
    if (change === 'credential') return credential.kind === 'none' ? [] : [change, change];
    return [change];
  });
}

function changed(draft: Draft, change: Change | null, pick: Pick, junk: Junk): Draft {
  const one = (values: Draft['params'], names: readonly string[]) => {
    const name = pick.oneIn(3) ? pick.orElse(Object.keys(values), pick.of(names)) : pick.of(names);
    const [, known] = Object.entries(values).find(([each]) => each === name) ?? [];
    const odd = known === undefined ? oddText(pick, junk) : mutateText(known, pick, junk);
    return Object.fromEntries([...Object.entries(values), [name, odd]]);
  };
  switch (change) {
    case 'params':
      return { ...draft, params: one(draft.params, Object.keys(draft.params)) };
    case 'query':
      return { ...draft, query: one(draft.query, QUERY) };
    case 'headers':
      return { ...draft, headers: one(draft.headers, HEADERS) };
    case 'body':
      return { ...draft, body: mutateJson(draft.body, pick, junk) };
    case 'token':
      return {
        ...draft,
        body: { ...Object(draft.body), token: mutateToken(tokenOf(draft.body) ?? '', pick, junk) },
      };
    default:
      return draft;
  }
}

/** The token of a login that has it in the body. */
function tokenOf(body: unknown): string | null {
  const token: unknown = Object(body).token;
  return typeof token === 'string' ? token : null;
}

function garbage(draft: Draft, pick: Pick, junk: Junk): Draft {
  const odd = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, oddText(pick, junk)]));
  const some = (names: readonly string[]) => odd(names.filter(() => pick.oneIn(3)));
  return {
    ...draft,
    params: pick.oneIn(2) ? draft.params : odd(Object.keys(draft.params)),
    query: some(QUERY),
    headers: some(
      HEADERS.filter((name) => !['authorization', 'x-everleaf-proof'].includes(name) || pick.oneIn(4)),
    ),
    body: draft.body === undefined && pick.oneIn(2) ? undefined : oddValue(pick, junk),
  };
}

function targetOf({ route }: RoutePolicy, { params, query }: Draft, pick: Pick, isGood: boolean): string {
  const path = route.replace(/\{\*?(\w+)\}/g, (_, name: string) => {
    const value = params[name] ?? '';
    const isRaw = !isGood && /^[\x21-\x7e]*$/.test(value) && !/[?#]/.test(value) && pick.oneIn(2);
    return isRaw ? value : encodeURIComponent(Buffer.from(value).toString());
  });
  const text = new URLSearchParams(query).toString();
  // Longer than any front end takes.
  return `/api/${path}${text === '' ? '' : `?${text}`}`.slice(0, 16_000);
}

function bytesOf({ body }: Draft, isMutated: boolean, pick: Pick, junk: Junk): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return isMutated ? mutateBytes(body, pick) : body;
  const text = JSON.stringify(body) ?? '';
  return isMutated ? mutateJsonText(text, pick, junk) : Buffer.from(text);
}

function credentialHeaders(
  scene: Scene,
  { credential }: Draft,
  method: string,
  target: string,
  body: Uint8Array,
  change: Change | null,
  pick: Pick,
  junk: Junk,
): Record<string, string> {
  const isWrong = change === 'credential';
  if (credential.kind === 'none') return {};
  if (credential.kind === 'operator') {
    const bearer = `Bearer ${scene.bearers[credential.name]}`;
    return { authorization: isWrong ? mutateText(bearer, pick, junk) : bearer };
  }
  const { held } = credential;
  const hash = createHash('sha256').update(body).digest('base64url');
  const { clock } = scene.world;
  const proof = makeProof({
    certificate: isWrong && pick.oneIn(3) ? pick.of(scene.held).certificate : held.certificate,
    key: held.key,
    method,
    path: new URL(`http://localhost${target}`).pathname,
    now: clock.now(),
    claims: {
      ...(method === 'GET' ? {} : { body: hash }),
      ...(isWrong ? oddMember(['htm', 'htu', 'iat', 'jti', 'body', 'exp', '__proto__'], pick, junk) : {}),
    },
    header: isWrong ? oddMember(['alg', 'x5c', 'crit', 'b64', 'typ', 'jwk', 'kid', 'x5u'], pick, junk) : {},
  });
  return { 'x-everleaf-proof': isWrong && pick.oneIn(2) ? mutateText(proof, pick, junk) : proof };
}

function oddMember(names: readonly string[], pick: Pick, junk: Junk): Record<string, unknown> {
  return pick.oneIn(2) ? {} : { [pick.of(names)]: oddValue(pick, junk) };
}

/** What of a text can stand in a header at all (RFC 9110, 5.5): Node's server refuses the rest before any function. */
function onTheWire(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, MOST_HEADER);
}
