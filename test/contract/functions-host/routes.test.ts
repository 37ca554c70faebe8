import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startFunctionApp, type TestHost } from '../../support/function-app.ts';

// Constraint, texts that it takes, texts that it refuses; each becomes a route c/<number>/{value:<constraint>}.
const CONSTRAINTS: readonly [constraint: string, taken: readonly string[], refused: readonly string[]][] = [
  ['int', ['0', '-12', '+3', ' 7 ', '2147483647', '-2147483648'], ['2147483648', '1.0', '1,000', 'x', '--1']],
  ['long', ['9223372036854775807', '-9223372036854775808'], ['9223372036854775808', '1e3']],
  ['bool', ['true', 'FALSE', ' True '], ['1', 'yes', 'tru']],
  [
    'decimal',
    ['1', '-1.5', '1,234.5', '1.', '.5', '5-', ' 2 ', '1'.padEnd(29, '0')],
    ['1e3', '-1-', '.', '1'.padEnd(30, '0'), 'x'],
  ],
  [
    'double',
    ['1', '-1.5e10', '1,000.5', '.5', '1E-3', 'NaN', '-Infinity', '1e999'],
    ['1e', '5-', '0x1', 'x', '.'],
  ],
  ['float', ['1.5', '1e40', 'infinity'], ['1.5f', '']],
  [
    'guid',
    [
      '0f8fad5b-d9cb-469f-a165-70867728950e',
      '{0f8fad5b-d9cb-469f-a165-70867728950e}',
      '(0F8FAD5B-D9CB-469F-A165-70867728950E)',
      '0f8fad5bd9cb469fa16570867728950e',
    ],
    [
      '0f8fad5b-d9cb-469f-a165-70867728950',
      '{0f8fad5b-d9cb-469f-a165-70867728950e',
      '{0f8fad5bd9cb469fa16570867728950e}',
      'g'.repeat(32),
    ],
  ],
  [
    'datetime',
    [
      '2026-11-21',
      '2026-11-21T10:11:12.5Z',
      '11-21-2026 10:11 PM',
      '21 Nov 2026',
      'November 21, 2026',
      '10:30',
      '2024-02-29',
      '2026-11-21 10:11:12+02:00',
    ],
    ['2026-02-29', '21-11-2026', '25:00', '2026-13-01', '13:00 PM', 'soon', '20261121'],
  ],
  ['alpha', ['abc', 'ABC'], ['a1', 'a b', 'é']],
  ['length(3)', ['abc'], ['ab', 'abcd']],
  ['length(2, 3)', ['ab', 'abc'], ['a', 'abcd']],
  ['minlength(2)', ['ab'], ['a']],
  ['maxlength(2)', ['ab'], ['abc']],
  ['min(18)', ['18', '19'], ['17', 'x', '9223372036854775808']],
  ['max(-1)', ['-1', '-5'], ['0', 'x']],
  ['range(1,9)', ['1', '9'], ['0', '10', '5.0']],
  ['regex(^\\\\d{{3}}-[a-z:]{{2,4}}$)', ['123-ab', '123-A:b'], ['12-ab', '123-a', 'x123-ab']],
  ['file', ['a.txt', '.x'], ['a', 'a.', 'a..']],
  ['nonfile', ['a', 'a.'], ['a.txt']],
  ['required', ['x'], []],
  ['int:min(5):max(7)', ['6'], ['4', '8', 'x']],
];

// Route below r/<number>, path below that, the parameters or undefined for 404.
const ROUTES: readonly [route: string, path: string, params: Record<string, string> | undefined][] = [
  ['{a}-{b}', 'x-y-z', { a: 'x-y', b: 'z' }],
  ['{a}-{b}', 'x-', undefined],
  ['{a}-{b}', 'xy', undefined],
  ['{year}.{month:int}.pdf', '2026.11.pdf', { year: '2026', month: '11' }],
  ['{year}.{month:int}.pdf', '2026.xi.pdf', undefined],
  ['{file}.{ext?}', 'a.b.c', { file: 'a.b', ext: 'c' }],
  ['{file}.{ext?}', 'plain', { file: 'plain' }],
  ['{id?}', '', {}],
  ['{id:int?}', '', {}],
  ['{id:int?}', 'x', undefined],
  ['{id:int=7}', '', { id: '7' }],
  ['{id:int=x}', '', undefined],
  ['{a=1}/{b=2}', 'x', { a: 'x', b: '2' }],
  ['{a?}/end', 'end', undefined],
  ['{a?}/end', 'x/end', { a: 'x' }],
  ['{*rest}', '', {}],
  ['{*rest}', 'a/b/', { rest: 'a/b/' }],
  ['{**rest}', 'a%2Fb/c', { rest: 'a%2Fb/c' }],
  ['{*rest=all}', '', { rest: 'all' }],
  ['{*rest:minlength(1)}', '', undefined],
  ['{*rest:file}', 'a/b.txt', { rest: 'a/b.txt' }],
  ['TEXT/{a}', 'text/%C3%A9', { a: 'é' }],
  ['text/{a}', 'text/%ff', { a: '%ff' }],
  ['text/{a}', 'text//', undefined],
  ['text/{a}', 'text/x/', { a: 'x' }],
  ['text/{a}', 'text/x/y', undefined],
  ['text/{a}', 'text//x', undefined],
  ['{{x}}/{a}', '{x}/1', { a: '1' }],
];

