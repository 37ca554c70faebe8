import { header, type Operation, operation } from './operation.ts';
import { pem, ref } from './schema.ts';

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const proofHeader = header(
  'X-Everleaf-Proof',
  'A JWS (RFC 7515, compact; ES256, ES384, ES512, RS256 or PS256) by the key of the current certificate, which is the only ' +
    'one in `x5c`. Claims: `htm`, `htu`, `iat` (within 5 minutes), `jti`, and `body`, the base64url SHA-256 of the body.',
);
const knownTag = header('If-None-Match', 'The ETag of an earlier answer.');

/** What agents call, and what is open to everybody. */
export const agentPaths: Paths = {
  '/api/login': {
    post: operation({
      id: 'login',
      summary: 'Log in with a token',
      description:
        'Gives a certificate for the key of the request; without a request, a vault-delivered identity gets its current one. The ' +
        'same token with the same key gets the same certificate for ten minutes.',
      security: ['token'],
      body: ref('LoginRequest'),
      answers: { 200: { text: 'The certificate.', schema: ref('IssuedCertificate') } },
      problems: [403, 429],
    }),
  },
  '/api/certificates/renew': {
    post: operation({
      id: 'renewCertificate',
      summary: 'Renew a certificate with proof of its key',
      description:
        'The proof is the header, or the extension of the cloud agent in the request itself. A lost answer is repeated: the same ' +
        'request gets the same certificate. After its end a certificate can be renewed for some days more (recovery).',
      security: ['proof'],
      parameters: [proofHeader],
      body: ref('RenewRequest'),
      answers: { 200: { text: 'The next certificate.', schema: ref('IssuedCertificate') } },
      problems: [403, 429],
    }),
  },
  '/api/token/rotate': {
    post: operation({
      id: 'rotateToken',
      summary: 'Get the next token',
      description:
        'An unused successor is given again, so that a lost answer costs nothing. The first use of a token ends the earlier ones. ' +
        'After a cut-over it is 403 until somebody has logged in with the login file that an operator got.',
      security: ['proof'],
      parameters: [proofHeader],
      answers: { 200: { text: 'The token.', schema: ref('RotatedToken') } },
      problems: [400, 403, 413, 429],
    }),
  },
  '/api/bundle/acknowledge': {
    post: operation({
      id: 'acknowledgeBundle',
      summary: 'Tell which trust bundle is held',
      security: ['proof'],
      parameters: [proofHeader],
      body: { type: 'object', required: ['bundleId'], properties: { bundleId: { type: 'string' } } },
      answers: { 200: { text: 'Noted.', schema: ref('Acknowledgement') } },
      problems: [403, 429],
    }),
  },
  '/api/ca-bundle': {
    get: operation({
      id: 'getTrustBundle',
      summary: 'Every trusted authority',
      security: 'anyone',
      parameters: [knownTag],
      answers: {
        200: { text: 'PEM.', schema: pem, type: 'application/x-pem-file', headers: ['etag'] },
        304: { text: 'The bundle is still the one of If-None-Match.', headers: ['etag'] },
      },
    }),
  },
  '/api/health': {
    get: operation({
      id: 'getHealth',
      summary: 'Whether the service can do its work',
      security: 'anyone',
      answers: {
        200: { text: 'It can.', schema: ref('Health') },
        503: { text: 'It cannot; the codes say why.', schema: ref('Health') },
      },
    }),
  },
  '/api/openapi.json': {
    get: operation({
      id: 'getOpenApi',
      summary: 'This document',
      security: 'anyone',
      parameters: [knownTag],
      answers: {
        200: { text: 'OpenAPI 3.1.', schema: { type: 'object' }, headers: ['etag'] },
        304: { text: 'The document is still the one of If-None-Match.', headers: ['etag'] },
      },
    }),
  },
};
