import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { VERSION } from '../../../shared/config/version.ts';
import { openApiDocument, openApiText } from '../../../shared/http/openapi/document.ts';
import { ROUTES, type RoutePolicy } from '../../../shared/http/routes.ts';

interface Described {
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
}

const document = openApiDocument(VERSION) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    described,
  })),
);
const rows = Object.values(ROUTES as Readonly<Record<string, RoutePolicy>>).flatMap(({ route, methods }) =>
  // The document has no name for a parameter that takes the rest of the path.
  Object.entries(methods).map(([method, access]) => ({
    name: `${method} /api/${route.replace('{*', '{')}`,
    access,
  })),
);

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors ?? null).slice(0, 2000));
  });

  it('is the one in the repository; else start the app and fetch /api/openapi.json into docs/', () => {
    const file = readFileSync(join(import.meta.dirname, '../../../docs/openapi.json'), 'utf8');
    assert.equal(file, openApiText(VERSION));
  });

  it('has every method of every route, and no other', () => {
    const names = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name).sort();
    assert.deepEqual(names(operations), names(rows));
  });

  it('says of each what opens it, as the table of routes does', () => {
    for (const { name, described } of operations) {
      const credential = rows.find((row) => row.name === name)?.access.credential;
      const schemes = described.security.flatMap((one) => Object.keys(one));
      const expected = { anyone: [], token: ['token'], proof: ['proof'], operator: ['operator', 'proof'] };
      assert.deepEqual(schemes, expected[credential ?? 'anyone'], name);
    }
  });

  it('describes every parameter of a path', () => {
    for (const { name, path, described } of operations) {
      const inPath = (described.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
      assert.deepEqual(
        inPath,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, found]) => found),
        name,
      );
    }
  });

  it('names each operation once', () => {
    const ids = operations.map(({ described }) => described.operationId);
    assert.equal(new Set(ids).size, ids.length);
  });
});
