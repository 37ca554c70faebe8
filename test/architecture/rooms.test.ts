/**
 * The rooms of the house, and which way imports point between them:
 * functions > app > use-cases, adapters, http, config > pki, ports > domain.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Import, offence, type Source, sourcesIn } from './sources.ts';

interface Room {
  /** Rooms that it may load. */
  readonly loads: readonly string[];
  /** Rooms that it may take types from as well. */
  readonly types?: readonly string[];
}

const ROOMS: Readonly<Record<string, Room>> = {
  domain: { loads: [] },
  ports: { loads: ['domain'] },
  pki: { loads: ['domain'] },
  'use-cases': { loads: ['pki', 'ports', 'domain'] },
  // An adapter may speak of the run that it is called in, and the settings of what an adapter wants to know.
  adapters: { loads: ['pki', 'ports', 'domain'], types: ['use-cases'] },
  config: { loads: ['domain'], types: ['adapters'] },
  // The wrapper of every route gets the app, and the app makes what checks operators.
  http: { loads: ['app', 'use-cases', 'adapters', 'domain'], types: ['ports'] },
  app: { loads: ['use-cases', 'adapters', 'http', 'config', 'pki', 'ports', 'domain'] },
  functions: { loads: ['app', 'use-cases', 'adapters', 'http', 'config', 'pki', 'ports', 'domain'] },
};

/** The room that a file is in; its own path when it is in none, which no room may import. */
function roomOf(path: string): string {
  if (path === 'shared/app.ts') return 'app';
  const [top = '', folder = '', ...rest] = path.split('/');
  if (top === 'functions') return 'functions';
  return top === 'shared' && rest.length > 0 ? folder : path;
}

function isAllowed(from: string, { target, isTypeOnly }: Import): boolean {
  const to = roomOf(target);
  const room = ROOMS[from];
  if (room === undefined) return false;
  return to === from || room.loads.includes(to) || (isTypeOnly && (room.types ?? []).includes(to));
}

function offences(sources: readonly Source[], isFine: (source: Source, found: Import) => boolean): string[] {
  return sources.flatMap((source) =>
    source.imports.filter((found) => !isFine(source, found)).map((found) => offence(source, found)),
  );
}

describe('the rooms of the product', () => {
  const sources = [...sourcesIn('functions'), ...sourcesIn('shared')];

  it('hold every file: none lies between them', () => {
    const homeless = sources.map(({ path }) => path).filter((path) => ROOMS[roomOf(path)] === undefined);
    assert.deepEqual(homeless, []);
  });

  for (const name of Object.keys(ROOMS)) {
    it(`have ${name} import files of those rooms alone that stand below it`, () => {
      const inRoom = sources.filter(({ path }) => roomOf(path) === name);
      assert.ok(inRoom.length > 0, `there is nothing in ${name}`);
      assert.deepEqual(
        offences(inRoom, (_, found) => !found.isFile || isAllowed(name, found)),
        [],
      );
    });
  }

  it('let no trigger import another', () => {
    const triggers = sources.filter(({ path }) => roomOf(path) === 'functions');
    assert.deepEqual(
      offences(triggers, (_, { target }) => !target.startsWith('functions/')),
      [],
    );
  });
});

describe('the restore', () => {
  it('goes through the product’s own adapters, and neither the product nor its stand-ins know of it', () => {
    const sources = sourcesIn('infra/restore');
    assert.ok(sources.length > 0);
    const isOwn = (target: string) => /^(?:shared|infra\/restore)\//.test(target);
    assert.deepEqual(
      offences(sources, (_, { isFile, target }) => !isFile || isOwn(target)),
      [],
    );
    assert.deepEqual(
      offences(
        ['functions', 'shared', 'infra/local'].flatMap(sourcesIn),
        (_, { target }) => !/^infra\/restore\//.test(target),
      ),
      [],
    );
  });
});

describe('the stand-ins of one machine', () => {
  /** The one bridge: it runs the product's own first start through the product's own adapters. */
  const BRIDGE = 'infra/local/first-start.ts';
  const standIns = sourcesIn('infra/local').filter(({ path }) => path !== BRIDGE);

  it('take nothing but types from the product, so that the two cannot share a mistake', () => {
    const isProduct = (target: string) => /^(?:shared|functions)\//.test(target);
    assert.deepEqual(
      offences(standIns, (_, found) => !isProduct(found.target) || found.isTypeOnly),
      [],
    );
  });

  it('do their X.509 and their HTTP without the product’s libraries', () => {
    const isProducts = (target: string) => /^(?:node-forge|@azure\/(?:keyvault-.*|identity))$/.test(target);
    assert.deepEqual(
      offences(standIns, (_, { target }) => !isProducts(target)),
      [],
    );
  });
});
