import { type ChainHead, type CheckpointClaims, isCheckpointDue } from '../domain/audit-chain.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { toInstant } from '../domain/instants.ts';
import { finishJws, jwsPayload, prepareJws } from '../pki/jws-writer.ts';
import type { Stored } from '../ports/identity-store.ts';
import { ensureAuditSigningKey } from './audit-signing-key.ts';
import type { Deps, Run } from './deps.ts';

/**
 * Sees to it that a chain's head lies under a checkpoint: signed in the vault, written once, then noted in the head. One
 * that was written by a run that died afterwards is found and noted. Does nothing when the last look was not long ago.
 * @returns whether a checkpoint was written
 * @throws EverleafError AuditChainBroken when the checkpoint of this number says something else than the chain
 */
export async function makeCheckpoint(
  deps: Deps,
  run: Run,
  { value, etag }: Stored<ChainHead>,
): Promise<boolean> {
  if (!isCheckpointDue(value, deps.clock.now())) return false;
  const existing = await deps.checkpoints.get(value.chain, value.seq);
  if (existing !== null) await assertAgrees(deps, value, existing);
  const isWritten = existing === null && (await write(deps, run, value));
  const noted = { ...value, checkpointSeq: value.seq, checkpointAt: deps.clock.now() };
  try {
    await deps.audit.replaceHead(noted, etag);
  } catch (error) {
    // Another run has gone on with this chain meanwhile: its head is the next one's to look after.
    if (!isEverleafError(error, 'Conflict')) throw error;
  }
  return isWritten;
}

async function write(deps: Deps, run: Run, head: ChainHead): Promise<boolean> {
  const { chain, seq, hash } = head;
  const { keyId, certificate } = await ensureAuditSigningKey(deps, run);
  const claims: CheckpointClaims = { v: 1, chain, seq, headHash: hash, at: toInstant(deps.clock.now()) };
  const unsigned = prepareJws(canonicalJson({ ...claims }), certificate);
  const input = new TextEncoder().encode(unsigned.signingInput);
  const jws = finishJws(unsigned, certificate, await deps.signer.sign(keyId, 'ES256', input));
  if (jws === null) {
    throw new EverleafError(
      'VaultRefused',
      `The vault's signature by ${keyId} does not verify with its certificate. No checkpoint was written.`,
    );
  }
  if ((await deps.checkpoints.put(chain, seq, jws)) === 'written') return true;
  await assertAgrees(deps, head, (await deps.checkpoints.get(chain, seq)) ?? '');
  return false;
}

/**
 * A checkpoint cannot be changed, so where the two differ it is the chain that was; unless the chain was put back from a
 * backup since, and the checkpoint is of an entry that the backup did not have.
 */
async function assertAgrees(deps: Deps, { chain, seq, hash }: ChainHead, jws: string): Promise<void> {
  if (readClaims(jws)?.headHash === hash || (await isBeforeRestore(deps, jws))) return;
  throw new EverleafError(
    'AuditChainBroken',
    `The audit chain "${chain}" differs from its checkpoint ${seq}: its rows were changed. Run \`npm run verify-audit\`.`,
    { details: { chain, seq } },
  );
}

/**
 * Whether a checkpoint was made before the record was put back from a backup: what it vouches for may be lost then, and the
 * chain goes on without. The verifier tells of it all the same.
 */
export async function isBeforeRestore(deps: Pick<Deps, 'fleet'>, jws: string): Promise<boolean> {
  const restoredAt = (await deps.fleet.deployment())?.value.restoredAt ?? null;
  const madeAt = Date.parse(readClaims(jws)?.at ?? '');
  return restoredAt !== null && madeAt <= restoredAt.getTime();
}

function readClaims(jws: string): Partial<CheckpointClaims> | null {
  try {
    return JSON.parse(jwsPayload(jws) ?? '') as Partial<CheckpointClaims>;
  } catch {
    return null;
  }
}
