/** The crash matrix of what agents ask for: see 13-crash-matrix.test.ts. */
import {
  acknowledgementScene,
  firstUseScene,
  forkScene,
  promotionScene,
  proofScene,
  recoveryScene,
  replacementScene,
  tokenByProofScene,
  unlockScene,
  vaultLoginScene,
} from '../support/crash-agents.ts';
import { crashMatrix, type Step } from '../support/crash-matrix.ts';

const USED: Step = ['record: the head was used', 'identities.commit'];

const RENEWAL_STEPS: readonly Step[] = [
  ['4 owner of the key', 'identities.claimKey'],
  ['1 record: attempt', 'identities.commit'],
  ['2 owner of the serial number', 'identities.claimSerial'],
  ['5 authority vault: sign', 'signer.sign'],
  ['6 + 8 record: certificate, line', 'identities.commit'],
];

crashMatrix([
  { title: 'renewal with proof', steps: [USED, ...RENEWAL_STEPS], prepare: proofScene },
  { title: 'renewal with another key', steps: [USED, ...RENEWAL_STEPS], prepare: replacementScene },
  {
    title: 'renewal by a successor',
    steps: [['record: the new head', 'identities.commit'], ...RENEWAL_STEPS],
    prepare: promotionScene,
  },
  { title: 'recovery', steps: [USED, ...RENEWAL_STEPS], prepare: recoveryScene },
  {
    title: 'first use of a successor',
    steps: [['record: the new head', 'identities.commit']],
    prepare: firstUseScene,
  },
  { title: 'a fork', steps: [['record: locked', 'identities.commit']], prepare: forkScene },
  { title: 'an unlocking', steps: [['record: unlocked', 'identities.commit']], prepare: unlockScene },
  {
    title: 'a token by proof',
    steps: [USED, ['record: successor', 'identities.commit']],
    prepare: tokenByProofScene,
  },
  {
    title: 'an acknowledgement',
    steps: [['record: the bundle', 'identities.commit']],
    prepare: acknowledgementScene,
  },
  {
    title: 'login without a request',
    steps: [['record: the token was used', 'identities.commit']],
    prepare: vaultLoginScene,
  },
]);
