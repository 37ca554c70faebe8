/** What the agent does. Each act can be cut off anywhere and done again. */
import { certificateRequest } from './csr.ts';
import { replaceFile } from './files.ts';
import { BadAnswer, dateIn, Refused } from './http.ts';
import { bundleIdOf, type Issued, readIssued, readTokenDates, renewalMoment } from './issued.ts';
import { newKey } from './keys.ts';
import { hashOfToken, type LoginFile, withToken } from './login-file.ts';
import type { Session } from './session.ts';
import type { AgentState, Concern, Current, Pending } from './state.ts';

const DAY_MS = 86_400_000;
/** The server takes the proof inside a request for 24 hours; half of that leaves room for clocks and repetitions. */
const REQUEST_PROOF_MS = DAY_MS / 2;
/** Where in its life a token is rotated, when the server does not say: the middle of the server's own window. */
const ROTATION_POINT = 0.45;

/** There is no login file, and nothing else can help. */
export class NeedsLoginFile extends Error {}

/** Gets a certificate for the token. */
export async function logIn(session: Session, login: LoginFile | null): Promise<void> {
  if (login === null) throw new NeedsLoginFile();
  const pending = await pendingLogin(session);
  const body = { token: login.token, csr: pending.csrPem, ...bundleIdOfState(session.state) };
  const answer = await session.post('/api/login', body, false);
  const issued = readIssued(answer, pending.keyPem, session.ports.random());
  await accept(session, issued, login);
  reportIssued(session, 'logged-in', 'Logged in', issued);
}

/** Gets the next certificate, with a new key and proof of the current one. */
export async function renew(session: Session, login: LoginFile | null): Promise<void> {
  const pending = await pendingRenewal(session);
  const body = { csr: pending.csrPem, ...bundleIdOfState(session.state) };
  const answer = await session.post('/api/certificates/renew', body, session.options.proof === 'jws');
  const issued = readIssued(answer, pending.keyPem, session.ports.random());
  await accept(session, issued, login);
  reportIssued(session, 'renewed', 'Renewed the certificate', issued);
}

/**
 * Gets the token's successor and puts it into the login file. The server gives the same one until it was used, so that an
 * answer that was lost, or not written before a kill, costs nothing.
 */
export async function rotateToken(session: Session, login: LoginFile | null): Promise<void> {
  const { files, report } = session.ports;
  const path = session.options.loginFile;
  const { token, expiresAt, ...more } = await session.post('/api/token/rotate', {}, true);
  const end = dateIn(expiresAt);
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || end === null) {
    throw new BadAnswer('The answer holds no token, or none that has an end.');
  }
  if (login === null || (await files.read(path)) !== login.text) {
    // Somebody has just put another file there. What we were given was never used and harms nobody.
    await session.update({ token: null });
    return;
  }
  await replaceFile(files, path, withToken(login.text, token));
  const now = session.now();
  const rotateAt =
    dateIn(more['rotateAfter']) ?? new Date(now.getTime() + (end.getTime() - now.getTime()) * ROTATION_POINT);
  await session.update({
    token: { hash: hashOfToken(token), expiresAt: end.toISOString(), rotateAt: rotateAt.toISOString() },
    retries: without(session.state, 'token'),
  });
  report({
    event: 'token-rotated',
    text: `Rotated the token; the new one, valid until ${instant(end)}, is in ${path}`,
    details: { expiresAt: instant(end) },
  });
}

/**
 * Looks for a newer bundle and tells the server which one is stored here. It also proves a new certificate's key for the
 * first time, which ends the one before, and is how an agent learns between renewals that it is asked to renew.
 */
export async function checkIn(session: Session, login: LoginFile | null): Promise<void> {
  await fetchBundle(session);
  const answer = await session.post('/api/bundle/acknowledge', bundleIdOfState(session.state), true);
  const now = session.now();
  const { state, ports } = session;
  const dates = readTokenDates(answer['token']);
  await session.update({
    checkInAt: new Date(now.getTime() + DAY_MS * (0.75 + 0.5 * ports.random())).toISOString(),
    ...(state.current === null ? {} : { current: hurried(state.current, answer, ports.random()) }),
    ...(dates === null || login === null ? {} : { token: { hash: login.tokenHash, ...dates } }),
    retries: without(state, 'check-in'),
  });
  const bundleId = state.bundle?.id ?? '';
  ports.report({ event: 'checked-in', text: `Checked in with bundle ${bundleId}`, details: { bundleId } });
}

