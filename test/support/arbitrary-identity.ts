import fc from 'fast-check';
import type { CertificateHead, Failure, Identity } from '../../shared/domain/identity.ts';
import { type HeldCertificate, heldByLines } from '../../shared/domain/identity-status.ts';
import { wholeSecond } from '../../shared/domain/instants.ts';
import { NO_RECOVERY } from '../../shared/domain/offline-budget.ts';
import { after, buildFailure, buildHead, buildIdentity } from './build-identity.ts';
import { buildLine } from './build-line.ts';

/** An identity in any state that the record can hold, its current certificate, and a moment to judge it at. */
export interface Sample {
  readonly identity: Identity;
  /** Vault delivery: the record's own. Agent delivery: that of the line that was given one last. */
  readonly held: HeldCertificate | null;
  readonly now: Date;
}

/** A moment from 100 days before to 400 days after the builders' ISSUED_AT, to the millisecond. */
export const moment: fc.Arbitrary<Date> = fc
  .integer({ min: -100 * 86_400_000, max: 400 * 86_400_000 })
  .map((ms) => new Date(after(0).getTime() + ms));

/** 32 hexadecimal digits: a serial number or a token id. */
export const hexId: fc.Arbitrary<string> = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));

/** Things are issued at whole seconds. */
const issuing = moment.map(wholeSecond);
const validityDays = fc.integer({ min: 1, max: 365 });

const head: fc.Arbitrary<CertificateHead> = fc
  .record({ issuedAt: issuing, days: validityDays, serialNumber: hexId })
  .map(buildHead);

const failure: fc.Arbitrary<Failure> = fc
  .record({
    at: moment,
    attempts: fc.integer({ min: 1, max: 40 }),
    wait: fc.integer({ min: 0, max: 6 * 3_600_000 }),
  })
  .map(({ at, attempts, wait }) => buildFailure(at, { attempts, retryAt: new Date(at.getTime() + wait) }));

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const delivered = fc.record({
  autoRotate: fc.boolean(),
  revokedAt: fc.option(moment, { nil: null, freq: 9 }),
  createdAt: moment,
  tokenExpiryInSeconds: validityDays.map((days) => days * 86_400),
  tokenId: hexId,
  tokenIssuedAt: issuing,
});

const inVault: fc.Arbitrary<Sample> = fc
  .record({
    common: delivered,
    now: moment,
    head: orNull(head),
    version: fc.constantFrom('v7', null),
    queuedAt: orNull(moment),
    certificateFailure: orNull(failure),
    tokenFailure: orNull(failure),
  })
  .map(({ common: { tokenId, tokenIssuedAt, ...common }, ...sample }) => ({
    identity: buildIdentity({
      ...common,
      delivery: 'vault',
      certificate: { head: sample.head, failure: sample.certificateFailure, queuedAt: sample.queuedAt },
      token: {
        id: tokenId,
        issuedAt: tokenIssuedAt,
        vaultVersion: sample.version,
        failure: sample.tokenFailure,
      },
    }),
    held:
      sample.head === null
        ? null
        : { head: sample.head, lockedInstance: null, lockedBeside: null, recovery: NO_RECOVERY },
    now: sample.now,
  }));

const withAgent: fc.Arbitrary<Sample> = fc
  .record({
    common: delivered,
    now: moment,
    head: orNull(head),
    lockedAt: fc.option(moment, { nil: null, freq: 5 }),
    lockedBeside: fc.option(fc.constant(true), { nil: null, freq: 5 }),
    recoveriesUsed: fc.nat({ max: 4 }),
    forcedAt: fc.option(moment, { nil: null, freq: 5 }),
    handoverGeneration: fc.constantFrom(-1, 0, 1),
  })
  .map(({ common: { tokenId, tokenIssuedAt, ...common }, head, now, ...sample }) => ({
    identity: buildIdentity({
      ...common,
      delivery: 'agent',
      lockedInstances: head === null || sample.lockedAt === null ? 0 : 1,
      certificate: { head, forcedAt: sample.forcedAt },
      token: { id: tokenId, issuedAt: tokenIssuedAt, handoverGeneration: sample.handoverGeneration },
    }),
    held:
      head === null
        ? null
        : heldByLines(
            {
              held: buildLine({ head, lockedAt: sample.lockedAt, recoveriesUsed: sample.recoveriesUsed }),
              locked: sample.lockedBeside ? buildLine({ id: '22'.repeat(16), lockedAt: now }) : null,
            },
            { recoveryWindowDays: 30, recoveryBudget: 3 },
            now,
          ),
    now,
  }));

/** Identities of both deliveries. */
export const sample: fc.Arbitrary<Sample> = fc.oneof(inVault, withAgent);
export const vaultSample: fc.Arbitrary<Sample> = inVault;
