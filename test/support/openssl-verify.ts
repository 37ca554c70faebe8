import type { OpensslDirectory } from '../unit/pki/support/openssl.ts';
import type { Use } from './path-validation.ts';

/** A certificate, what comes with it and who is to judge it, as PEM. */
export interface Shown {
  readonly leaf: string;
  /** Empty when there is none. */
  readonly chain: string;
  readonly anchors: string;
  readonly use: Use;
  readonly at: Date;
}

/** Whether `openssl verify -x509_strict` accepts a certificate at that moment, without whatever the machine itself trusts. */
export function opensslAccepts(openssl: OpensslDirectory, { leaf, chain, anchors, use, at }: Shown): boolean {
  const [trusted, certificate] = [openssl.write('anchors.pem', anchors), openssl.write('leaf.pem', leaf)];
  const sent = chain === '' ? [] : ['-untrusted', openssl.write('chain.pem', chain)];
  const moment = String(Math.floor(at.getTime() / 1000));
  const asked = ['-x509_strict', '-no-CApath', '-no-CAstore', '-purpose', `ssl${use}`, '-attime', moment];
  return openssl.attempt('verify', ...asked, '-CAfile', trusted, ...sent, certificate).succeeded;
}
