/** The crash matrix of an authority's life: see 13-crash-matrix.test.ts. */
import {
  activationScene,
  cancellationScene,
  deliveryScene,
  preparationScene,
  publicationScene,
  retirementScene,
  revocationOfAuthorityScene,
  taintScene,
} from '../support/crash-authorities.ts';
import { crashMatrix, type Step } from '../support/crash-matrix.ts';

const DELIVERED: readonly Step[] = [
  ['client vault: the bundle', 'clientSecrets.write'],
  ['record: bundle delivered', 'fleet.replaceDeployment'],
];
const COUNTED: readonly Step[] = [
  ['record: count of the one', 'fleet.putCensus'],
  ['record: count of the other', 'fleet.putCensus'],
];
const RESPONDER: readonly Step[] = [
  ['record: responder, attempt', 'ocsp.insertResponder'],
  ['owner of its serial number', 'identities.claimSerial'],
  ['vault: key of the responder', 'authorityVault.request'],
  ['record: hash of that key', 'ocsp.replaceResponder'],
  ['vault: sign', 'signer.sign'],
  ['record: certificate of the responder', 'ocsp.replaceResponder'],
  ['vault: merge of that', 'authorityVault.merge'],
  ['event: responder', 'identities.commit'],
  ['record: responder in force', 'ocsp.replaceResponder'],
  ['ended answers removed', 'ocsp.removeAnswersBefore'],
];
const LAST_LIST: readonly Step[] = [
  ['row: number of its last list', 'crl.replaceState'],
  ['vault: sign', 'signer.sign'],
  ['file: the list', 'crlFiles.put'],
  ['event: list published', 'identities.commit'],
  ['row: the list that is served', 'crl.replaceState'],
];
const OUT_OF_USE: readonly Step[] = [
  ['vault: what waits', 'authorityVault.discardPending'],
  ['vault: key disabled', 'authorityVault.disable'],
  ['record: key disabled', 'fleet.replaceAuthority'],
];

crashMatrix([
  {
    title: 'an authority is prepared',
    steps: [
      ['record: its id', 'fleet.replaceDeployment'],
      ['record: attempt', 'fleet.insertAuthority'],
      ['owner of the serial number', 'identities.claimSerial'],
      ['vault: self-signed, for the key', 'authorityVault.createSelfSigned'],
      ['vault: sign', 'signer.sign'],
      ['record: the certificate', 'fleet.replaceAuthority'],
      ['record: cross certificate, attempt', 'fleet.replaceAuthority'],
      ['owner of its serial number', 'identities.claimSerial'],
      ['vault: the one before signs it', 'signer.sign'],
      ['record: the cross certificate', 'fleet.replaceAuthority'],
      ['vault: request with the same key', 'authorityVault.request'],
      ['vault: merge', 'authorityVault.merge'],
      ['vault: self-signed disabled', 'authorityVault.disable'],
      ['event: prepared', 'identities.commit'],
      ['record: prepared', 'fleet.replaceAuthority'],
    ],
    prepare: preparationScene,
  },
  {
    title: 'one is published, and nobody must know it',
    steps: [
      ['event: published', 'identities.commit'],
      ['record: published', 'fleet.commit'],
      ...COUNTED,
      ['event: activated', 'identities.commit'],
      ['record: active', 'fleet.commit'],
      ...DELIVERED,
      ...RESPONDER,
    ],
    prepare: publicationScene,
  },
  {
    title: 'an authority signs from now on',
    steps: [...COUNTED, ['event: activated', 'identities.commit'], ['record: active', 'fleet.commit']],
    prepare: activationScene,
  },
  {
    title: 'an authority retires',
    steps: [
      ['event: retired', 'identities.commit'],
      ['record: retired', 'fleet.commit'],
      ...DELIVERED,
      ...LAST_LIST,
      ...OUT_OF_USE,
    ],
    prepare: retirementScene,
  },
  {
    title: 'a successor is given up',
    steps: [
      ['event: cancelled', 'identities.commit'],
      ['record: retired', 'fleet.commit'],
    ],
    prepare: cancellationScene,
  },
  {
    title: 'an authority is tainted',
    steps: [
      ['event: tainted', 'identities.commit'],
      ['record: tainted', 'fleet.commit'],
    ],
    prepare: taintScene,
  },
  {
    title: 'a tainted authority is revoked',
    steps: [
      ...COUNTED,
      ['event: revoked', 'identities.commit'],
      ['record: revoked', 'fleet.commit'],
      ...DELIVERED,
      ...LAST_LIST,
      ...OUT_OF_USE,
    ],
    prepare: revocationOfAuthorityScene,
  },
  { title: 'the bundle is delivered', steps: DELIVERED, prepare: deliveryScene },
]);
