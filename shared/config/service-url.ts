import { z } from 'zod';

const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** Whether a URL leads to this machine. */
export function isLoopback(text: string): boolean {
  return URL.canParse(text) && LOOPBACK_HOSTS.has(new URL(text).hostname);
}

/** The URL of a service, to the letter: https, or plain http to this machine, and that never inside Azure. */
export function checkedUrl(isInAzure: boolean) {
  return z.string().superRefine((text, context) => {
    const fail = (message: string) => context.addIssue({ code: 'custom', message });
    if (!URL.canParse(text)) return fail('is not a URL');
    const { protocol, username, password, search, hash } = new URL(text);
    if (username !== '' || password !== '' || search !== '' || hash !== '') {
      return fail('must have neither credentials, query nor fragment');
    }
    if (protocol === 'https:') return;
    if (protocol !== 'http:') return fail('must be an https URL');
    if (isInAzure) return fail('must be an https URL: plain http is refused inside Azure');
    if (!isLoopback(text)) fail('must be an https URL: plain http is for this machine alone');
  });
}

/** The same, without a slash at its end. */
export function serviceUrl(isInAzure: boolean) {
  return checkedUrl(isInAzure).transform((text) => text.replace(/\/+$/, ''));
}
