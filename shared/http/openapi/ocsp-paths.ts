import { header, inPath, type Operation, operation } from './operation.ts';
import { type Schema, text } from './schema.ts';

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const request: Schema = { contentMediaType: 'application/ocsp-request' };
const response: Schema = { contentMediaType: 'application/ocsp-response' };
const description =
  'Of one authority, 20 certificates at most, named by SHA-1 or SHA-256. What goes wrong is told in an OCSPResponse as well: ' +
  '`malformedRequest`, `unauthorized` for an authority that is not known here or has ended, `tryLater` with Retry-After ' +
  'while there are too many answers to sign.';

/** The OCSP responder, RFC 6960 and RFC 5019. */
export const ocspPaths: Paths = {
  '/api/ocsp': {
    post: operation({
      id: 'askOcsp',
      summary: 'Ask whether certificates are revoked',
      description: `An OCSPRequest of 16 KiB at most; a nonce of 1 to 128 bytes is repeated (RFC 9654). ${description}`,
      security: 'anyone',
      body: request,
      bodyType: 'application/ocsp-request',
      answers: {
        200: { text: 'An OCSPResponse, also an error.', schema: response, type: 'application/ocsp-response' },
      },
    }),
  },
  '/api/ocsp/{request}': {
    get: operation({
      id: 'askOcspByGet',
      summary: 'Ask whether a certificate is revoked, with an answer that can be kept',
      description: `A nonce is not repeated, so that the answer can be kept on the way. ${description}`,
      security: 'anyone',
      parameters: [
        inPath('request', 'The OCSPRequest in base64, with `/`, `+` and `=` escaped.', text),
        header('If-None-Match', 'The ETag of an earlier answer.'),
      ],
      answers: {
        200: {
          text: 'An OCSPResponse, also an error.',
          schema: response,
          type: 'application/ocsp-response',
          headers: ['etag'],
        },
        304: { text: 'The answer is still the one of If-None-Match.', headers: ['etag'] },
      },
    }),
  },
};
