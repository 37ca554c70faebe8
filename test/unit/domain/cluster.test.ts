import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Cluster,
  type ClusterSpec,
  checkClusterSpec,
  checkedVaultUrl,
  checkRoom,
  isSameSpec,
  isUpdateOverdue,
  kubeletName,
  MOST_IDENTITIES,
  MOST_NODES,
  planReminder,
  reminderDueAt,
  workloadClients,
} from '../../../shared/domain/cluster.ts';
import { isIdentityName } from '../../../shared/domain/names.ts';
import { after, ISSUED_AT } from '../../support/build-identity.ts';

const SPEC: ClusterSpec = { name: 'alpha', nodes: ['n1', 'n2'], delivery: 'vault', vaultUrl: null };
const CLUSTER: Cluster = {
  v: 1,
  ...SPEC,
  kind: 'workload',
  state: 'Active',
  createdAt: ISSUED_AT,
  updatedAt: ISSUED_AT,
  remindedAt: null,
  createdBy: 'operator',
  operationId: null,
  creationId: null,
  epoch: 1,
  deliveredBundleId: null,
  revision: 1,
};

const pointer = (pointer: string) => ({ code: 'InvalidInput', details: { pointer } });

describe('a cluster that is asked for', () => {
  it('has a name that can be carried everywhere', () => {
    for (const name of ['', 'Alpha', 'a--b', '-a', 'a'.repeat(33), 'a.b', 'a/b', '_fleet']) {
      assert.throws(() => checkClusterSpec({ name, nodes: [] }), pointer('/name'), name);
    }
    checkClusterSpec({ name: 'alpha-1', nodes: [] });
  });

  it('has nodes whose kubelets have names of identities', () => {
    const longest = 'n'.repeat(55);
    checkClusterSpec({ name: 'a', nodes: [longest, 'node.one', 'Node-2'] });
    assert.ok(isIdentityName(kubeletName(longest)));
    for (const node of ['', 'n'.repeat(56), 'a b', 'a--b', '.a', 'a/b', 'ä']) {
      assert.throws(() => checkClusterSpec({ name: 'a', nodes: ['fine', node] }), pointer('/nodes/1'), node);
    }
  });

  it('has no two nodes that differ in case at most, and 500 of them at most', () => {
    assert.throws(() => checkClusterSpec({ name: 'a', nodes: ['n1', 'N1'] }), pointer('/nodes/1'));
    const nodes = Array.from({ length: MOST_NODES + 1 }, (_, i) => `n${i}`);
    checkClusterSpec({ name: 'a', nodes: nodes.slice(1) });
    assert.throws(() => checkClusterSpec({ name: 'a', nodes }), pointer('/nodes'));
  });

  it('is the same whatever the order of its nodes, and another with any other wish', () => {
    assert.ok(isSameSpec(SPEC, { ...SPEC, nodes: ['n2', 'n1'] }));
    for (const other of [
      { name: 'beta' },
      { nodes: ['n1'] },
      { delivery: 'agent' as const },
      { vaultUrl: 'https://own.vault.azure.net' },
    ]) {
      assert.equal(isSameSpec(SPEC, { ...SPEC, ...other }), false);
    }
  });

  it('gets the default clients: four for the cloud, delivered as asked, and a kubelet per node', () => {
    const clients = workloadClients({ nodes: ['n1'], delivery: 'vault' });
    assert.deepEqual(
      clients.map(({ name, clientType, delivery, credentials }) =>
        [name, clientType, delivery, credentials].join(' '),
      ),
      [
        'KMS ExternalClient vault cloud',
        'CSI ExternalClient vault cloud',
        'CertManager ExternalClient vault cloud',
        'CloudProvider ExternalClient vault cloud',
        'kubelet-n1 Node agent kubelet',
      ],
    );
    const agents = workloadClients({ nodes: ['n1'], delivery: 'agent' });
    assert.ok(agents.every(({ delivery }) => delivery === 'agent'));
  });
});

