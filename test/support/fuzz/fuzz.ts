/**
 * Runs of requests against the functions themselves, over memory twins: each run has a new deployment, in which state
 * builds up from request to request. fast-check makes the runs up and shortens one that fails.
 */
import fc from 'fast-check';
import { useApp } from '../../../shared/app.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../../shared/domain/instants.ts';
import { ROUTES, type RouteMethod, type RouteName } from '../../../shared/http/routes.ts';
import { sealAudit } from '../../../shared/use-cases/seal-audit.ts';
import { type OperatorIssuer, startOperatorIssuer } from '../operator-issuer.ts';
import { checkAnswer } from './check-answer.ts';
import type { Target } from './draft.ts';
import { assertLawsAtTheEnd } from './end-of-run.ts';
import {
  type FunctionsInProcess,
  loadFunctions,
  type RawAnswer,
  type RawRequest,
} from './functions-in-process.ts';
import { makeRequest, type Quality } from './make-request.ts';
import type { Junk } from './odd-values.ts';
import { pickBySeed } from './pick.ts';
import { OPERATORS, type OperatorName, Scene } from './scene.ts';

/** Every route with every method that it has. */
export const TARGETS: readonly Target[] = (Object.keys(ROUTES) as RouteName[]).flatMap((name) =>
  (Object.keys(ROUTES[name].methods) as RouteMethod[]).map((method) => ({ name, method })),
);
/** What agents call comes more often: it is open to everybody. */
const AGENTS = TARGETS.filter(({ name }) => ['login', 'renew', 'rotate-token', 'acknowledge'].includes(name));
const QUALITIES: readonly Quality[] = ['good', 'good', 'nearly', 'nearly', 'nearly', 'garbage'];

type Step =
  | {
      readonly kind: 'request';
      readonly target: Target;
      readonly quality: Quality;
      /** Decides everything that the deployment's state has a say in. */
      readonly seed: number;
      readonly junk: Junk;
      /** The same bytes come twice at the same moment. */
      readonly isTwin: boolean;
    }
  /** Somebody tries tokens, one after the other. */
  | { readonly kind: 'guesses'; readonly seed: number; readonly junk: Junk }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'tick' }
  | { readonly kind: 'seal' };

/** Half of a surrogate pair among them. */
const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

const junk: fc.Arbitrary<Junk> = fc.record({
  text: fc.string({ unit: codeUnit, maxLength: 60 }),
  bytes: fc.uint8Array({ maxLength: 200 }),
  json: fc.jsonValue({ maxDepth: 3 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      target: fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom(...TARGETS) },
        { weight: 1, arbitrary: fc.constantFrom(...AGENTS) },
      ),
      quality: fc.constantFrom(...QUALITIES),
      seed: fc.noShrink(fc.nat()),
      junk,
      isTwin: fc.integer({ min: 0, max: 19 }).map((n) => n === 19),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(SECOND_MS, 61 * SECOND_MS, HOUR_MS, DAY_MS, 20 * DAY_MS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('guesses' as const), seed: fc.noShrink(fc.nat()), junk }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'tick' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'seal' as const }) },
);

/** Some dozen requests: fewer would not come far, and more would be hard to shorten. */
const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' });

export interface Tally {
  /** Requests that a function answered. */
  cases: number;
  runs: number;
  /** Answers by status. */
  readonly byStatus: Record<string, number>;
  /** `METHOD name` of every route that was asked, with how often it answered below 400. */
  readonly byTarget: Record<string, number>;
}

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  onProgress?(tally: Tally): void;
}

/** A run takes a second; one that takes so long never ends. */
const MOST_RUN_MS = 120_000;

/** Runs that are made up between two looks at how many there were. */
const RUNS_AT_ONCE = 5;

/**
 * Sends at least that many requests.
 * @throws Error with the shortest failing run, the seed, and the request and answer that broke a promise
 */
