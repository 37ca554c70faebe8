import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { calls, type FunctionAppFiles, startFunctionApp } from '../../support/function-app.ts';

const http = (name: string, more = '') =>
  `app.http('${name}', { authLevel: 'anonymous', methods: ['GET'], handler: () => ({ body: '${name}' }), ${more} });`;

const RETRIES: readonly [policy: string, words: RegExp][] = [
  ["{ strategy: 'linear', maxRetryCount: 1 }", /Unexpected value "linear" for type "CoreRpcRetryStrategy"/],
  ["{ strategy: 'fixedDelay', maxRetryCount: 1.5, delayInterval: 1 }", /maxRetryCount: integer expected/],
  [
    "{ strategy: 'fixedDelay', maxRetryCount: 1 }",
    /Function "x": retry: Value cannot be null\. \(Parameter 'DelayInterval'\)/,
  ],
  [
    "{ strategy: 'fixedDelay', maxRetryCount: -2, delayInterval: 1 }",
    /Specified argument was out of the range of valid values\. \(Parameter 'maxRetryCount'\)/,
  ],
  [
    "{ strategy: 'fixedDelay', maxRetryCount: 1, delayInterval: 'soon' }",
    /A 'number' or 'Duration' object was expected instead of a 'string'\. Cannot parse value of 'retry\.delayInterval'\./,
  ],
  [
    "{ strategy: 'exponentialBackoff', maxRetryCount: 1, minimumInterval: 1000 }",
    /Value cannot be null\. \(Parameter 'MaximumInterval'\)/,
  ],
  [
    "{ strategy: 'exponentialBackoff', maxRetryCount: 1, minimumInterval: 2000, maximumInterval: 1000 }",
    /The minimumInterval must not be greater than the maximumInterval/,
  ],
];

