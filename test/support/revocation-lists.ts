/** The revocation lists of a world in memory, as a verifier reads them. */
import assert from 'node:assert/strict';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { type ParsedCrl, parseCrl, verifyCrl } from '../../shared/pki/crl-reader.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { publishCrl } from '../../shared/use-cases/publish-crl.ts';
import { readAuthorityCertificate, readCrl } from '../../shared/use-cases/read-crl.ts';
import type { World } from './memory-world.ts';

/** The list that is served for an authority; its signature verifies. */
export async function servedList({ deps }: Pick<World, 'deps'>, authorityId: string): Promise<ParsedCrl> {
  const crl = parseCrl(await (await readCrl(deps, authorityId)).read());
  const { spki } = parseCertificate(await readAuthorityCertificate(deps, authorityId));
  assert.ok(verifyCrl(crl, spki), 'the list is signed by its authority');
  return crl;
}

export async function onlyAuthorityId({ deps }: Pick<World, 'deps'>): Promise<string> {
  const [authority] = await deps.fleet.authorities();
  assert.ok(authority !== undefined);
  return authority.id;
}

/** What the first authority's list says: reasons by serial number. */
export async function listedReasons(world: World): Promise<Readonly<Record<string, string>>> {
  const crl = await servedList(world, await onlyAuthorityId(world));
  return Object.fromEntries([...crl.entries()].map(({ serialNumber, reason }) => [serialNumber, reason]));
}

/** The timer, as it would run now. */
export async function publish(world: World, deps: Deps = world.deps): Promise<number> {
  return (await publishCrl(deps, world.run))?.published ?? 0;
}
