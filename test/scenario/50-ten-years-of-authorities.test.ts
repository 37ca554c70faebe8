/**
 * 50 Authorities follow each other, and nobody notices: agents with all sorts of habits and two verifiers, every handshake
 * at every instant. These are eighteen months of a small fleet, and other ones with EVERLEAF_SEED=2;
 * `npm run soak:authorities` are ten years of five hundred agents.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { opensslAccepts } from '../support/openssl-verify.ts';
import { assertUnnoticed } from '../support/years/assert-unnoticed.ts';
import { liveThrough } from '../support/years/life-of-authorities.ts';
import { openOpensslDirectory } from '../unit/pki/support/openssl.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const { EVERLEAF_SEED = '1' } = process.env;

test('50 through a rollover and the taint of the authority that came to sign no handshake is refused that status had not told of before', async (t) => {
  t.diagnostic(`seed ${EVERLEAF_SEED}`);
  const report = await liveThrough({
    agents: 16,
    days: 560,
    seed: Number(EVERLEAF_SEED),
    scanHours: 48,
    statusDays: 28,
    troubleDays: [60],
    // The second authority has signed for a while, and the first one retires.
    taintDays: [300],
  });
  const { handshakes, certificates, signatures, rollovers, forced, refusals } = report;
  t.diagnostic(
    `${handshakes} looks at handshakes, ${certificates} certificates, ${signatures} signatures, ` +
      `${rollovers} rollovers, ${forced} of them forced, ${refusals.length} refusals, all foretold`,
  );
  assertUnnoticed(report, (shown) => opensslAccepts(openssl, shown));
  assert.equal(rollovers, 3);
  // The one that turns deaf on day 60 has not acknowledged the second authority, and knows the later ones.
  assert.equal(forced, 1);
});
