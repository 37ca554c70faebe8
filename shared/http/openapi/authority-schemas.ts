import { AUTHORITY_STATES } from '../../domain/authority.ts';
import { clientType, delivery, id } from './agent-schemas.ts';
import {
  count,
  described,
  flag,
  hex,
  instant,
  list,
  object,
  oneOf,
  orNull,
  page,
  pem,
  ref,
  type Schema,
  text,
} from './schema.ts';

const state: Schema = oneOf(...AUTHORITY_STATES);
const action: Schema = oneOf('prepare', 'publish', 'activate', 'retire', 'revoke', 'cancel');
const tally: Schema = object({
  total: count,
  acknowledged: count,
  missing: described(list(object({ ...id, lastSeenAt: orNull(instant) })), 'The first 100.'),
});

const authority: Readonly<Record<string, Schema>> = {
  id: text,
  state,
  subject: text,
  keyType: text,
  serialNumber: hex,
  subjectKeyId: hex,
  sha256: hex,
  notBefore: instant,
  notAfter: instant,
  certificate: pem,
  crossCertificates: list(object({ issuerId: text, certificate: pem, notAfter: instant })),
  predecessorId: orNull(text),
  publishedAt: orNull(instant),
  activatedAt: orNull(instant),
  retiringAt: orNull(instant),
  retiredAt: orNull(instant),
  taintedAt: orNull(instant),
  revokedAt: orNull(instant),
  taint: orNull(ref('Taint')),
};

/** The authorities and the steps of their lives. */
export const authoritySchemas: Readonly<Record<string, Schema>> = {
  Authorities: object({
    status: oneOf('Single', 'Overlap'),
    bundleId: hex,
    items: list(ref('Authority')),
  }),
  AuthorityState: object(authority),
  Authority: object({
    ...authority,
    prepareAt: orNull(instant),
    activateBy: orNull(instant),
    retireAt: orNull(instant),
    leaves: object({ live: count, latestNotAfter: orNull(instant), asOf: instant }),
    acknowledgements: object({ verifiers: tally, agents: tally }),
    crl: orNull(
      object({ number: text, thisUpdate: instant, nextUpdate: instant, entries: count, url: text }),
    ),
    blockedBy: list(text),
  }),
  Taint: object({
    reason: text,
    requestedBy: text,
    pausedAt: orNull(instant),
    operation: orNull(hex),
    waves: count,
    waveSize: count,
    waveAt: orNull(instant),
    asked: described(count, 'Identities that the waves have come to.'),
    sweptAt: described(orNull(instant), 'When the fleet was last searched for whom the waves had missed.'),
  }),
  Roll: object({
    dryRun: flag,
    done: list(object({ action, authorityId: orNull(text) })),
    left: list(
      object({
        action,
        authorityId: orNull(text),
        becauseOf: orNull(text),
        dueAt: instant,
        deadline: orNull(instant),
        reason: oneOf('NotDue', 'InWindow', 'Overdue', 'AuthorityTainted'),
        blockedBy: list(text),
      }),
    ),
  }),
  AuthorityDryRun: page('affected', object({ ...id, clientType, delivery, lastSeenAt: orNull(instant) }), {
    dryRun: flag,
    authorityId: text,
    state,
    blockedBy: list(text),
    counts: object({ total: count, vault: count, agent: count, waves: count }),
  }),
  OutsideCertificate: object({
    certificate: described(pem, "The authority's certificate."),
    chain: described(pem, 'Its issuer first, the root last; nothing but PEM.'),
  }),
  DryRunRequest: object({ 'dryRun?': flag }),
  ForceRequest: object({ 'force?': flag, 'dryRun?': flag }),
  TaintRequest: object({
    reason: described({ ...text, minLength: 1, maxLength: 256 }, 'One line, for the audit log.'),
    'dryRun?': flag,
  }),
};
