/** 46 What others do while one run makes the next authority. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authority } from '../../shared/domain/authority.ts';
import { vaultAuthorityName } from '../../shared/domain/names.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { cancelByHand, prepareByHand } from '../../shared/use-cases/manage-authorities.ts';
import { prepareSuccessor } from '../../shared/use-cases/prepare-successor.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { refuseCalls } from '../support/faults.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import { startedWorld } from '../support/operator-actions.ts';

/** `act` happens once, before the first call of that name. */
function before(deps: Deps, name: string, act: () => Promise<unknown>): Deps {
  let isDone = false;
  return interceptPorts(deps, async ({ port, method }, proceed) => {
    if (!isDone && `${port}.${method}` === name) {
      isDone = true;
      await act();
    }
    return proceed();
  });
}

async function successor(deps: Deps): Promise<Authority> {
  return (
    (await deps.fleet.authorities()).find(({ predecessorId }) => predecessorId !== null) ?? assert.fail()
  );
}

for (const call of ['authorityVault.createSelfSigned', 'authorityVault.request']) {
  test(`46 an authority that is given up before ${call} is left without a key that can sign`, async () => {
    const { deps, run } = await startedWorld();
    const slow = before(deps, call, async () => cancelByHand(deps, run, (await successor(deps)).id));
    await assert.rejects(prepareByHand(slow, run), { code: 'Conflict' });
    await rollAuthority(deps, run);
    const { id, state, keyDisabledAt } = await successor(deps);
    assert.equal(state, 'Retired');
    assert.ok(keyDisabledAt);
    assert.deepEqual(await deps.authorityVault.enabledVersions(vaultAuthorityName(id)), []);
  });
}

test('46 the record of an authority tells its certificate’s end, also when two runs follow different policies', async () => {
  const { deps, run } = await startedWorld();
  const longer = { ...deps, policy: { ...deps.policy, authorityValidityDays: 730 } };
  const slow = before(deps, 'signer.sign', () =>
    assert.rejects(
      prepareSuccessor(
        refuseCalls(longer, ({ port }) => port === 'signer'),
        run,
      ),
    ),
  );
  await assert.rejects(prepareByHand(slow, run), { code: 'Conflict' });
  await prepareByHand(longer, run);
  const { certificate, notAfter } = await successor(deps);
  assert.deepEqual(parseCertificate(certificate ?? new Uint8Array()).notAfter, notAfter);
});
