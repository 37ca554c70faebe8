import { toInstant } from '../domain/instants.ts';
import type { LoginFile } from '../use-cases/make-login-file.ts';

/**
 * A login file in an answer; the keys are those of the file itself. One of the few places where a token leaves: the
 * route's own rules say to whom.
 */
export function loginFileJson(file: LoginFile) {
  return {
    cluster: file.cluster,
    name: file.name,
    token: file.token.reveal(),
    tokenExpiresAt: toInstant(file.tokenExpiresAt),
    certificate: file.certificate,
    clienttype: file.clientType,
    cloudfqdn: file.cloudFqdn,
    cloudport: file.cloudPort,
    cloudauthport: file.cloudAuthPort,
    location: file.cloudLocation,
    yaml: file.yaml.reveal(),
  };
}
