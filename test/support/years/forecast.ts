import type { Authority } from '../../../shared/domain/authority.ts';
import { identityText } from '../../../shared/domain/names.ts';
import { getStatus } from '../../../shared/use-cases/get-status.ts';
import type { IdentityStatus } from '../../../shared/use-cases/judge-identity.ts';
import type { World } from '../memory-world.ts';
import type { Refusal } from './handshakes.ts';

/** What status told of one identity, and since when it has told the same. */
interface Told {
  readonly since: Date;
  /** When its certificate ends. */
  readonly certificateEndsAt: number | null;
  /** The bundle that it has acknowledged; null for none. */
  readonly bundleId: string | null;
  readonly isBundleCurrent: boolean;
}

/**
 * What operators could know before it happened, by looking at status every now and then: whose certificate would end, and
 * who had not acknowledged the bundle while the authorities of the one that it had acknowledged came to their ends.
 */
export class Forecast {
  readonly #world: World;
  readonly #told = new Map<string, Told[]>();
  #looks = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get looks(): number {
    return this.#looks;
  }

  async look(): Promise<void> {
    const { deps, clock } = this.#world;
    this.#looks += 1;
    for (let cursor: string | null = null; ; ) {
      const status = await getStatus(deps, { cluster: null, state: null, limit: 500, cursor });
      for (const one of status.identities) this.#note(one, clock.now());
      cursor = status.nextCursor;
      if (cursor === null) return;
    }
  }

  #note({ identity, certificate, bundle }: IdentityStatus, now: Date): void {
    const name = identityText(identity);
    const told = this.#told.get(name) ?? [];
    const certificateEndsAt = certificate?.notAfter.getTime() ?? null;
    const { acknowledged: bundleId, current: isBundleCurrent } = bundle;
    const last = told.at(-1);
    const isSame =
      last?.certificateEndsAt === certificateEndsAt &&
      last?.bundleId === bundleId &&
      last?.isBundleCurrent === isBundleCurrent;
    if (!isSame) told.push({ since: now, certificateEndsAt, bundleId, isBundleCurrent });
    this.#told.set(name, told);
  }

  /**
   * Why a refusal was to be expected, as status told before it began; null when nothing did. A certificate may have ended:
   * its owner's. Or the authorities that the refusing side had acknowledged had come to their ends: each retired, or with
   * a certificate that had ended, while status listed that side as one that does not know the present bundle.
   */
  async reasonFor({ shownBy, refusedBy, from }: Refusal): Promise<'certificate' | 'bundle' | null> {
    const shown = this.#toldOf(shownBy, from);
    if (shown?.certificateEndsAt != null && shown.certificateEndsAt <= from.getTime()) return 'certificate';
    const judging = this.#toldOf(refusedBy, from);
    if (judging === null || judging.isBundleCurrent) return null;
    const bundles = await this.#world.deps.fleet.bundles();
    const known = bundles.find(({ id }) => id === judging.bundleId)?.authorityIds ?? [];
    const authorities = await this.#world.deps.fleet.authorities();
    const hasEnded = (one: Authority) =>
      one.notAfter <= from || [one.retiredAt, one.revokedAt].some((at) => at !== null && at <= from);
    return known.every((id) => authorities.some((one) => one.id === id && hasEnded(one))) ? 'bundle' : null;
  }

  #toldOf(name: string, before: Date): Told | null {
    return this.#told.get(name)?.findLast(({ since }) => since < before) ?? null;
  }
}
