import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ClusterGate,
  GATES,
  gateOf,
  isPassable,
  judgeMove,
} from '../../../shared/domain/cluster-gate.ts';

const gate = (state: ClusterGate['state'], epoch: number): ClusterGate => ({
  v: 1,
  cluster: 'alpha',
  slot: 0,
  state,
  epoch,
});

describe('a gate of a cluster', () => {
  it('is the same for a name in any case, and names are spread over all of them', () => {
    assert.equal(gateOf('KMS'), gateOf('kms'));
    const names = Array.from({ length: 200 }, (_, i) => `kubelet-n${i}`);
    assert.equal(new Set(names.map(gateOf)).size, GATES);
  });

  it('is passed while it is open, by whoever means its epoch or none', () => {
    assert.ok(isPassable(null, 1));
    assert.ok(isPassable(gate('Open', 2), 2));
    assert.ok(isPassable(gate('Open', 2), null));
    assert.equal(isPassable(gate('Open', 2), 1), false);
    assert.equal(isPassable(gate('Closed', 2), 2), false);
    assert.equal(isPassable(gate('Closed', 2), null), false);
  });

  it('moves for its own epoch and later ones, and is never opened again for one that closed it', () => {
    assert.equal(judgeMove(null, 'Open', 1), 'move');
    assert.equal(judgeMove(gate('Closed', 1), 'Open', 2), 'move');
    assert.equal(judgeMove(gate('Open', 2), 'Open', 2), 'keep');
    assert.equal(judgeMove(gate('Open', 2), 'Closed', 2), 'move');
    assert.equal(judgeMove(gate('Closed', 2), 'Closed', 2), 'keep');
    assert.equal(judgeMove(gate('Closed', 2), 'Open', 2), 'refuse');
    assert.equal(judgeMove(gate('Open', 3), 'Closed', 2), 'refuse');
    assert.equal(judgeMove(gate('Closed', 3), 'Open', 2), 'refuse');
  });
});
