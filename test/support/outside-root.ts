/** A root that is nobody's of this project: made by openssl, with `openssl ca` because that alone takes dates. */
import { type OpensslDirectory, openOpensslDirectory } from '../unit/pki/support/openssl.ts';

export interface SigningWishes {
  /** Lines of the section with the certificate's extensions. */
  readonly extensions?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** What docs/outside-root.md tells the owners of a root to put into an authority's certificate. */
export const AUTHORITY_EXTENSIONS: readonly string[] = [
  'basicConstraints = critical, CA:TRUE, pathlen:0',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
  'authorityKeyIdentifier = keyid',
];

const ROOT_EXTENSIONS = [
  'basicConstraints = critical, CA:TRUE',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
];

const CONFIGURATION = `
[ca]
default_ca = root
[root]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha384
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = subject
[subject]
`;

export class OutsideRoot {
  readonly openssl: OpensslDirectory;
  /** The root's own certificate, PEM. */
  readonly pem: string;
  readonly #notBefore: Date;
  readonly #notAfter: Date;

  /** @param now the root begins a day earlier and lives for ten years, and what it signs for five unless it is told */
  constructor(now: Date, commonName = 'Contoso Root') {
    const openssl = openOpensslDirectory();
    this.openssl = openssl;
    this.#notBefore = new Date(now.getTime() - 86_400_000);
    this.#notAfter = new Date(now.getTime() + 5 * 365 * 86_400_000);
    openssl.write('ca.cnf', CONFIGURATION);
    openssl.write('index.txt', '');
    const key = openssl.path('root.key');
    const subject = ['-subj', `/O=Contoso/CN=${commonName}`];
    openssl.run('ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', key);
    openssl.run('req', '-config', 'ca.cnf', '-new', '-key', key, ...subject, '-out', 'root.csr');
    const notAfter = new Date(now.getTime() + 10 * 365 * 86_400_000);
    this.pem = this.#sign('root.csr', ['-selfsign'], { extensions: ROOT_EXTENSIONS, notAfter });
    openssl.write('root.pem', this.pem);
  }

  /** @param csr PEM @returns the certificate, PEM */
  sign(csr: string, wishes: SigningWishes = {}): string {
    this.openssl.write('request.csr', csr);
    return this.#sign('request.csr', ['-cert', 'root.pem'], wishes);
  }

  #sign(csr: string, how: string[], wishes: SigningWishes): string {
    const {
      extensions = AUTHORITY_EXTENSIONS,
      notBefore = this.#notBefore,
      notAfter = this.#notAfter,
    } = wishes;
    this.openssl.write('extensions.cnf', `${extensions.join('\n')}\n`);
    const dates = ['-startdate', opensslTime(notBefore), '-enddate', opensslTime(notAfter)];
    const files = ['-config', 'ca.cnf', '-keyfile', 'root.key', '-extfile', 'extensions.cnf', '-in', csr];
    return this.openssl.run('ca', '-batch', '-notext', ...files, ...how, ...dates);
  }

  remove(): void {
    this.openssl.remove();
  }
}

/** YYYYMMDDHHMMSSZ, as `openssl ca` wants it. */
function opensslTime(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
}
