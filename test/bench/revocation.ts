import { memoryUsage } from 'node:process';
import { buildCrlTbs } from '../../shared/pki/crl.ts';
import { parseCrl, verifyCrl } from '../../shared/pki/crl-reader.ts';
import { lintCrl } from '../../shared/pki/lint-crl.ts';
import { parseOcspRequest } from '../../shared/pki/ocsp-request.ts';
import { parseOcspResponse, verifyOcspResponse } from '../../shared/pki/ocsp-response-reader.ts';
import { makeAuthority } from '../unit/pki/support/authority.ts';
import { crlInput, entry, signCrl } from '../unit/pki/support/crls.ts';
import { keyPair } from '../unit/pki/support/keys.ts';
import { answer, certId, ocspRequest } from '../unit/pki/support/ocsp.ts';
import { sequence } from '../unit/pki/support/tlv.ts';
import { cpuCosts, type Report } from './measure.ts';

const PART = 'revoke';

/** What revocation lists cost that grow, and an OCSP answer, without vault and storage. */
export function benchRevocation(report: Report): void {
  for (const entries of [50, 5_000, 50_000]) benchList(report, entries);
  benchAnswer(report);
}

/** A list whose entries are made while it is written, as they come from storage page by page. */
function benchList(report: Report, count: number): void {
  const authority = makeAuthority();
  const entries = {
    *[Symbol.iterator]() {
      for (let i = 0; i < count; i++) {
        const serialNumber = `${(0x1000_0000 + i).toString(16)}${'ab'.repeat(12)}`;
        yield entry(serialNumber, { reason: 'superseded' });
      }
    },
  };
  const input = { ...crlInput(authority, []), entries };
  const policy = { authority: authority.certificate, maximumValiditySeconds: 72 * 3600 };
  const before = memoryOf();
  let der: Uint8Array = new Uint8Array();
  let most = 0;
  const note = (figure: number) => `${(figure / count).toFixed(1)} µs an entry`;
  const measured = (name: string, work: () => void) => {
    const begun = performance.now();
    work();
    const ms = performance.now() - begun;
    most = Math.max(most, memoryOf() - before);
    const what = `${name} a list of ${count}`;
    report.add({ part: PART, what, figure: ms, unit: 'ms', ratio: null, note: note(1000 * ms) });
  };
  let tbs: Uint8Array = new Uint8Array();
  measured('build', () => {
    tbs = buildCrlTbs(input);
  });
  measured('lint', () => lintCrl(tbs, input, policy));
  measured('sign, assemble, parse, verify', () => {
    der = signCrl(authority, tbs);
    if (!verifyCrl(parseCrl(der), authority.certificate.spki)) throw new Error('It does not verify.');
  });
  report.add({
    ...{ part: PART, what: `memory for a list of ${count}`, figure: most, unit: 'MB', ratio: null },
    note: `the list has ${(der.length / 1e6).toFixed(1)} MB; heap and buffers after each step, garbage included`,
  });
}

function benchAnswer(report: Report): void {
  const authority = makeAuthority();
  const request = ocspRequest([sequence(certId())]);
  const dates = { thisUpdate: new Date(1_780_000_000_000), nextUpdate: null };
  const responses = [{ certIdDer: certId(), status: { kind: 'good' } as const, ...dates }];
  const made = answer(authority, { responses, nonce: null });
  const { spki } = keyPair('P-256', 'responder');
  const works = {
    'read an OCSP request': () => void parseOcspRequest(request),
    'read an OCSP answer and verify it': () => {
      const response = parseOcspResponse(made);
      if (response.status !== 'successful' || !verifyOcspResponse(response, spki))
        throw new Error('It does not verify.');
    },
  };
  const costs = cpuCosts(Object.values(works), 1);
  for (const [i, what] of Object.keys(works).entries()) {
    const cost = costs[i] ?? Number.NaN;
    const note = `${Math.round(cost)} µs of CPU`;
    report.add({ part: PART, what, figure: 1e6 / cost, unit: '/s', ratio: null, note });
  }
}

function memoryOf(): number {
  const { heapUsed, arrayBuffers } = memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}