describe("a cluster's own vault", () => {
  const azure = {
    clientVaultUrl: 'https://clients.vault.azure.net',
    authorityVaultUrl: 'https://authority.vault.azure.net',
  };
  const local = { clientVaultUrl: 'http://127.0.0.1:7101', authorityVaultUrl: 'http://127.0.0.1:7100' };

  it('is a Key Vault, written in one way', () => {
    for (const url of ['https://own-vault.vault.azure.net', 'https://OWN-vault.vault.azure.net/']) {
      assert.equal(checkedVaultUrl(url, azure), 'https://own-vault.vault.azure.net');
    }
  });

  it('is no other address: the access token goes there', () => {
    for (const url of [
      '',
      'own',
      'http://own.vault.azure.net',
      'https://own.vault.azure.net.evil.example',
      'https://own.vault.azure.net:8443',
      'https://own.vault.azure.net/path',
      'https://own.vault.azure.net?x',
      'https://user@own.vault.azure.net',
      'https://evil.example/.vault.azure.net',
      'https://evil.example#.vault.azure.net',
      'https://a.b.vault.azure.net',
      'https://-own.vault.azure.net',
      'https://ow--n.vault.azure.net',
      'https://ab.vault.azure.net',
      `https://${'a'.repeat(25)}.vault.azure.net`,
      'https://169.254.169.254/metadata',
      'http://127.0.0.1:7101',
    ]) {
      assert.throws(() => checkedVaultUrl(url, azure), pointer('/vaultUrl'), url);
    }
  });

  it('is on this machine where the deployment is, and nowhere else', () => {
    assert.equal(checkedVaultUrl('http://127.0.0.1:7105/', local), 'http://127.0.0.1:7105');
    assert.equal(checkedVaultUrl('http://localhost:7105', local), 'http://localhost:7105');
    assert.throws(() => checkedVaultUrl('http://127.0.0.1.evil.example', local), pointer('/vaultUrl'));
  });

  it('is not the authority vault, which no client may read', () => {
    assert.throws(() => checkedVaultUrl(azure.authorityVaultUrl, azure), pointer('/vaultUrl'));
    assert.throws(() => checkedVaultUrl(`${local.authorityVaultUrl}/`, local), pointer('/vaultUrl'));
  });

  it('is not the authority vault under another spelling', () => {
    const spelled = { ...azure, authorityVaultUrl: 'https://AUTHORITY.vault.azure.net:443/' };
    for (const url of [azure.authorityVaultUrl, 'https://Authority.vault.azure.net:443']) {
      assert.throws(() => checkedVaultUrl(url, spelled), pointer('/vaultUrl'), url);
      assert.throws(() => checkedVaultUrl(url, azure), pointer('/vaultUrl'), url);
    }
    for (const url of ['http://localhost:7100', 'http://[::1]:7100', 'HTTP://LOCALHOST:7100/']) {
      assert.throws(() => checkedVaultUrl(url, local), pointer('/vaultUrl'), url);
    }
    assert.throws(() => checkedVaultUrl('http://127.0.0.1:99999', local), pointer('/vaultUrl'));
  });
});

describe('the reminder of an update', () => {
  it('is due so many days after the last update, to the moment', () => {
    assert.deepEqual(reminderDueAt(CLUSTER, 60), after(60));
    assert.equal(isUpdateOverdue(CLUSTER, 60, after(60, -1)), false);
    assert.equal(isUpdateOverdue(CLUSTER, 60, after(60)), true);
  });

  it('is due again as many days after each reminder, while the cluster stays overdue', () => {
    const reminded = { ...CLUSTER, remindedAt: after(60) };
    assert.deepEqual(reminderDueAt(reminded, 60), after(120));
    assert.equal(isUpdateOverdue(reminded, 60, after(61)), true);
  });

  it('is for clusters that are active alone', () => {
    for (const state of ['Creating', 'Deleting', 'Deleted'] as const) {
      assert.equal(isUpdateOverdue({ ...CLUSTER, state }, 60, after(90)), false);
    }
  });

  it('stands in the plan once it is due', () => {
    assert.equal(planReminder(CLUSTER, 60, after(59)), null);
    const entry = planReminder(CLUSTER, 60, after(60));
    assert.deepEqual(entry?.target, { cluster: 'alpha', name: '' });
    assert.equal(`${entry?.kind} ${entry?.action} ${entry?.reason}`, 'reminder remind Overdue');
    assert.deepEqual(entry?.dueAt, after(60));
    assert.match(entry?.text ?? '', /cluster alpha: it was last updated at 2026-11-21T00:00:00Z/);
  });
});

describe('the room of a cluster', () => {
  it('ends where its operations would no longer fit into one transaction', () => {
    checkRoom('alpha', MOST_IDENTITIES - 1);
    assert.throws(() => checkRoom('alpha', MOST_IDENTITIES), { code: 'InvalidInput' });
  });
});
