import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { calls, startFunctionApp, type TestHost } from '../../support/function-app.ts';

const DEBUG = { version: '2.0', logging: { logLevel: { default: 'Trace' } } };

describe('The functions host runs hooks as the real worker does', () => {
  let host: TestHost | undefined;
  afterEach(async () => {
    await host?.stop();
    host = undefined;
    calls.splice(0);
  });

  async function start(source: string): Promise<TestHost> {
    host = await startFunctionApp({ functions: { 'a.js': source }, hostJson: DEBUG });
    return host;
  }
  const get = async (name: string) => {
    const response = await fetch(`${host?.baseUrl}/api/${name}`);
    return { status: response.status, text: await response.text() };
  };
  const has = (text: string) => host?.lines.some((line) => line.includes(text)) === true;

  it('in the order of their registration, with the lines of the worker around them', async () => {
    await start(`
      for (const name of ['first', 'second']) {
        app.hook.appStart(() => { calls.push({ hook: 'start ' + name }); });
        app.hook.preInvocation(async () => { await null; calls.push({ hook: 'pre ' + name }); });
        app.hook.postInvocation(() => { calls.push({ hook: 'post ' + name }); });
        app.hook.appTerminate(() => { calls.push({ hook: 'end ' + name }); });
      }
      app.get('page', () => { calls.push({ hook: 'handler' }); return {}; });
    `);
    await get('page');
    const lines = host?.lines ?? [];
    await host?.stop();
    assert.deepEqual(
      calls.map((call) => call['hook']),
      [
        ...['start first', 'start second', 'pre first', 'pre second', 'handler'],
        ...['post first', 'post second', 'end first', 'end second'],
      ],
    );
    for (const name of ['appStart', 'preInvocation', 'postInvocation', 'appTerminate']) {
      assert.ok(
        lines.some((line) => line.includes(`Executing 2 "${name}" hooks`)),
        name,
      );
      assert.ok(
        lines.some((line) => line.includes(`Executed "${name}" hooks`)),
        name,
      );
    }
  });

  it('sharing hookData within one invocation, or between start and end of the app, and not letting it be replaced', async () => {
    await start(`
      app.hook.appStart((context) => { context.hookData.own = 'start'; });
      app.hook.preInvocation((context) => {
        calls.push({ fresh: Object.keys(context.hookData), own: context.hookData.own });
        context.hookData.from = 'pre';
        try { context.hookData = {}; } catch (error) { calls.push({ refused: error.message, name: error.name }); }
        try { context.invocationContext = {}; } catch (error) { calls.push({ refused: error.message, name: error.name }); }
      });
      app.hook.postInvocation((context) => calls.push({ from: context.hookData.from }));
      app.hook.appTerminate((context) => calls.push({ own: context.hookData.own }));
      app.get('page', () => ({}));
    `);
    await get('page');
    await get('page');
    await host?.stop();
    const each = [
      { fresh: [], own: undefined },
      { refused: "Cannot assign to read only property 'hookData'", name: 'TypeError' },
      { refused: "Cannot assign to read only property 'invocationContext'", name: 'TypeError' },
      { from: 'pre' },
    ];
    assert.deepEqual(calls, [...each, ...each, { own: 'start' }]);
  });

  it('where a preInvocation hook may replace inputs and handler', async () => {
    await start(`
      app.hook.preInvocation((context) => {
        const [request] = context.inputs;
        if (context.invocationContext.functionName === 'inputs') context.inputs = [{ replaced: request.method }];
        const handler = context.functionHandler;
        context.functionHandler = async (...args) => ({ jsonBody: { wrapped: await handler(...args) } });
      });
      app.hook.postInvocation((context) => calls.push({ inputs: context.inputs.length, result: context.result, error: context.error }));
      app.get('inputs', (input) => input);
    `);
    assert.equal((await get('inputs')).text, '{"wrapped":{"replaced":"GET"}}');
    assert.deepEqual(calls, [
      { inputs: 1, result: { jsonBody: { wrapped: { replaced: 'GET' } } }, error: null },
    ]);
  });

  it('where a postInvocation hook may replace result and error, and fail the call', async () => {
    await start(`
      app.hook.postInvocation((context) => {
        const { functionName } = context.invocationContext;
        calls.push({ functionName, error: context.error?.message ?? null });
        if (functionName === 'result') context.result = { body: 'replaced ' + context.result.body };
        if (functionName === 'rescued') { context.error = undefined; context.result = { status: 299 }; }
        if (functionName === 'spoiled') context.error = new Error('spoiled by a hook');
        if (functionName === 'thrown') throw new Error('thrown by a hook');
      });
      app.get('result', () => ({ body: 'result' }));
      app.get('rescued', () => { throw new Error('to be rescued'); });
      app.get('spoiled', () => ({}));
      app.get('thrown', () => ({}));
      app.get('text', () => { throw 'only text'; });
    `);
    assert.deepEqual(await get('result'), { status: 200, text: 'replaced result' });
    assert.equal((await get('rescued')).status, 299);
    assert.equal((await get('spoiled')).status, 500);
    assert.equal((await get('thrown')).status, 500);
    assert.equal((await get('text')).status, 500);
    assert.deepEqual(calls[1], { functionName: 'rescued', error: 'to be rescued' });
    for (const words of ['spoiled by a hook', 'thrown by a hook', 'only text']) assert.ok(has(words), words);
  });

  it('where a preInvocation hook that throws skips handler, later hooks and the postInvocation hooks', async () => {
    await start(`
      app.hook.preInvocation(() => { throw new Error('stopped by a hook'); });
      app.hook.preInvocation(() => calls.push({ hook: 'second' }));
      app.hook.postInvocation(() => calls.push({ hook: 'post' }));
      app.get('page', () => { calls.push({ hook: 'handler' }); return {}; });
    `);
    assert.equal((await get('page')).status, 500);
    assert.deepEqual(calls, []);
    assert.ok(has('stopped by a hook'));
  });

  it('until they are disposed', async () => {
    await start(`
      const disposable = app.hook.preInvocation(() => calls.push({ hook: 'pre' }));
      app.get('page', () => { disposable.dispose(); return {}; });
    `);
    await get('page');
    await get('page');
    assert.equal(calls.length, 1);
  });

  it("also for a log line, which they may change if it is the app's", async () => {
    await start(`
      app.hook.log((context) => {
        if (context.message.startsWith('Unexpected')) return;
        if (!context.message.includes('line')) return;
        calls.push({ category: context.category, of: context.invocationContext?.functionName, shared: context.hookData.shared });
        context.message = context.message.replace('secret', '***');
        if (context.message.includes('silent')) context.level = 'none';
        if (context.message.includes('loud')) context.level = 'critical';
        if (context.message.includes('odd')) context.level = 'shout';
        if (context.message.includes('broken')) throw new Error('hook fails');
      });
      app.hook.preInvocation((context) => { context.hookData.shared = 'yes'; });
      app.get('page', (request, context) => {
        for (const word of ['secret', 'silent', 'loud', 'odd', 'broken secret']) context.log(word + ' line');
        return {};
      });
    `);
    await get('page');
    assert.deepEqual(calls[0], { category: 'user', of: 'page', shared: 'yes' });
    assert.ok(has('info Function.page.User: ') && has('*** line'));
    assert.equal(has('silent line'), false);
    assert.ok(
      host?.lines.some((line) => line.includes('crit Function.page.User') && line.endsWith('loud line')),
    );
    assert.ok(
      host?.lines.some((line) => line.includes('info Function.page.User') && line.endsWith('odd line')),
    );
    assert.ok(has('broken secret line'), 'a hook that fails changes nothing');
  });
});

