import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ClientType,
  isCutOverPending,
  isServer,
  MANAGEMENT_CLIENTS,
} from '../../../shared/domain/identity.ts';
import { checkIdentityId, MANAGEMENT_CLUSTER, vaultCertificateName } from '../../../shared/domain/names.ts';
import { buildIdentity } from '../../support/build-identity.ts';

const namesOf = (delivery: 'vault' | 'agent') =>
  MANAGEMENT_CLIENTS.filter((client) => client.delivery === delivery).map(({ name }) => name);

describe('the clients of the management cluster', () => {
  it('are those that the cloud agent’s own repair renews, the admin, and the cloud agent itself', () => {
    const external = ['KVA', 'KMS', 'CloudOperator', 'CSI', 'CertManager', 'CAPH', 'CloudProvider'];
    assert.deepEqual(namesOf('vault'), [...external, 'CloudAgent']);
    assert.deepEqual(namesOf('agent'), ['NodeAgent', 'Mocctl']);
  });

  it('have the type that decides what each may do', () => {
    const types = Object.fromEntries(MANAGEMENT_CLIENTS.map(({ name, clientType }) => [name, clientType]));
    assert.equal(types['KMS'], 'ExternalClient');
    assert.equal(types['NodeAgent'], 'Node');
    assert.equal(types['Mocctl'], 'Admin');
    assert.equal(types['CloudAgent'], 'Host');
  });

  it('have names that pass the door, differ without regard to case, and hold no dot that a vault refuses', () => {
    const inVault = MANAGEMENT_CLIENTS.map(({ name }) => {
      const id = { cluster: MANAGEMENT_CLUSTER, name };
      checkIdentityId(id);
      return vaultCertificateName(id);
    });
    assert.equal(new Set(inVault).size, MANAGEMENT_CLIENTS.length);
    for (const name of inVault) assert.match(name, /^[0-9a-z-]{1,127}$/);
  });
});

describe('the type of a client', () => {
  it('says who may serve TLS: nodes, hosts and load balancers', () => {
    const types: ClientType[] = [
      ...(['Admin', 'BareMetal', 'ControlPlane', 'ExternalClient'] as const),
      ...(['LoadBalancer', 'Node', 'Host'] as const),
    ];
    assert.deepEqual(types.filter(isServer), ['LoadBalancer', 'Node', 'Host']);
  });
});

describe('a cut-over', () => {
  const isPending = (floorGeneration: number, handoverGeneration: number, usedGeneration: number) =>
    isCutOverPending({ ...buildIdentity().token, floorGeneration, handoverGeneration, usedGeneration });

  it('is pending from then on until a token that it left was used', () => {
    assert.ok(isPending(3, 3, 2));
    assert.ok(isPending(3, 4, 2), 'the operator asked for another one meanwhile');
    assert.ok(isPending(1, 1, -1), 'no token was ever used');
    assert.equal(isPending(3, 3, 3), false);
    assert.equal(isPending(3, 3, 4), false);
  });

  it('is not what an identity begins with, nor an operator’s rotation without one', () => {
    assert.equal(isPending(0, -1, -1), false);
    assert.equal(isPending(0, 0, -1), false);
    assert.equal(isPending(0, 5, 4), false);
    assert.equal(isPending(6, 4, 4), false, 'made again');
  });
});