const TEMPLATE_ERRORS: readonly [route: string, words: string][] = [
  ['{a', 'There is an incomplete parameter in the route template.'],
  ['a}', 'There is an incomplete parameter in the route template.'],
  ['{a:regex(^\\\\d{3}$)}', "In a route parameter, '{' and '}' must be escaped with '{{' and '}}'."],
  ['a//b', "The route template separator character '/' cannot appear consecutively."],
  ['/a', "The route template separator character '/' cannot appear consecutively."],
  ['{a}{b}', 'A path segment cannot contain two consecutive parameters.'],
  ['{a}/{A}', "The route parameter name 'A' appears more than one time in the route template."],
  ['{*a}/b', 'A catch-all parameter can only appear as the last segment of the route template.'],
  ['x{*a}', 'A path segment that contains more than one section'],
  ['{*a?}', 'A catch-all parameter cannot be marked optional.'],
  ['{a=1?}', 'An optional parameter cannot have default value.'],
  ['{a?}-x', "In the segment '{a?}-x', optional parameter 'a' is followed by '-x'."],
  [
    '{a}-{b?}',
    "In the segment '{a}-{b?}', the optional parameter 'b' is preceded by an invalid segment '-'.",
  ],
  ['{}', "The route parameter name '' is invalid."],
  ['a?', "The literal section 'a?' is invalid."],
  ['{a:foo}', "The constraint entry 'a' - 'foo' on the route 'api/{a:foo}' could not be resolved"],
  ['{a:toString}', "The constraint entry 'a' - 'toString' on the route"],
  ['{a:length}', "constraint type 'LengthRouteConstraint' with the following number of parameters: 0."],
  ['{a:int(3)}', "constraint type 'IntRouteConstraint' with the following number of parameters: 1."],
  ['{a:min(x)}', "The input string 'x' was not in a correct format."],
  [
    '{a:range(5,1)}',
    "The value for argument 'min' should be less than or equal to the value for the argument 'max'.",
  ],
  ['{a:minlength(-1)}', 'Value must be greater than or equal to 0.'],
  ['administrators', 'The specified route conflicts with one or more built in routes'],
];

const get = (name: string, route: string) =>
  `app.get('${name}', { route: '${route}', handler: (request) => ({ jsonBody: { name: '${name}', params: request.params } }) });`;

describe('The functions host matches routes as ASP.NET Core does', () => {
  let host: TestHost;
  before(async () => {
    const routes = ROUTES.filter(([route], at) => ROUTES.findIndex(([other]) => other === route) === at);
    const source = [
      ...CONSTRAINTS.map(([constraint], at) => get(`c${at}`, `c/${at}/{value:${constraint}}`)),
      ...routes.map(([route]) => get(`r${folder(route)}`, `r/${folder(route)}/${route}`)),
      get('bFirst', 'order/{id}'),
      get('cSecond', 'order/exact'),
      `app.post('dThird', { route: 'order/{id}', handler: () => ({ jsonBody: { name: 'dThird' } }) });`,
    ].join('\n');
    host = await startFunctionApp({ functions: { 'all.js': source } });
  });
  after(() => host.stop());

  const folder = (route: string) => ROUTES.findIndex(([other]) => other === route);
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`${host.baseUrl}/api/${path}`, { method });
    const text = await response.text();
    return {
      status: response.status,
      ...(text === '' ? {} : (JSON.parse(text) as { name: string; params: unknown })),
    };
  };

  for (const [at, [constraint, taken, refused]] of CONSTRAINTS.entries()) {
    it(`knows what ${constraint} takes and what it refuses`, async () => {
      for (const value of taken) {
        const answer = await ask(`c/${at}/${encodeURIComponent(value)}`);
        assert.deepEqual(answer, { status: 200, name: `c${at}`, params: { value } }, value);
      }
      for (const value of refused) {
        assert.equal((await ask(`c/${at}/${encodeURIComponent(value)}`)).status, 404, value);
      }
    });
  }

  it('matches several parameters in a segment, defaults, optional ones and a catch-all', async () => {
    for (const [route, path, params] of ROUTES) {
      const answer = await ask(`r/${folder(route)}${path === '' ? '' : `/${path}`}`);
      const expected =
        params === undefined ? { status: 404 } : { status: 200, name: `r${folder(route)}`, params };
      assert.deepEqual(answer, expected, `${path} on ${route}`);
    }
  });

  it('goes on with the next function where the method or a constraint does not fit', async () => {
    assert.equal((await ask('order/exact')).name, 'bFirst', 'names decide, not exactness');
    assert.equal((await ask('order/exact', 'POST')).name, 'dThird');
    assert.equal((await ask('order/exact', 'PUT')).status, 404);
  });

  it('refuses a template that ASP.NET Core refuses, in its words', async () => {
    for (const [route, words] of TEMPLATE_ERRORS) {
      await assert.rejects(startAnother(get('broken', route)), (error: Error) => {
        assert.ok(error.message.startsWith('Function "broken": '), error.message);
        assert.ok(error.message.includes(words), `${route}: ${error.message}`);
        return true;
      });
    }
  });

  it('refuses one route for two functions with a method in common', async () => {
    await assert.rejects(startAnother(get('one', 'same/{id}') + get('two', 'Same/{id}/')), {
      message: 'Function "two": The route specified conflicts with the route defined by function \'one\'.',
    });
  });

  /** A process holds one app, so the one of the other tests makes way for a moment. */
  async function startAnother(source: string): Promise<void> {
    await host.stop();
    try {
      await (await startFunctionApp({ functions: { 'a.js': source } })).stop();
    } finally {
      host = await startFunctionApp({ functions: { 'a.js': get('only', 'only') } });
    }
  }
});