export async function fuzz({ cases, seed, onProgress }: FuzzOptions): Promise<Tally> {
  const functions = await loadFunctions();
  const issuer = await startOperatorIssuer();
  const tally: Tally = { cases: 0, runs: 0, byStatus: {}, byTarget: {} };
  try {
    const bearers = await bearersOf(issuer);
    const property = fc.asyncProperty(steps, async (run) => {
      await playRun(functions, await Scene.open(issuer, bearers), run, tally);
      tally.runs += 1;
    });
    for (let batch = 0; tally.cases < cases; batch++) {
      await fc.assert(property, {
        seed: seed + batch,
        numRuns: RUNS_AT_ONCE,
        // Small runs first would leave little time for state to build up.
        unbiased: true,
        timeout: MOST_RUN_MS,
        includeErrorInReport: true,
      });
      onProgress?.(tally);
    }
  } finally {
    await issuer.stop();
    await functions.leave();
  }
  return tally;
}

async function bearersOf(issuer: OperatorIssuer): Promise<Readonly<Record<OperatorName, string>>> {
  const roles: Partial<Record<OperatorName, string[]>> = {
    owner: ['Everleaf.Operator'],
    reader: ['Everleaf.Reader'],
    stranger: ['Everleaf.Operator'],
  };
  const made = OPERATORS.map(async (name) => {
    const tenant = name === 'stranger' ? ['other-tenant'] : [];
    return [name, await issuer.token(name, roles[name] ?? [], ...tenant)] as const;
  });
  return Object.fromEntries(await Promise.all(made)) as Record<OperatorName, string>;
}

async function playRun(
  functions: FunctionsInProcess,
  scene: Scene,
  run: readonly Step[],
  tally: Tally,
): Promise<void> {
  useApp(scene.app);
  const { world } = scene;
  for (const one of run) {
    if (one.kind === 'request') await playRequest(functions, scene, one, tally);
    else if (one.kind === 'guesses') await playGuesses(functions, scene, one, tally);
    else if (one.kind === 'pass') world.clock.advance(one.ms);
    else if (one.kind === 'tick') await world.tick(world.deps);
    else await sealAudit(world.deps, world.run);
    await scene.secrets.refresh();
  }
  await assertLawsAtTheEnd(scene, functions);
}

const GUESSES = 8;
const LOGIN: Target = { name: 'login', method: 'POST' };

async function playGuesses(
  functions: FunctionsInProcess,
  scene: Scene,
  { seed, junk: odd }: { readonly seed: number; readonly junk: Junk },
  tally: Tally,
): Promise<void> {
  for (let i = 0; i < GUESSES; i++) {
    const guess = { target: LOGIN, quality: 'nearly', seed: seed + i, junk: odd, isTwin: false } as const;
    await playRequest(functions, scene, guess, tally);
  }
}

async function playRequest(
  functions: FunctionsInProcess,
  scene: Scene,
  { target, quality, seed, junk: odd, isTwin }: Omit<Extract<Step, { kind: 'request' }>, 'kind'>,
  tally: Tally,
): Promise<void> {
  const { request, key } = makeRequest(scene, target, quality, pickBySeed(seed), odd);
  const { clock } = scene.world;
  const before = clock.now().getTime();
  const calls = isTwin ? [functions.call(request), functions.call(request)] : [functions.call(request)];
  let answers: readonly RawAnswer[] = [];
  try {
    answers = await Promise.all(calls);
    await scene.secrets.refresh();
    const waitedMs = clock.now().getTime() - before;
    for (const answer of answers) {
      if (answer.function === null) continue;
      const json = checkAnswer(scene, request, answer, { isTwin, waitedMs });
      scene.learn(request.target.split('?')[0] ?? '', answer.headers, json, key);
      count(tally, target, answer);
    }
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${describe(request, answers)}`, { cause: error });
  }
}

function count(tally: Tally, { name, method }: Target, { status }: RawAnswer): void {
  tally.cases += 1;
  tally.byStatus[status] = (tally.byStatus[status] ?? 0) + 1;
  const text = `${method} ${name}`;
  tally.byTarget[text] = (tally.byTarget[text] ?? 0) + (status < 400 ? 1 : 0);
}

const MOST_SHOWN = 2_000;

/** Everything here is made up, tokens and keys too: the message may show it. */
function describe({ method, target, headers, body }: RawRequest, answers: readonly RawAnswer[]): string {
  const sent = `${method} ${target}\n${JSON.stringify(headers)}\n${Buffer.from(body).toString()}`;
  const got = answers.map(({ status, text, lines }) => `${status} ${text}\n${lines.join('\n')}`);
  return [sent, ...got].map((text) => text.slice(0, MOST_SHOWN)).join('\n--\n');
}
