/**
 * A server that keeps to the agents' part of the API strictly and does nothing else, on other libraries than the agent's
 * own. It runs inside a test, and remembers what a real one would tell an operator.
 */
import { createHash, randomBytes, type X509Certificate } from 'node:crypto';
import { compactVerify } from 'jose';
import type { HttpAnswer, HttpRequest } from '../../cli/agent/http.ts';
import {
  FakeAuthority,
  isProofRight,
  provenInside,
  type ReadRequest,
  readRequest,
} from './fake-authority.ts';

const DAY_MS = 86_400_000;

interface Leaf {
  readonly certificate: X509Certificate;
  readonly keyHash: string;
  readonly line: Line;
}

/** An instance: a line of certificates that began with one login. */
export interface Line {
  readonly id: number;
  head: Leaf | null;
  successor: Leaf | null;
  isLocked: boolean;
  recoveries: number;
}

interface Token {
  readonly text: string;
  readonly expiresAt: Date;
  readonly rotateAfter: Date;
  isUsed: boolean;
  isEnded: boolean;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly more: object;

  constructor(status: number, code: string, more: object = {}) {
    super(code);
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

export class FakeEverleaf {
  readonly baseUrl: string;
  readonly now: () => Date;
  readonly lines: Line[] = [];
  readonly tokens: Token[] = [];
  readonly issued: Leaf[] = [];
  /** `POST <path>` and what was answered, in order. */
  readonly calls: string[] = [];
  readonly acknowledged: string[] = [];
  /** An operator has asked for a renewal. */
  isRenewalAsked = false;
  isRevoked = false;
  readonly authority: FakeAuthority;
  readonly #seenRequests = new Set<string>();
  readonly #proofs = new Set<string>();

  private constructor(baseUrl: string, now: () => Date, authority: FakeAuthority) {
    this.authority = authority;
    this.baseUrl = baseUrl;
    this.now = now;
  }

  static async make(now: () => Date, baseUrl = 'https://everleaf.test'): Promise<FakeEverleaf> {
    const server = new FakeEverleaf(baseUrl, now, await FakeAuthority.make(now));
    server.addToken();
    return server;
  }

  /** A token of 90 days, as an operator's rotation makes one. */
  addToken(): Token {
    const text = `elt1_${randomBytes(52).toString('base64url')}`;
    const expiresAt = this.#in(90);
    const token = { text, expiresAt, rotateAfter: this.#in(40), isUsed: false, isEnded: false };
    this.tokens.push(token);
    return token;
  }

  loginFile(token: string = this.tokens.at(-1)?.text ?? ''): string {
    const certificate = Buffer.from(this.authority.bundle()).toString('base64');
    return [
      'name: KMS',
      `token: ${token}`,
      `certificate: ${certificate}`,
      'clienttype: ExternalClient',
      'cloudfqdn: everleaf.test',
      'cloudport: 55000',
      'cloudauthport: 65000',
      'location: MocLocation',
      '',
    ].join('\n');
  }

  /** The agent's way to the server, without a network. */
  readonly send = async (request: HttpRequest): Promise<HttpAnswer> => {
    const path = new URL(request.url).pathname;
    try {
      const answer = await this.#answer(request, path);
      this.calls.push(`${path} ${answer.status}`);
      return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.calls.push(`${path} ${error.status} ${error.code}`);
      const headers = { 'content-type': 'application/problem+json' };
      const { status, code, more } = error;
      return { status, headers, text: JSON.stringify({ status, code, detail: code, ...more }) };
    }
  };

  async #answer(request: HttpRequest, path: string): Promise<HttpAnswer> {
    if (request.method === 'GET' && path === '/api/ca-bundle') {
      const etag = `"${this.authority.bundleId()}"`;
      if (request.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, text: '' };
      return { status: 200, headers: { etag }, text: this.authority.bundle() };
    }
    const body = JSON.parse(request.body ?? '') as Record<string, string>;
    if (path === '/api/login') return this.#logIn(body);
    if (path === '/api/certificates/renew') return this.#renew(request, body);
    if (path === '/api/token/rotate') return this.#rotate(request);
    if (path === '/api/bundle/acknowledge') return this.#acknowledge(request, body);
    throw new Refusal(404, 'NotFound');
  }

  async #logIn(body: Record<string, string>): Promise<HttpAnswer> {
    const token = this.tokens.find(({ text }) => text === body['token']);
    if (token === undefined) throw new Refusal(401, 'InvalidToken');
    if (this.isRevoked) throw new Refusal(401, 'Revoked');
    if (token.isEnded || this.now() > token.expiresAt) throw new Refusal(401, 'Expired');
    const request = await this.#readRequest(body['csr']);
    const known = this.lines.find(({ head, successor }) =>
      [head?.keyHash, successor?.keyHash].includes(request.keyHash),
    );
    if (known?.isLocked) throw new Refusal(403, 'AccessDenied');
    const line = known ?? this.#newLine();
    const newest = line.successor ?? line.head;
    const isRepeated = newest !== null && this.now().getTime() - startOf(newest) < 600_000;
    token.isUsed = true;
    for (const earlier of this.tokens.slice(0, this.tokens.indexOf(token))) earlier.isEnded = true;
    if (newest !== null && newest.keyHash === request.keyHash && isRepeated)
      return this.#issuedAnswer(newest);
    line.head = await this.#issue(request, line);
    line.successor = null;
    return this.#issuedAnswer(line.head);
  }

  async #renew(request: HttpRequest, body: Record<string, string>): Promise<HttpAnswer> {
    const wanted = await this.#readRequest(body['csr']);
    const leaf =
      request.headers['x-everleaf-proof'] === undefined
        ? await this.#proofInRequest(wanted)
        : await this.#proofInHeader(request);
    const { line } = leaf;
    this.#prove(leaf, wanted.csrHash);
    if (this.now() > new Date(leaf.certificate.validTo)) {
      const isLate = this.now() > new Date(Date.parse(leaf.certificate.validTo) + 30 * DAY_MS);
      if (isLate || line.recoveries >= 3) throw new Refusal(401, 'Expired');
      if (line.successor?.keyHash !== wanted.keyHash) line.recoveries++;
    }
    this.#seenRequests.add(wanted.csrHash);
    if (line.successor?.keyHash !== wanted.keyHash) line.successor = await this.#issue(wanted, line);
    this.isRenewalAsked = false;
    return this.#issuedAnswer(line.successor);
  }

