import { EverleafError } from '../domain/errors.ts';

/**
 * The token of a login: from the body, or from the Authorization header, where the cloud agent's clients send it
 * without a scheme and others send it as a bearer token.
 * @throws EverleafError NoAuthenticationInformation when there is none
 */
export function presentedToken(body: string | undefined, authorization: string | null): string {
  const token = body ?? authorization?.replace(/^Bearer +/i, '');
  if (token === undefined) {
    throw new EverleafError(
      'NoAuthenticationInformation',
      'Send the token as "token" in the body, or in the Authorization header.',
    );
  }
  return token;
}
