/** The crash matrix of compromised authorities: see 13-crash-matrix.test.ts. */
import { crashMatrix, type Step } from '../support/crash-matrix.ts';
import {
  forcedRevocationScene,
  lastSweepScene,
  pauseScene,
  taintScene,
  waveScene,
} from '../support/crash-taint.ts';

const EVENT: Step = ['audit: event', 'identities.commit'];
const STEP: Step = ['record: authority and bundle', 'fleet.commit'];
const TAINT: Step = ['record: taint', 'fleet.replaceAuthority'];

/** What the roll does at the end of each of its runs, and a revocation by hand as well. */
const COUNTED: readonly Step[] = [
  ['record: counts', 'fleet.putCensus'],
  ['record: counts of the other', 'fleet.putCensus'],
];
const DELIVERED: readonly Step[] = [
  ['client vault: bundle', 'clientSecrets.write'],
  ['record: bundle delivered', 'fleet.replaceDeployment'],
];
const ENDED: readonly Step[] = [
  ['record: number of the last list', 'crl.replaceState'],
  ['authority vault: sign', 'signer.sign'],
  ['file: the list', 'crlFiles.put'],
  ['audit: list published', 'identities.commit'],
  ['record: the list that is served', 'crl.replaceState'],
  ['authority vault: nothing pending', 'authorityVault.discardPending'],
  ['authority vault: key disabled', 'authorityVault.disable'],
  ['record: key disabled', 'fleet.replaceAuthority'],
];

crashMatrix([
  {
    title: 'an authority is tainted',
    steps: [
      EVENT,
      STEP,
      ...COUNTED,
      ['record: operation', 'operations.insert'],
      ['queue: operation', 'queue.sendOperation'],
    ],
    prepare: taintScene,
  },
  {
    title: 'a wave of a taint',
    steps: [TAINT, ['record: one is asked', 'identities.commit'], ['record: the other', 'identities.commit']],
    prepare: waveScene,
  },
  {
    title: 'nothing is left of a tainted authority',
    steps: [
      ['record: wave done', 'fleet.replaceAuthority'],
      TAINT,
      ...COUNTED,
      EVENT,
      STEP,
      ...DELIVERED,
      ...ENDED,
    ],
    prepare: lastSweepScene,
  },
  { title: 'a taint is paused and goes on', steps: [EVENT, TAINT, EVENT, TAINT], prepare: pauseScene },
  {
    title: 'an authority is revoked by hand',
    steps: [EVENT, STEP, ...DELIVERED, ['record: ended answers', 'ocsp.removeAnswersBefore'], ...ENDED],
    prepare: forcedRevocationScene,
  },
]);