  async #rotate(request: HttpRequest): Promise<HttpAnswer> {
    this.#proveLive(await this.#proofInHeader(request));
    const newest = this.tokens.at(-1);
    const stands = newest !== undefined && !newest.isUsed && this.now() < newest.rotateAfter;
    const { text, expiresAt } = stands ? newest : this.addToken();
    return json({ token: text, expiresAt: instant(expiresAt) });
  }

  async #acknowledge(request: HttpRequest, body: Record<string, string>): Promise<HttpAnswer> {
    this.#proveLive(await this.#proofInHeader(request));
    this.acknowledged.push(body['bundleId'] ?? '');
    return json(this.isRenewalAsked ? { renewAfter: instant(this.now()) } : {});
  }

  #proveLive(leaf: Leaf): void {
    if (this.now() > new Date(leaf.certificate.validTo)) throw new Refusal(401, 'Expired');
    this.#prove(leaf, null);
  }

  /** The head stays the head, the first proof by its successor makes that the head, and anything older is a fork. */
  #prove(leaf: Leaf, csrHash: string | null): void {
    const { line } = leaf;
    if (this.isRevoked) throw new Refusal(401, 'Revoked');
    if (line.isLocked) throw new Refusal(403, 'AccessDenied');
    if (leaf === line.successor) {
      line.head = leaf;
      line.successor = null;
    }
    if (leaf === line.head) return;
    if (csrHash === null || !this.#seenRequests.has(csrHash)) line.isLocked = true;
    throw new Refusal(403, 'AccessDenied');
  }

  async #proofInHeader(request: HttpRequest): Promise<Leaf> {
    const proof = request.headers['x-everleaf-proof'];
    if (proof === undefined) throw new Refusal(401, 'NoAuthenticationInformation');
    const header = JSON.parse(Buffer.from(proof.split('.')[0] ?? '', 'base64url').toString());
    const leaf = this.#leafOf(Buffer.from(header.x5c[0], 'base64'));
    const algorithms = ['ES256', 'RS256'];
    const { payload } = await compactVerify(proof, leaf.certificate.publicKey, { algorithms }).catch(() => {
      throw new Refusal(401, 'InvalidToken');
    });
    const claims = JSON.parse(Buffer.from(payload).toString());
    const body = createHash('sha256')
      .update(request.body ?? '')
      .digest('base64url');
    const isRight = claims.htm === request.method && claims.htu === request.url && claims.body === body;
    if (!isRight || header.x5c.length !== 1 || this.#proofs.has(claims.jti)) {
      throw new Refusal(401, 'InvalidToken');
    }
    if (Math.abs(claims.iat * 1000 - this.now().getTime()) > 300_000) {
      throw new Refusal(401, 'Expired', { serverTime: instant(this.now()) });
    }
    this.#proofs.add(claims.jti);
    return leaf;
  }

  #leafOf(der: Uint8Array): Leaf {
    const leaf = this.issued.find(({ certificate }) => certificate.raw.equals(der));
    if (leaf === undefined) throw new Refusal(401, 'InvalidToken');
    return leaf;
  }

  #issuedAnswer({ certificate }: Leaf): HttpAnswer {
    const token = this.tokens.at(-1) as Token;
    const renewAfter = new Date(Date.parse(certificate.validFrom) + 40 * DAY_MS);
    return json({
      identity: { cluster: 'management', name: 'KMS', clientType: 'ExternalClient' },
      certificate: certificate.toString(),
      chain: '',
      caBundle: this.authority.bundle(),
      bundleId: this.authority.bundleId(),
      renewAfter: instant(renewAfter),
      token: {
        expiresAt: instant(token.expiresAt),
        rotateAfter: instant(token.rotateAfter),
        rotationDue: token.rotateAfter <= this.now(),
      },
      warnings: [],
    });
  }

  #newLine(): Line {
    const line = { id: this.lines.length, head: null, successor: null, isLocked: false, recoveries: 0 };
    this.lines.push(line);
    return line;
  }

  async #readRequest(csr: string | undefined): Promise<ReadRequest> {
    const request = await readRequest(csr ?? '');
    if (request === null) throw new Refusal(400, 'InvalidCertificateRequest');
    return request;
  }

  async #proofInRequest(wanted: ReadRequest): Promise<Leaf> {
    const old = provenInside(wanted);
    if (old === null) throw new Refusal(401, 'NoAuthenticationInformation');
    const leaf = this.#leafOf(old.raw);
    if (!(await isProofRight(wanted, leaf.certificate, this.now()))) throw new Refusal(401, 'InvalidToken');
    return leaf;
  }

  async #issue(wanted: ReadRequest, line: Line): Promise<Leaf> {
    const { keyHash } = wanted;
    if (this.issued.some((leaf) => leaf.keyHash === keyHash && leaf.line !== line)) {
      throw new Refusal(400, 'InvalidCertificateRequest');
    }
    const notBefore = new Date(this.now().getTime() - 300_000);
    const certificate = await this.authority.issue(wanted, { notBefore, notAfter: this.#in(90) });
    const leaf = { certificate, keyHash, line };
    this.issued.push(leaf);
    return leaf;
  }

  #in(days: number): Date {
    return new Date(this.now().getTime() + days * DAY_MS);
  }
}

function json(value: object): HttpAnswer {
  return { status: 200, headers: { 'content-type': 'application/json' }, text: JSON.stringify(value) };
}

function startOf({ certificate }: Leaf): number {
  return Date.parse(certificate.validFrom) + 300_000;
}

function instant(at: Date): string {
  return at.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