/** Is asked with what it has; the ETag is the bundle's id. */
async function fetchBundle(session: Session): Promise<void> {
  const { bundle } = session.state;
  const answer = await session.send({
    method: 'GET',
    url: `${session.options.server}/api/ca-bundle`,
    headers: bundle === null ? {} : { 'if-none-match': `"${bundle.id}"` },
    body: null,
  });
  if (answer.status === 304) return;
  if (answer.status !== 200) throw new Refused(answer);
  const id = bundleIdOf(answer.text);
  if (id === bundle?.id) return;
  await session.update({ bundle: { id, pem: answer.text } });
  // Acknowledged is what whoever reads the access file can see.
  await session.publish();
}

async function pendingLogin(session: Session): Promise<Pending> {
  const { pending, fallback, current } = session.state;
  if (pending?.kind === 'login') return pending;
  const goesOn = current !== null && fallback !== null && !fallback.hasFreshKey;
  const keyPem = goesOn ? current.keyPem : await newKey(session.options.keyType);
  return remember(session, 'login', keyPem, null);
}

async function pendingRenewal(session: Session): Promise<Pending> {
  const { pending, current } = session.state;
  const isProvenInside = session.options.proof === 'csr';
  const age = session.now().getTime() - Date.parse(pending?.madeAt ?? '');
  if (pending !== null && !(isProvenInside && Math.abs(age) > REQUEST_PROOF_MS)) return pending;
  // With the same key again, since the first request may have been answered with a certificate for it.
  const keyPem = pending?.keyPem ?? (await newKey(session.options.keyType));
  return remember(session, 'renew', keyPem, isProvenInside ? current : null);
}

/** Key and request are on the disk before anybody can have seen them. */
async function remember(
  session: Session,
  kind: Pending['kind'],
  keyPem: string,
  renewed: Current | null,
): Promise<Pending> {
  const now = session.now();
  const { dnsNames } = session.options;
  const renews = renewed === null ? null : { ...renewed, now };
  const csrPem = certificateRequest({ name: session.state.name, keyPem, dnsNames, renews });
  const pending: Pending = { kind, keyPem, csrPem, madeAt: now.toISOString() };
  await session.update({ pending });
  return pending;
}

async function accept(session: Session, issued: Issued, login: LoginFile | null): Promise<void> {
  await session.update({
    current: issued.current,
    bundle: issued.bundle,
    pending: null,
    fallback: null,
    blocked: null,
    checkInAt: session.now().toISOString(),
    token: issued.token === null || login === null ? null : { hash: login.tokenHash, ...issued.token },
    retries: {},
  });
}

function reportIssued({ ports }: Session, event: string, text: string, issued: Issued): void {
  const { serialNumber, notAfter, renewAt } = issued.current;
  ports.report({
    event,
    text: `${text}: ${serialNumber}, valid until ${instant(notAfter)}, to be renewed at ${instant(renewAt)}`,
    details: { serialNumber, notAfter: instant(notAfter), renewAt: instant(renewAt) },
  });
  for (const warning of issued.warnings)
    ports.report({ event: 'warning', text: `The server warns: ${warning}` });
}

/** An operator may have asked for a renewal before its time; never is it put off. */
function hurried(current: Current, answer: Record<string, unknown>, random: number): Current {
  const renewAfter = dateIn(answer['renewAfter']);
  if (renewAfter === null) return current;
  const [notBefore, notAfter] = [new Date(current.notBefore), new Date(current.notAfter)];
  const renewAt = renewalMoment(renewAfter, notBefore, notAfter, random).toISOString();
  return renewAt < current.renewAt ? { ...current, renewAt } : current;
}

function bundleIdOfState({ bundle }: AgentState): { bundleId?: string } {
  return bundle === null ? {} : { bundleId: bundle.id };
}

function without({ retries }: AgentState, concern: Concern): AgentState['retries'] {
  const { [concern]: _, ...others } = retries;
  return others;
}

/** To the whole second, as the server writes its instants. */
function instant(at: Date | string): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
