import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addMs, HOUR_MS, SECOND_MS } from '../../../shared/domain/instants.ts';
import { cacheableOcspResponse, ocspResponse, requestInPath } from '../../../shared/http/ocsp.ts';
import { httpRequest } from './requests.ts';

const NOW = new Date('2026-11-21T08:00:00Z');
const DER = Uint8Array.of(0x30, 0x03, 0x0a, 0x01, 0x03);
const KEPT = {
  thisUpdate: addMs(NOW, -HOUR_MS),
  nextUpdate: addMs(NOW, 23 * HOUR_MS),
  freshUntil: addMs(NOW, 11 * HOUR_MS),
};
const ANSWER = { der: DER, kept: KEPT, retryAfterSeconds: null };

describe('an OCSP request in a path', () => {
  const bytes = Buffer.from('fbeffffbef3e3f', 'hex');
  const base64 = bytes.toString('base64');

  it('is read whether its slashes, pluses and equals signs are escaped or not', () => {
    assert.match(base64, /\+.*\/.*=|\/.*\+.*=/);
    for (const text of [
      base64,
      encodeURIComponent(base64),
      base64.replaceAll('/', '%2f'),
      base64.replaceAll('+', '%2B'),
    ]) {
      const found = requestInPath(`http://everleaf.test/API/Ocsp/${text}?x=1`);
      assert.deepEqual(Buffer.from(found), bytes, text);
    }
  });

  it('is nothing when it is no base64', () => {
    for (const text of ['', '%', '%zz', 'a b', 'YQ===', 'YQ-_', '%00']) {
      assert.equal(requestInPath(`http://everleaf.test/api/ocsp/${text}`).length, 0, text);
    }
  });
});

describe('an OCSP answer', () => {
  const request = httpRequest();

  it('says how long it may be kept: an hour, and less when it is signed anew before', () => {
    const { headers, body } = cacheableOcspResponse(request, ANSWER, '"a"', NOW);
    assert.equal(body, DER);
    assert.deepEqual(headers, {
      'content-type': 'application/ocsp-response',
      'cache-control': 'max-age=3600, public, no-transform, must-revalidate',
      etag: '"a"',
      'last-modified': 'Sat, 21 Nov 2026 07:00:00 GMT',
      expires: 'Sun, 22 Nov 2026 07:00:00 GMT',
    });
    const age = (now: Date) =>
      Object(cacheableOcspResponse(request, ANSWER, '"a"', now).headers)['cache-control'].split(',')[0];
    assert.equal(age(addMs(KEPT.freshUntil, -90 * SECOND_MS)), 'max-age=90');
    assert.equal(age(addMs(KEPT.freshUntil, SECOND_MS)), 'max-age=0');
  });

  it('is not sent again to whoever has it', () => {
    const known = httpRequest({ headers: { 'if-none-match': '"a"' } });
    const { status, body } = cacheableOcspResponse(known, ANSWER, '"a"', NOW);
    assert.deepEqual([status, body], [304, undefined]);
    assert.equal(cacheableOcspResponse(known, ANSWER, '"b"', NOW).status, undefined);
  });

  it('for one caller, or that is an error, is nobody’s to keep, and says when to come back', () => {
    const later = { der: DER, kept: null, retryAfterSeconds: 30 };
    const expected = {
      body: DER,
      headers: { 'content-type': 'application/ocsp-response', 'retry-after': '30' },
    };
    assert.deepEqual(ocspResponse(later), expected);
    assert.deepEqual(cacheableOcspResponse(request, later, '"a"', NOW), expected);
    assert.deepEqual(Object.keys(ocspResponse(ANSWER).headers ?? {}), ['content-type']);
  });
});
