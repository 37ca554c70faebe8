import { cpuUsage } from 'node:process';
import { worldWithRevoked } from '../support/long-list.ts';
import { onlyAuthorityId, publish } from '../support/revocation-lists.ts';
import { type Report, residentMegabytes } from './measure.ts';

const PART = 'crl';

/** What it costs to publish a revocation list: read from the memory twin, built, linted, signed, checked and written. */
export async function benchRevocationLists(report: Report): Promise<void> {
  for (const entries of [50, 5_000, 50_000]) {
    const world = await worldWithRevoked(entries);
    const memory = residentMegabytes();
    const before = cpuUsage();
    await publish(world);
    const { user, system } = cpuUsage(before);
    const published = (await world.deps.crl.state(await onlyAuthorityId(world)))?.value.published;
    report.add({
      ...{ part: PART, what: `a list of ${entries} certificates` },
      ...{ figure: (user + system) / 1000, unit: 'ms', ratio: null },
      note: `CPU; ${published?.size} bytes, ${Math.round(residentMegabytes() - memory)} MB more in memory afterwards`,
    });
  }
}
