import { inPath, type Operation } from './operation.ts';
import { accepted, answered, cursor, forOperators, limit, type Paths } from './operator-parts.ts';
import { pem, ref } from './schema.ts';

const authority = inPath('id', 'Id of the authority.');
const pages = { parameters: [authority, limit, cursor] };
const dryRun = 'With dryRun: what is in its way, and whom it affects.';
const orDryRun = {
  200: {
    text: `The authority as it is now. ${dryRun}`,
    schema: { anyOf: [ref('AuthorityState'), ref('AuthorityDryRun')] },
  },
};

/** What operators call about the authorities and their lives. */
export const authorityPaths: Paths = {
  '/api/authorities': {
    get: forOperators({
      id: 'listAuthorities',
      summary: 'Every authority, what it signed, and who has acknowledged it',
      answers: answered('The authorities, the oldest first.', 'Authorities'),
    }),
  },
  '/api/authorities/roll': {
    post: forOperators({
      id: 'rollAuthorities',
      summary: 'Take the steps of the authorities that are due, as the timer does',
      body: ref('DryRunRequest'),
      isBodyOptional: true,
      answers: answered('What was done, or would be done, and what is left.', 'Roll'),
    }),
  },
  '/api/authorities/prepare': {
    post: forOperators({
      id: 'prepareAuthority',
      summary: 'Prepare the next authority before its time; there is one at most',
      answers: answered('The authority that comes next.', 'AuthorityState'),
      problems: [400, 413],
    }),
  },
  '/api/authorities/{id}/csr': {
    get: forOperators({
      id: 'getAuthorityRequest',
      summary: 'The request that an outside root is to sign, while the authority waits for it',
      parameters: [authority],
      answers: { 200: { text: 'The request.', type: 'application/pkcs10', schema: pem } },
      problems: [404],
    }),
  },
  '/api/authorities/{id}/certificate': {
    post: forOperators({
      id: 'takeAuthorityCertificate',
      summary: 'Bring the certificate that an outside root has signed, and the certificates above it',
      description:
        'Everything is checked before anything is kept. Wants admin/issue for the whole fleet as well: a root makes certificates ' +
        'for everybody. The same certificate again is answered the same.',
      parameters: [authority],
      body: ref('OutsideCertificate'),
      answers: answered('The authority as it is now.', 'AuthorityState'),
      problems: [404, 409],
    }),
  },
  '/api/authorities/{id}/activate': {
    post: forOperators({
      id: 'activateAuthority',
      summary: 'Have the next authority sign; publishes it first where that was not done',
      ...pages,
      body: ref('ForceRequest'),
      isBodyOptional: true,
      answers: orDryRun,
      problems: [404, 409],
    }),
  },
  '/api/authorities/{id}/cancel': {
    post: step('cancelAuthority', 'Give up an authority that has never signed a certificate', {
      204: { text: 'It is given up; it had no certificate yet.' },
    }),
  },
  '/api/authorities/{id}/taint': {
    post: forOperators({
      id: 'taintAuthority',
      summary: 'The key may be in wrong hands: sign no more with it, and replace what it signed in waves',
      ...pages,
      body: ref('TaintRequest'),
      answers: { ...accepted, ...answered(dryRun, 'AuthorityDryRun') },
      problems: [404, 409],
    }),
  },
  '/api/authorities/{id}/pause': {
    post: step('pauseTaint', 'Hold the waves of renewals back'),
  },
  '/api/authorities/{id}/resume': {
    post: step('resumeTaint', 'Let the waves of renewals go on'),
  },
  '/api/authorities/{id}/revoke': {
    post: forOperators({
      id: 'revokeAuthority',
      summary: 'Take a tainted authority out of the trust bundle',
      ...pages,
      body: ref('ForceRequest'),
      isBodyOptional: true,
      answers: orDryRun,
      problems: [404, 409],
    }),
  },
};

/** A step without anything to choose. */
function step(id: string, summary: string, others = {}): Operation {
  return forOperators({
    id,
    summary,
    parameters: [authority],
    answers: { ...answered('The authority as it is now.', 'AuthorityState'), ...others },
    problems: [400, 404, 409, 413],
  });
}