describe('The functions host logs', () => {
  it('every level of context, with values formatted, under the function and its invocation', async () => {
    const source = `app.get('page', (request, context) => {
      context.trace('a trace'); context.debug('a debug'); context.log('a log', { a: [1] }, 7); context.info('an %s', 'info');
      context.warn('a warning'); context.error('an error', new Error('its cause'));
      return { body: context.invocationId };
    });`;
    const host = await startFunctionApp({ functions: { 'a.js': source }, hostJson: DEBUG });
    const id = await (await fetch(`${host.baseUrl}/api/page`)).text();
    await host.stop();
    const users = host.lines
      .filter((line) => line.includes('Function.page.User'))
      .map((line) => line.split(' ').slice(1).join(' '));
    const of = (label: string, text: string) => `${label} Function.page.User: [${id.slice(0, 8)}] ${text}`;
    assert.deepEqual(users.slice(0, 5), [
      of('trce', 'a trace'),
      of('dbug', 'a debug'),
      of('info', 'a log { a: [ 1 ] } 7'),
      of('info', 'an info'),
      of('warn', 'a warning'),
    ]);
    assert.ok(users[5]?.startsWith(of('fail', 'an error Error: its cause')));
  });

  it("what comes after the end, with the library's warning", async () => {
    const source = `app.get('page', (request, context) => {
      globalThis.logLater = () => context.log('too late');
      return {};
    });`;
    const host = await startFunctionApp({ functions: { 'a.js': source } });
    await fetch(`${host.baseUrl}/api/page`);
    (globalThis as unknown as { logLater(): void }).logLater();
    await host.stop();
    const warning = host.lines.find((line) =>
      line.includes("Unexpected call to 'log' on the context object after function execution"),
    );
    assert.match(
      warning ?? '',
      /warn Function\.page: \[[0-9a-f]{8}\] Warning: .*Function name: page\. Invocation Id: /,
    );
    assert.ok(
      host.lines.some((line) => line.includes('info Function.page.User') && line.endsWith('too late')),
    );
  });
});
