/** The crash matrix of what operators ask for: see 13-crash-matrix.test.ts. */
import { KMS, NODE_AGENT } from '../support/agent.ts';
import {
  assignmentEndScene,
  assignmentScene,
  roleChangeScene,
  roleEndScene,
  roleScene,
} from '../support/crash-access.ts';
import { crashMatrix, type Step } from '../support/crash-matrix.ts';
import {
  changeScene,
  cutOverScene,
  endScene,
  identityScene,
  revocationScene,
  rotationScene,
  ruleEndScene,
  ruleScene,
  secondLifeScene,
  vaultRevocationScene,
} from '../support/crash-operators.ts';

const HANDED_OVER: Step = ['record: login file issued', 'identities.commit'];
const REVOKED: Step = ['record: revoked', 'identities.commit'];

crashMatrix([
  {
    title: 'an agent’s token rotated by hand',
    steps: [['record: successor', 'identities.commit'], HANDED_OVER],
    prepare: (world) => rotationScene(world, NODE_AGENT),
  },
  {
    title: 'a vault’s token rotated by hand',
    steps: [['record: successor', 'identities.commit'], HANDED_OVER],
    prepare: (world) => rotationScene(world, KMS),
  },
  {
    title: 'a cut-over',
    steps: [['record: successor, floor', 'identities.commit'], HANDED_OVER],
    prepare: cutOverScene,
  },
  {
    title: 'an identity is made',
    steps: [['record: identity, token', 'identities.commit'], HANDED_OVER],
    prepare: identityScene,
  },
  {
    title: 'an identity is made again',
    steps: [
      ['record: a line is dead', 'identities.commit'],
      ['record: the other line is dead', 'identities.commit'],
      ['rows: its certificates are listed', 'crl.changeListed'],
      ['record: identity, token', 'identities.commit'],
      HANDED_OVER,
    ],
    prepare: secondLifeScene,
  },
  {
    title: 'an identity is changed',
    steps: [['record: settings', 'identities.commit']],
    prepare: changeScene,
  },
  {
    title: 'an identity is deleted',
    steps: [['record: deleted', 'identities.commit']],
    prepare: endScene,
  },
  {
    title: 'an identity is revoked',
    steps: [REVOKED],
    prepare: (world) => revocationScene(world, 'identity'),
  },
  {
    title: 'an instance is revoked',
    steps: [REVOKED],
    prepare: (world) => revocationScene(world, 'instance'),
  },
  {
    title: 'a certificate is revoked',
    steps: [REVOKED],
    prepare: (world) => revocationScene(world, 'certificate'),
  },
  { title: 'a vault’s certificate is revoked', steps: [REVOKED], prepare: vaultRevocationScene },
  { title: 'a rule is made', steps: [['record: rule', 'revocationRules.insert']], prepare: ruleScene },
  {
    title: 'a rule is taken back',
    steps: [['record: rule', 'revocationRules.remove']],
    prepare: ruleEndScene,
  },
  { title: 'a role is made', steps: [['record: role', 'access.commit']], prepare: roleScene },
  { title: 'a role is changed', steps: [['record: role', 'access.commit']], prepare: roleChangeScene },
  { title: 'a role is deleted', steps: [['record: role', 'access.commit']], prepare: roleEndScene },
  { title: 'a role is assigned', steps: [['record: assignment', 'access.commit']], prepare: assignmentScene },
  {
    title: 'an assignment is taken back',
    steps: [['record: assignment', 'access.commit']],
    prepare: assignmentEndScene,
  },
]);
