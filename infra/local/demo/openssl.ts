/** What the demo does with the openssl of this machine: an independent pair of eyes. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @throws Error saying what to do when there is no openssl, or what openssl had to say */
function openssl(args: readonly string[], input?: string): string {
  const { error, status, stdout, stderr } = spawnSync('openssl', args, {
    encoding: 'utf8',
    ...(input ? { input } : {}),
  });
  if (error !== undefined)
    throw new Error('openssl is not installed here. Install it and run the demo again.');
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr.trim()}`);
  return stdout;
}

/** A key that stays in the folder, and a request for it. */
export function makeKeyAndRequest(folder: string, commonName: string): { request: string } {
  const key = join(folder, 'kms.key');
  const request = join(folder, 'kms.csr');
  show(['genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', key]);
  show(['req', '-new', '-key', key, '-subj', `/CN=${commonName}`, '-out', request]);
  console.log('');
  return { request: readFileSync(request, 'utf8') };
}

function show(args: readonly string[]): void {
  console.log(`$ openssl ${args.join(' ')}`);
  openssl(args);
}

/** What `openssl x509 -text` says of a certificate. */
export function showCertificate(pem: string): string {
  return openssl(['x509', '-noout', '-text'], pem);
}

/** What `openssl verify` says, as strict as it can be. */
export function verifyLeaf(folder: string, leaf: string, bundle: string): string {
  const leafFile = join(folder, 'kms.pem');
  const bundleFile = join(folder, 'ca.pem');
  writeFileSync(leafFile, leaf);
  writeFileSync(bundleFile, bundle);
  const args = ['verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', bundleFile, leafFile];
  return `$ openssl ${args.join(' ')}\n${openssl(args)}`;
}
