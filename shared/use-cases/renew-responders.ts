import { type Authority, isFinished } from '../domain/authority.ts';
import { addMs } from '../domain/instants.ts';
import { vaultResponderName } from '../domain/names.ts';
import { needsResponder, type Responder, type ResponderCertificate } from '../domain/responder.ts';
import type { Deps, Run } from './deps.ts';
import { ensureResponder } from './ensure-responder.ts';
import { Failures } from './failures.ts';
import { ANSWER_VALIDITY_MS } from './kept-answers.ts';
import { updateResponder } from './update-responder.ts';
import { withLease } from './with-lease.ts';

/** A run that was killed holds its lease no longer than this; the next tick is an hour away. */
const LEASE_SECONDS = 600;

export interface ResponderOutcome {
  /** Authorities that have a new responder. */
  readonly renewed: readonly string[];
  /** Answers that were removed because they had ended. */
  readonly removed: number;
}

/**
 * Gives every authority that is trusted an OCSP responder, and a new one before that ends; removes the answers that have
 * ended. A responder whose key somebody has disabled or deleted in the vault counts as ended. An authority whose responder
 * cannot be made stops no other one's.
 * @returns null when another run holds the lease
 * @throws EverleafError the first failure, after everything else had its turn
 */
export async function renewResponders(deps: Deps, run: Run): Promise<ResponderOutcome | null> {
  const lease = {
    name: 'renew-responders',
    seconds: LEASE_SECONDS,
    busy: 'Another run renews the OCSP responders',
  };
  return withLease(deps, run, lease, async () => {
    const failures = new Failures(run);
    const renewed: string[] = [];
    for (const authority of await deps.fleet.authorities()) {
      if (!isFinished(authority) || !needsResponder(authority, deps.clock.now())) continue;
      await failures.attempt(`renew the OCSP responder of authority ${authority.id}`, async () => {
        await forgetLostKeys(deps, run, authority.id);
        if ((await ensureResponder(deps, run, authority)).isNew) renewed.push(authority.id);
      });
    }
    // Windows are half as long, so these are over by every instance's clock.
    const removed = await deps.ocsp.removeAnswersBefore(addMs(deps.clock.now(), -ANSWER_VALIDITY_MS));
    failures.throwAs(
      `${failures.count} OCSP responders could not be renewed; the log names each. The next run tries again.`,
    );
    return { renewed, removed };
  });
}

/** A key that is disabled or deleted signs no answer: its certificate makes way for another at once. */
async function forgetLostKeys(deps: Deps, run: Run, authorityId: string): Promise<void> {
  if ((await deps.ocsp.responder(authorityId)) === null) return;
  const usable = await deps.authorityVault.enabledVersions(vaultResponderName(authorityId));
  const isUsable = ({ keyId }: ResponderCertificate) =>
    usable.some((version) => keyId.endsWith(`/${version}`));
  await updateResponder(deps, authorityId, (responder) => {
    const lost = responder.certificates.filter((one) => !isUsable(one));
    if (lost.length === 0) return responder;
    const numbers = lost.map(({ serialNumber }) => serialNumber).join(', ');
    run.log.write(
      'warn',
      `The key of OCSP responder ${numbers} is out of use in the vault; another is made.`,
    );
    return { ...responder, certificates: responder.certificates.filter(isUsable) };
  });
}

/** The authorities that need a responder, and what there is of it. */
export async function readResponders(
  deps: Pick<Deps, 'fleet' | 'ocsp'>,
  now: Date,
): Promise<readonly { readonly authority: Authority; readonly responder: Responder | null }[]> {
  const authorities = await deps.fleet.authorities();
  const asked = authorities.filter((authority) => needsResponder(authority, now));
  return Promise.all(
    asked.map(async (authority) => ({
      authority,
      responder: (await deps.ocsp.responder(authority.id))?.value ?? null,
    })),
  );
}