/** The message with which a start fails, and its cause's. */
async function failure(files: FunctionAppFiles): Promise<string> {
  try {
    const host = await startFunctionApp(files);
    await host.stop();
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${message} <- ${cause.message}` : message;
  }
  throw new Error('The app was expected not to start.');
}

describe('The functions host loads an app', () => {
  afterEach(() => calls.splice(0));

  it('loads every ESM and CommonJS file that main matches, in order', async () => {
    const host = await startFunctionApp({
      functions: {
        'b.js': http('second'),
        'a.mjs': http('first'),
        'c.cjs': `require('@azure/functions').app.http('third', { authLevel: 'anonymous', handler: () => ({}) });`,
      },
      packageJson: { main: 'functions/*.{js,mjs,cjs}' },
    });
    assert.deepEqual(host.functions, ['first', 'second', 'third']);
    await host.stop();
  });

  it('loads CommonJS where package.json says nothing of modules', async () => {
    const host = await startFunctionApp({
      functions: { 'c.cjs': `require('@azure/functions').app.get('only', () => ({ body: 'cjs' }));` },
      packageJson: { type: 'commonjs' },
    });
    assert.equal(await (await fetch(`${host.baseUrl}/api/only`)).text(), 'cjs');
    await host.stop();
  });

  it('fails naming the file and the cause when an entry file throws', async () => {
    const message = await failure({
      functions: { 'good.js': http('good'), 'bad.js': `throw new Error('no luck');` },
    });
    assert.equal(message, 'Worker was unable to load entry point "functions/bad.js": no luck <- no luck');
  });

  it('fails when nothing matches main and when main is missing', async () => {
    assert.match(
      await failure({ functions: {}, packageJson: { main: 'dist/functions/*.js' } }),
      /unable to load entry point "dist\/functions\/\*\.js": Found zero files matching the supplied pattern/,
    );
    assert.match(await failure({ functions: {}, packageJson: { main: '' } }), /has no "main"/);
  });

  it('fails when nothing was registered', async () => {
    assert.match(
      await failure({ functions: { 'a.js': '' } }),
      /No functions were registered by functions\/a\.js/,
    );
  });

  it("refuses a name that is taken in the worker's words", async () => {
    assert.match(
      await failure({ functions: { 'a.js': http('same'), 'b.js': http('same') } }),
      /"functions\/b\.js": A function with id "same" has already been registered\./,
    );
  });

  it('refuses names that differ in case only', async () => {
    assert.match(
      await failure({ functions: { 'a.js': http('same') + http('Same') } }),
      /"same" and "Same"|"Same" and "same"/,
    );
  });

  it('refuses to register after the start', async () => {
    const host = await startFunctionApp({
      functions: {
        'a.js': `app.http('late', { authLevel: 'anonymous', handler: () => {
          try { app.get('tooLate', () => {}); return { body: 'registered' }; }
          catch (error) { return { body: error.message }; }
        } });`,
      },
    });
    const text = await (await fetch(`${host.baseUrl}/api/late`)).text();
    assert.equal(text, 'A function can only be registered during app startup.');
    await host.stop();
  });

  it('refuses triggers, bindings and settings that it does not know', async () => {
    const cases: [source: string, expected: RegExp][] = [
      [
        `app.storageBlob('x', { path: 'a/{name}', connection: 'C', handler() {} });`,
        /trigger "blobTrigger" is not supp/,
      ],
      [
        `import { output } from '@azure/functions';
         app.get('x', { extraOutputs: [output.storageQueue({ queueName: 'q', connection: 'C' })], handler() {} });`,
        /Function "x": binding "queue\w+" of type "queue" is not supported/,
      ],
      [
        `app.get(5, () => ({}));`,
        /Function "5": functionMetadataResponse\.functionMetadataResults\.name: string expected/,
      ],
      [http('x', 'methods: []'), /methods must be a list of HTTP methods/],
      [http('x', "authLevel: 'open'"), /authLevel must be "anonymous", "function" or "admin", but is "open"/],
      [http('1x'), /"1x" is not a valid function name/],
      [
        `app.timer('x', { schedule: '0 0 0 * * *', retry: { strategy: 'fixedDelay', maxRetryCount: '3', delayInterval: 1 }, handler() {} });`,
        /maxRetryCount: integer expected/,
      ],
      ...RETRIES.map(([retry, expected]): [string, RegExp] => [
        `app.timer('x', { schedule: '0 0 0 * * *', retry: ${retry}, handler() {} });`,
        expected,
      ]),
      [
        `app.generic('x', { trigger: { type: 'httpTrigger', name: 'r', dataType: 'text' }, handler() {} });`,
        /Unexpected value "text" for type "CoreRpcBindingDataType"/,
      ],
      [`app.hook.appStart(() => { throw new Error('hook says no'); });${http('x')}`, /hook says no/],
    ];
    for (const [source, expected] of cases) {
      assert.match(await failure({ functions: { 'a.js': source } }), expected);
    }
  });

  it('refuses routes that belong to the host', async () => {
    const hostJson = { version: '2.0', extensions: { http: { routePrefix: '' } } };
    for (const route of ['admin/x', 'local', 'Runtime/y']) {
      const functions = { 'a.js': http('x', `route: '${route}'`) };
      assert.match(await failure({ functions, hostJson }), /conflicts with one or more built in routes/);
    }
  });

  it('holds one app at a time and is free again after a stop', async () => {
    const first = await startFunctionApp({ functions: { 'a.js': http('one') } });
    assert.match(await failure({ functions: { 'a.js': http('two') } }), /already holds a function app/);
    await first.stop();
    const second = await startFunctionApp({ functions: { 'a.js': http('two') } });
    assert.deepEqual(second.functions, ['two']);
    await second.stop();
  });

  it('gives up on a function after functionTimeout', async () => {
    const host = await startFunctionApp({
      functions: { 'a.js': `app.get('endless', () => new Promise(() => {}));` },
      hostJson: { version: '2.0', functionTimeout: '00:00:01' },
    });
    assert.equal((await fetch(`${host.baseUrl}/api/endless`)).status, 500);
    assert.ok(
      host.lines.some((line) =>
        line.includes('Timeout value of 00:00:01 was exceeded by function: Functions.endless'),
      ),
    );
    await host.stop();
  });

  it('warns of a retry policy on a trigger that does not support one', async () => {
    const retry = "retry: { strategy: 'fixedDelay', maxRetryCount: 3, delayInterval: 1000 }";
    const host = await startFunctionApp({
      functions: {
        'a.js': `app.generic('page', { trigger: { type: 'httpTrigger', name: 'req', methods: ['GET'], authLevel: 'anonymous' }, return: { type: 'http', name: '$return' }, ${retry}, handler() {} });`,
      },
    });
    assert.ok(host.lines.some((line) => /warn Function\.page: The retry policy is not applied/.test(line)));
    await host.stop();
  });

  it('filters the log by host.json, the longest category first', async () => {
    const logLevel = { default: 'Warning', Function: 'Error', 'Function.loud.User': 'Debug' };
    const source = (name: string) =>
      `app.get('${name}', (request, context) => { context.debug('${name} debug'); context.warn('${name} warn'); context.error('${name} error'); });`;
    const host = await startFunctionApp({
      functions: { 'a.js': source('loud') + source('quiet') },
      hostJson: { version: '2.0', logging: { logLevel } },
    });
    await fetch(`${host.baseUrl}/api/loud`);
    await fetch(`${host.baseUrl}/api/quiet`);
    await host.stop();
    const messages = host.lines.map((line) => line.split('] ').at(-1));
    assert.deepEqual(messages, ['loud debug', 'loud warn', 'loud error', 'quiet error']);
  });
});
