import type { AuditStore } from '../ports/audit-store.ts';
import type { FleetStore } from '../ports/fleet-store.ts';
import type { OcspStore } from '../ports/ocsp-store.ts';

const KEYS = '/keys/';

/**
 * A restored key keeps its name and version, and its id begins with the address of the vault that it is in now: the record
 * is told so. Safe to repeat.
 * @returns how many were moved
 * @throws EverleafError as FleetStore, OcspStore and AuditStore
 */
export async function moveKeyIds({
  fleet,
  ocsp,
  audit,
  authorityVaultUrl,
}: {
  readonly fleet: FleetStore;
  readonly ocsp: OcspStore;
  readonly audit: AuditStore;
  readonly authorityVaultUrl: string;
}): Promise<number> {
  let moved = 0;
  for (const { id } of await fleet.authorities()) {
    moved += await moveResponder(ocsp, authorityVaultUrl, id);
    const stored = await fleet.authority(id);
    if (stored === null || stored.value.keyId === null) continue;
    const keyId = keyIdIn(authorityVaultUrl, stored.value.keyId);
    if (keyId === stored.value.keyId) continue;
    await fleet.replaceAuthority({ ...stored.value, keyId }, stored.etag);
    moved += 1;
  }
  const signing = await audit.signingKey();
  if (signing === null) return moved;
  const keyId = keyIdIn(authorityVaultUrl, signing.value.keyId);
  if (keyId === signing.value.keyId) return moved;
  await audit.putSigningKey({ ...signing.value, keyId }, signing.etag);
  return moved + 1;
}

async function moveResponder(ocsp: OcspStore, vaultUrl: string, authorityId: string): Promise<number> {
  const stored = await ocsp.responder(authorityId);
  if (stored === null) return 0;
  const before = stored.value.certificates;
  const certificates = before.map((one) => ({ ...one, keyId: keyIdIn(vaultUrl, one.keyId) }));
  const moved = certificates.filter(({ keyId }, i) => keyId !== before[i]?.keyId).length;
  if (moved > 0) await ocsp.replaceResponder({ ...stored.value, certificates }, stored.etag);
  return moved;
}

/** The same key and version, in the vault at this address. */
function keyIdIn(vaultUrl: string, keyId: string): string {
  const at = keyId.indexOf(KEYS);
  return at === -1 ? keyId : `${vaultUrl}${keyId.slice(at)}`;
}
