import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { LoginAnswer, Problem } from '../support/contract-shapes.ts';
import { type ApiAnswer, LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import { CLIENT_KEYS, OpensslAgent } from './support/openssl-agent.ts';
import { problem } from './support/problem.ts';
import { inventToken, tokenIdBytes } from './support/tokens.ts';

const EC = CLIENT_KEYS['EC P-256'];
const RSA = CLIENT_KEYS['RSA 2048'];
/** More than this file needs in a minute before it wants to meet the limit. */
const MOST_FAILURES = 50;

let stateDir: string;
let everleaf: LocalEnvironment;
let openssl: OpensslAgent;
/** A genuine token and a good request for it, of an agent-delivered identity. */
let token: string;
let csr: string;

before(async () => {
  stateDir = makeStateDirectory();
  openssl = new OpensslAgent();
  everleaf = await LocalEnvironment.start(stateDir, { LOGIN_FAILURES_PER_SOURCE: String(MOST_FAILURES) });
  token = everleaf.loginFile('NodeAgent').token;
  csr = openssl.keyAndRequest(EC, { name: 'NodeAgent' }).csr;
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
  openssl.remove();
});

/** The body of a refusal without what differs from call to call. */
function withoutCorrelation({ text, json }: ApiAnswer<Problem>): string {
  return text.replaceAll(json.correlationId, '<correlation>');
}

/** A PEM block around DER. */
function pem(der: Buffer, label = 'CERTIFICATE REQUEST'): string {
  return `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`;
}

function derOf(request: string): Buffer {
  return Buffer.from(request.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

function flipBit(bytes: Buffer, index: number): Buffer {
  const changed = Buffer.from(bytes);
  const at = index < 0 ? bytes.length + index : index;
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** The last letter carries two bits; a lenient reader would not see the other four (RFC 4648, 3.5). */
function nextLetter(letter: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet.charAt(alphabet.indexOf(letter) + 1);
}

describe('a login without a genuine token', () => {
  it('gets one and the same answer, whatever is wrong with the token', async () => {
    const [first = '', ...rest] = token.slice(5);
    const bytes = Buffer.from(token.slice(5), 'base64url');
    const refused = {
      'a word': 'secret',
      'an empty token': '',
      'a token cut short': token.slice(0, -1),
      'a token without its prefix': token.slice(5),
      'a token of another form': token.replace('elt1_', 'elt2_'),
      'a token with a letter changed': `elt1_${first === 'A' ? 'B' : 'A'}${rest.join('')}`,
      'a token with a bit of its secret changed': `elt1_${flipBit(bytes, 20).toString('base64url')}`,
      'a token with a blank after it': `${token} `,
      'a token with a letter of the other alphabet': `${token.slice(0, 20)}+${token.slice(21)}`,
      'a token with bits after its end': token.slice(0, -1) + nextLetter(token.slice(-1)),
      'a token with padding': `${token}=`,
      'a token that nobody issued': inventToken(),
      "an identity's token id with another secret": inventToken(tokenIdBytes(token)),
      'a very long token': 'elt1_'.padEnd(20_000, 'A'),
      "an operator's token": everleaf.operatorToken,
    };
    const answers = new Set<string>();
    for (const [what, wrong] of Object.entries(refused)) {
      const answer = await everleaf.login({ token: wrong, csr });
      assert.equal(problem(answer, 401, 'InvalidToken').mocCode, 33, what);
      answers.add(withoutCorrelation(answer));
      // HTTP itself strips blanks around a header's value, and a header has not room for everything.
      if (wrong.trim() === token || wrong.length > 8192) continue;
      answers.add(withoutCorrelation(await everleaf.login({ csr }, { authorization: `Bearer ${wrong}` })));
    }
    assert.equal(answers.size, 1, [...answers].join('\n'));
  });

  it('learns nothing of its request: the token is looked at first', async () => {
    const answer = await everleaf.login({ token: inventToken(), csr: 'garbage' });
    problem(answer, 401, 'InvalidToken');
  });

  it('is told when it brings no token at all', async () => {
    assert.equal(problem(await everleaf.login({ csr }), 401, 'NoAuthenticationInformation').mocCode, 43);
  });

  it('locks nobody: the genuine token works after all of that', async () => {
    const answer = await everleaf.login<LoginAnswer>({ token, csr });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.identity.name, 'NodeAgent');
  });
});

describe('a certificate request', () => {
  const refusals: { title: string; make: () => string; says: RegExp }[] = [
    {
      title: 'with a bad signature',
      make: () => pem(flipBit(derOf(csr), -1)),
      says: /signature/i,
    },
    {
      title: 'for an RSA key of 1024 bits',
      make: () => request(['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']),
      says: /1024|2048/,
    },
    {
      title: 'for an RSA key with the exponent 3',
      make: () => request([...RSA, '-pkeyopt', 'rsa_keygen_pubexp:3']),
      says: /exponent|65537/i,
    },
    {
      title: 'for a key on the curve secp256k1',
      make: () => request(['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1']),
      says: /curve|P-256/i,
    },
    {
      title: 'for a key on a curve that is spelled out',
      make: () => request([...EC, '-pkeyopt', 'ec_param_enc:explicit']),
      says: /curve|named|parameters/i,
    },
    {
      title: 'for an Ed25519 key',
      make: () => request(['-algorithm', 'ED25519']),
      says: /algorithm|key|RSA/i,
    },
    { title: 'signed with SHA-1', make: () => request(RSA, ['-sha1']), says: /SHA-1|SHA-256|algorithm/i },
    {
      title: 'for another name',
      make: () => openssl.keyAndRequest(EC, { name: 'KMS' }).csr,
      says: /KMS|NodeAgent/,
    },
    { title: 'that is garbage', make: () => 'garbage', says: /PEM|CERTIFICATE REQUEST/ },
    { title: 'that is empty', make: () => '', says: /PEM|CERTIFICATE REQUEST|empty/ },
    { title: 'whose PEM holds garbage', make: () => pem(Buffer.from('garbage')), says: /./ },
    {
      title: 'that is a certificate',
      make: () => pem(derOf(csr), 'CERTIFICATE'),
      says: /PEM|CERTIFICATE REQUEST/,
    },
    { title: 'of which there are two', make: () => csr + csr, says: /one|exactly/i },
    {
      title: 'with bytes after its end',
      make: () => pem(Buffer.concat([derOf(csr), Buffer.from([0])])),
      says: /other bytes follow/,
    },
    { title: 'with words after its end', make: () => `${csr}and more`, says: /not PEM at character \d+/ },
    { title: 'that is cut short', make: () => pem(derOf(csr).subarray(0, -1)), says: /./ },
  ];
  for (const { title, make, says } of refusals) {
    it(`${title} gets a 400 that says why`, async () => {
      const answer = await everleaf.login({ token, csr: make() });
      const { detail, mocCode, retryable } = problem(answer, 400, 'InvalidCertificateRequest');
      assert.match(detail, says);
      assert.equal(mocCode, 4);
      assert.equal(retryable, false);
    });
  }

  it('may not be missing for an identity that keeps its own key', async () => {
    const { detail } = problem(await everleaf.login({ token }), 400, 'InvalidInput');
    assert.match(detail, /csr/);
  });

  it("may not be for another identity's key", async () => {
    const kms = openssl.keyAndRequest(EC, { args: ['-subj', '/'] });
    const genuine = await everleaf.login({ token: everleaf.loginFile('KMS').token, csr: kms.csr });
    assert.equal(genuine.status, 200, genuine.text);
    const { detail } = problem(
      await everleaf.login({ token, csr: kms.csr }),
      400,
      'InvalidCertificateRequest',
    );
    assert.match(detail, /another identity/);
  });

  function request(genpkey: readonly string[], args: readonly string[] = []): string {
    return openssl.keyAndRequest(genpkey, { name: 'NodeAgent', args }).csr;
  }
});

describe('a request that is not as expected', () => {
  it('is refused with 413 when its body is large, by the app and, above 128 KiB, by the host', async () => {
    const filler = (bytes: number) => ({ token, csr, filler: 'x'.repeat(bytes) });
    const large = await everleaf.login(filler(64 * 1024));
    problem(large, 413, 'PayloadTooLarge');
    const huge = await everleaf.login(filler(1024 * 1024));
    assert.equal(huge.status, 413);
    assert.equal((await everleaf.api('/api/health')).status, 200);
  });

  for (const [title, body, pointer] of [
    ['an empty body', '', null],
    ['what is not JSON', '{"token":', null],
    ['a JSON array', '[]', null],
    ['JSON null', 'null', null],
    ['a number for a token', '{"token":5}', '/token'],
    ['an array for a request', JSON.stringify({ token: 'x', csr: [] }), '/csr'],
    ['null for a request', JSON.stringify({ token: 'x', csr: null }), '/csr'],
  ] as const) {
    it(`is refused with 400 for ${title}`, async () => {
      const answer = await everleaf.login(body);
      problem(answer, 400, 'InvalidInput');
      if (pointer !== null) assert.equal(answer.json.errors?.[0]?.pointer, pointer);
    });
  }

  it('is refused with 400 when its body comes in chunks, as it would never arrive in Azure', async () => {
    const answer = await sendChunked(JSON.stringify({ token, csr }));
    assert.equal(answer.status, 400);
    assert.match((JSON.parse(answer.text) as Problem).detail, /chunked/);
  });
});

describe('a source whose tokens are refused too often', () => {
  it('gets 429 with Retry-After, for a genuine token too, until the minute is over', async () => {
    // From the start of a minute, so that it does not end before the last call.
    const now = await everleaf.advance('PT0S', { settle: false });
    await everleaf.advance(`PT${60 - now.getUTCSeconds()}S`, { settle: false });
    let answer = await everleaf.login({ token: 'wrong', csr });
    for (let i = 0; i < MOST_FAILURES && answer.status === 401; i++) {
      answer = await everleaf.login({ token: 'wrong', csr });
    }
    assert.equal(problem(answer, 429, 'TooManyRequests').retryable, true);
    const seconds = Number(answer.headers.get('retry-after'));
    assert.ok(seconds >= 1 && seconds <= 60, String(seconds));
    // What the caller writes into the header is not the last hop of it.
    const elsewhere = await everleaf.login({ token, csr }, { 'x-forwarded-for': '192.0.2.1' });
    problem(elsewhere, 429, 'TooManyRequests');
    await everleaf.advance(`PT${seconds}S`, { settle: false });
    assert.equal((await everleaf.login({ token, csr })).status, 200);
  });
});

describe('the logs', () => {
  it('hold no token and no private key, after all of the above', async () => {
    const folder = join(stateDir, 'logs');
    const logs = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    assert.ok(
      logs.some((log) => log.includes('Refused a login')),
      'refusals are logged',
    );
    const secrets = [token, token.slice(5, 40), everleaf.operatorToken, everleaf.env.masterKey];
    for (const log of logs) {
      for (const secret of secrets) assert.equal(log.includes(secret), false);
      assert.doesNotMatch(log, /elt1_|PRIVATE KEY/);
    }
  });
});

/** A login whose body has no Content-Length. */
async function sendChunked(body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${everleaf.env.baseUrl}/api/login`,
      { method: 'POST', headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' } },
      (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
