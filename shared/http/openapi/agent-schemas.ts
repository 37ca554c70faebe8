import { CLIENT_TYPES } from '../../domain/identity.ts';
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
  pem,
  type Schema,
  text,
} from './schema.ts';

export const clientType: Schema = oneOf(...CLIENT_TYPES);
export const delivery: Schema = oneOf('vault', 'agent');
/** Who an identity is. */
export const id = { cluster: text, name: text };

/** What agents send and get. */
export const agentSchemas: Readonly<Record<string, Schema>> = {
  LoginRequest: object({
    'token?': described(text, 'The token; it may come in the Authorization header instead.'),
    'csr?': described(pem, 'One PKCS#10 request. Left out by clients whose key lies in the vault.'),
    'bundleId?': described(hex, 'The trust bundle that the agent holds.'),
  }),
  RenewRequest: object({
    csr: described(
      pem,
      'One PKCS#10 request for the new key; with extension 1.3.6.1.4.1.311.104.1.1 it is its own proof.',
    ),
    'bundleId?': described(hex, 'The trust bundle that the agent holds.'),
  }),
  IssuedCertificate: object({
    identity: object({ ...id, clientType }),
    instance: described(text, 'The line of certificates that this one belongs to.'),
    certificate: described(pem, 'The certificate.'),
    chain: described(text, 'Cross certificates in PEM; often empty.'),
    caBundle: described(pem, 'Every trusted self-signed authority.'),
    bundleId: hex,
    serialNumber: hex,
    notBefore: instant,
    notAfter: described(instant, 'The last second in which it is valid.'),
    renewAfter: instant,
    renewCount: count,
    token: object({ expiresAt: instant, rotateAfter: instant, rotationDue: flag }),
    warnings: list(text),
    'vault?': object({ certificateId: text, secretId: text }),
  }),
  RotatedToken: object({ token: text, expiresAt: instant }),
  Acknowledgement: object({
    bundleId: hex,
    current: described(flag, 'Whether it is the bundle in force.'),
    'renewAfter?': described(instant, 'Now, while an operator asks the agent for a renewal.'),
  }),
  Problem: object({
    type: text,
    title: text,
    status: count,
    detail: text,
    instance: described(text, 'urn:uuid: and the correlation id.'),
    code: described(text, 'Stable; match on this, never on the sentence.'),
    'mocCode?': described(count, "The cloud agent's number for the same thing."),
    correlationId: text,
    retryable: flag,
    'retryAfterSeconds?': count,
    'errors?': list(
      object({ pointer: described(text, 'RFC 6901, into the body.'), code: text, detail: text }),
    ),
    'serverTime?': instant,
  }),
  Health: object({ status: oneOf('ok', 'unavailable'), codes: list(text) }),
  LoginFile: object({
    ...id,
    token: text,
    tokenExpiresAt: instant,
    certificate: described(text, 'base64 of the PEM bundle.'),
    clienttype: clientType,
    cloudfqdn: text,
    cloudport: count,
    cloudauthport: count,
    location: text,
    yaml: described(text, 'The exact file.'),
  }),
  NextStep: object({
    action: oneOf(
      'none',
      'wait',
      'agent-renew',
      'agent-login',
      'agent-recover',
      'operator-rotate',
      'operator-unlock',
    ),
    text,
    route: orNull(text),
  }),
};
