import { type OpensslDirectory, openOpensslDirectory } from '../../unit/pki/support/openssl.ts';

/** The `genpkey` arguments of the kinds of keys that a client may have. */
export const CLIENT_KEYS = {
  'RSA 2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'RSA 3072': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
  'RSA 4096': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:4096'],
  'EC P-256': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'EC P-384': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'EC P-521': ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'],
} as const;

export interface KeyAndRequest {
  /** SubjectPublicKeyInfo as PEM. */
  readonly publicKey: string;
  /** The certificate request as PEM. */
  readonly csr: string;
}

/** An extension as `openssl x509 -text` shows it. */
export interface ShownExtension {
  readonly critical: boolean;
  readonly value: string;
}

/** What an agent or a relying party does with the openssl command line, in a directory of its own. */
export class OpensslAgent {
  readonly #directory: OpensslDirectory = openOpensslDirectory();
  #files = 0;

  /**
   * Makes a key and a request for it.
   * @param genpkey arguments of `openssl genpkey`
   * @param options name: the request's CN, KMS when left out; args: more arguments of `openssl req`
   */
  keyAndRequest(
    genpkey: readonly string[],
    options: { readonly name?: string; readonly args?: readonly string[] } = {},
  ): KeyAndRequest {
    const key = this.#file('key');
    this.#directory.run('genpkey', ...genpkey, '-out', key);
    const subject = `/CN=${options.name ?? 'KMS'}`;
    const csr = this.#directory.run('req', '-new', '-key', key, '-subj', subject, ...(options.args ?? []));
    return { publicKey: this.#directory.run('pkey', '-in', key, '-pubout'), csr };
  }

  /**
   * `openssl verify -x509_strict`.
   * @param options at: verifies as if it were that moment, for virtual times; purpose: asks for that use as well
   * @throws Error with openssl's words when it does not accept the certificate
   */
  verify(
    certificate: string,
    bundle: string,
    options: { readonly at: Date; readonly purpose?: 'sslclient' | 'sslserver' },
  ): void {
    const purpose = options.purpose === undefined ? [] : ['-purpose', options.purpose];
    const args = ['-x509_strict', ...purpose, '-attime', String(Math.floor(options.at.getTime() / 1000))];
    this.#directory.run('verify', ...args, '-CAfile', this.#write(bundle), this.#write(certificate));
  }

  /** `openssl x509` on a certificate, with these arguments. */
  show(certificate: string, ...args: string[]): string {
    return this.#directory.run('x509', '-in', this.#write(certificate), '-noout', ...args).trimEnd();
  }

  /** The extensions by the names that `openssl x509 -text` has for them, in their order. */
  extensions(certificate: string): Map<string, ShownExtension> {
    const text = this.show(certificate, '-text');
    const section = /X509v3 extensions:\n([\s\S]*?)\n {4}\S/.exec(text)?.[1] ?? '';
    const found = new Map<string, ShownExtension>();
    for (const [, name = '', critical, value = ''] of section.matchAll(
      /^ {12}(\S.*?):( critical| )?\n((?: {16}.*\n?)+)/gm,
    )) {
      found.set(name, { critical: critical === ' critical', value: value.trim().replace(/\s*\n\s*/g, '\n') });
    }
    return found;
  }

  remove(): void {
    this.#directory.remove();
  }

  #file(kind: string): string {
    this.#files += 1;
    return `${kind}-${this.#files}.pem`;
  }

  #write(pem: string): string {
    return this.#directory.write(this.#file('certificate'), pem);
  }
}
