import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import type { FinishedAuthority } from '../domain/authority.ts';
import {
  type CrlLine,
  type CrlState,
  crlValidity,
  isCrlDue,
  isOfBefore,
  type PublishedCrl,
} from '../domain/crl.ts';
import { isSameBytes, toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { toInstant } from '../domain/instants.ts';
import type { Stored } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { signCrl } from './sign-crl.ts';

/**
 * Publishes an authority's list under the number that was taken for it: signed, written as a file, told in the audit log,
 * and then, in one step, the list that is served. A kill before that step leaves a file that nobody asks for.
 * @param state as it was when the number was taken
 * @param lines what the list says, by serial number
 * @param crossLines the cross certificates among them
 * @param restoredAt when the record was restored from a backup
 * @returns false when the list that is served says the same and is not due
 * @throws EverleafError Conflict when somebody has taken a later number since: that list says all that this one would
 */
export async function publishList(
  deps: Deps,
  run: Run,
  authority: FinishedAuthority,
  state: Stored<CrlState>,
  lines: readonly CrlLine[],
  crossLines: readonly CrlLine[],
  restoredAt: Date | null,
): Promise<boolean> {
  const { id } = authority;
  const { lastNumber: number, published: before } = state.value;
  const now = deps.clock.now();
  const numbers = await deps.crlFiles.numbers(id);
  const contentHash = hashOf(deps, lines);
  const isServed =
    before !== null &&
    before.contentHash === contentHash &&
    numbers.includes(before.number) &&
    !isOfBefore(before, restoredAt);
  if (isServed && !isCrlDue(authority, before, [], deps.policy.crlValidityHours, now)) return false;
  const validity = crlValidity(authority, deps.policy.crlValidityHours, now);
  const der = await signCrl(deps, authority, number, validity, lines);
  await writeFile(deps, id, number, der);
  const published: PublishedCrl = {
    number,
    ...validity,
    entries: lines.length,
    sha256: toHex(deps.digest.sha256(der)),
    size: der.length,
    contentHash,
    crossSerialNumbers: crossLines.map(({ serialNumber }) => serialNumber),
  };
  const nextUpdate = toInstant(validity.nextUpdate);
  await deps.identities.commit(FLEET_CHAIN, [
    eventChange(deps, run, 'crl-published', FLEET, {
      authorityId: id,
      details: { number, entries: lines.length, nextUpdate },
    }),
  ]);
  await deps.crl.replaceState({ ...state.value, published }, state.etag);
  run.log.write('info', `Published revocation list ${number} of authority ${id}.`, {
    entries: lines.length,
    bytes: der.length,
    nextUpdate,
  });
  // The one before stays for whoever has read its number just now.
  const old = numbers.filter((each) => each < number && each !== before?.number);
  for (const each of old) await deps.crlFiles.remove(id, each);
  return true;
}

/** A number is one run's alone, so what is there under it was written by a try of this one whose answer was lost. */
async function writeFile(deps: Pick<Deps, 'crlFiles'>, id: string, number: number, der: Uint8Array) {
  if ((await deps.crlFiles.put(id, number, der)) === 'written') return;
  const there = await deps.crlFiles.get(id, number);
  if (there !== null && isSameBytes(there, der)) return;
  throw new EverleafError('Conflict', `There is another revocation list ${number} of authority ${id}.`, {
    retryable: true,
  });
}

/** Lines that are hashed at once, so that a long list makes no text of its own length. */
const PIECE = 1_000;

function hashOf({ digest }: Pick<Deps, 'digest'>, lines: readonly CrlLine[]): string {
  const encoder = new TextEncoder();
  let hash = '';
  for (let at = 0; at < lines.length; at += PIECE) {
    const texts = lines
      .slice(at, at + PIECE)
      .map(({ serialNumber, revokedAt, reason, invalidityDate }) =>
        [serialNumber, revokedAt.getTime(), reason, invalidityDate?.getTime() ?? ''].join(' '),
      );
    hash = toHex(digest.sha256(encoder.encode([hash, ...texts].join('\n'))));
  }
  return hash;
}
