import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { readKeyedCall } from '../../../shared/http/idempotency.ts';
import { readOptionalJsonBody } from '../../../shared/http/optional-body.ts';
import { httpRequest } from './requests.ts';

describe('an Idempotency-Key', () => {
  const keyed = (key: string) => httpRequest({ headers: { 'idempotency-key': key }, body: '{}' });

  it('stands for the request as it was understood', () => {
    assert.deepEqual(readKeyedCall(keyed('a-Key_of8'), '/api/clusters', { name: 'alpha' }), {
      key: 'a-Key_of8',
      method: 'POST',
      path: '/api/clusters',
      body: '{"name":"alpha"}',
    });
  });

  it('need not be there', () => {
    assert.equal(readKeyedCall(httpRequest(), '/api/clusters', {}), null);
  });

  it('has 8 to 128 letters, digits, underscores and hyphens', () => {
    for (const key of ['', 'seven-7', 'with space', 'a'.repeat(129), 'comma,comma', 'a"quote"']) {
      assert.throws(() => readKeyedCall(keyed(key), '/', {}), { code: 'InvalidInput' }, key);
    }
    assert.notEqual(readKeyedCall(keyed('a'.repeat(128)), '/', {}), null);
  });
});

describe('a body that need not be there', () => {
  const schema = z.strictObject({ force: z.boolean().default(false) });
  const body = '{"force":true}';
  const length = { 'content-length': String(body.length) };

  it('is what the schema makes of nothing when it is absent', async () => {
    assert.deepEqual(await readOptionalJsonBody(httpRequest(), schema), { force: false });
    const empty = httpRequest({ headers: { 'content-length': '0' } });
    assert.deepEqual(await readOptionalJsonBody(empty, schema), { force: false });
  });

  it('is read, and refused where it is wrong, when it is there', async () => {
    assert.deepEqual(await readOptionalJsonBody(httpRequest({ headers: length, body }), schema), {
      force: true,
    });
    for (const wrong of ['[]', '{"forse":true}', '{']) {
      const headers = { 'content-length': String(wrong.length) };
      await assert.rejects(readOptionalJsonBody(httpRequest({ headers, body: wrong }), schema), {
        code: 'InvalidInput',
      });
    }
  });

  it('is read where no header tells its length', async () => {
    const request = httpRequest({ body });
    assert.equal(request.headers.get('content-length'), null);
    assert.deepEqual(await readOptionalJsonBody(request, schema), { force: true });
    await assert.rejects(readOptionalJsonBody(httpRequest({ body: '{"dryRun":1}' }), schema), {
      code: 'InvalidInput',
    });
  });

  it('is never passed over: a chunked one, which does not arrive, is refused', async () => {
    const chunked = httpRequest({ headers: { 'transfer-encoding': 'chunked' } });
    await assert.rejects(readOptionalJsonBody(chunked, schema), { code: 'InvalidInput' });
  });
});
