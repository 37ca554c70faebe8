import { header, inPath, type Operation, operation } from './operation.ts';

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const knownTag = header('If-None-Match', 'The ETag of an earlier answer.');
const authority = inPath('authority', 'Id of an authority, as its certificates name it.');
const der = { type: 'string', contentMediaType: 'application/octet-stream' } as const;

/** What verifiers read. The addresses stand in the certificates, under REVOCATION_BASE_URL. */
export const revocationPaths: Paths = {
  '/api/crl/{authority}': {
    get: operation({
      id: 'getRevocationList',
      summary: "An authority's revocation list",
      description:
        'A full list (RFC 5280, section 5), replaced well before its nextUpdate and at once after a revocation. Caches keep it for ' +
        'an hour at most. An authority that has ended keeps its last one.',
      security: 'anyone',
      parameters: [authority, knownTag],
      answers: {
        200: { text: 'DER.', schema: der, type: 'application/pkix-crl', headers: ['etag'] },
        304: { text: 'The list is still the one of If-None-Match.', headers: ['etag'] },
      },
      problems: [404],
    }),
  },
  '/api/ca/{authority}': {
    get: operation({
      id: 'getAuthorityCertificate',
      summary: "An authority's own certificate",
      security: 'anyone',
      parameters: [authority, knownTag],
      answers: {
        200: { text: 'DER.', schema: der, type: 'application/pkix-cert', headers: ['etag'] },
        304: { text: 'The certificate is the one of If-None-Match.', headers: ['etag'] },
      },
      problems: [404],
    }),
  },
};
