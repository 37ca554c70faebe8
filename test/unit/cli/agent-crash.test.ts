/** The agent is killed at every single step of what it does, and comes right at its next run. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { type FileSystem, realFiles } from '../../../cli/agent/files.ts';
import type { Send } from '../../../cli/agent/http.ts';
import { parseLoginFile } from '../../../cli/agent/login-file.ts';
import { AgentWorld } from '../../support/agent-world.ts';

class Killed extends Error {}

/** How a step ends that is the last: nothing of it happened, all of it, or, for a write, half. */
type Moment = 'before' | 'after' | 'torn';

/** Files and network of an agent that dies at step `last`. Reading changes nothing and does not count. */
function dyingAt(world: AgentWorld, last: number, moment: Moment) {
  const steps: string[] = [];
  async function step<T>(name: string, act: () => Promise<T>, tear = act): Promise<T> {
    steps.push(name);
    if (steps.length < last) return act();
    // Whoever is dead does nothing more, whatever catches the error.
    if (steps.length > last || moment === 'before') throw new Killed();
    await (moment === 'torn' ? tear() : act());
    throw new Killed();
  }
  const files: FileSystem = {
    read: realFiles.read,
    makeFolder: realFiles.makeFolder,
    write: (path, text) =>
      step(
        'write',
        () => realFiles.write(path, text),
        async () => writeFileSync(path, text.slice(0, text.length / 2)),
      ),
    rename: (from, to) => step('rename', () => realFiles.rename(from, to)),
    syncFolder: (path) => step('syncFolder', () => realFiles.syncFolder(path)),
  };
  const send: Send = (request) => step(`send ${request.url}`, () => world.server.send(request));
  return { files, send, steps };
}

/** Whatever happens to the agent, its clients and its operator find whole files that belong together. */
function assertFilesAreWhole(world: AgentWorld): void {
  const { token } = parseLoginFile(readFileSync(world.options.loginFile, 'utf8'));
  assert.ok(world.server.tokens.some(({ text }) => text === token));
  if (!existsSync(world.options.accessFile)) return;
  const fields = JSON.parse(readFileSync(world.options.accessFile, 'utf8'));
  const text = (key: string) => Buffer.from(fields[key], 'base64').toString();
  const certificate = new X509Certificate(text('ClientCertificate'));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(text('ClientKey'))));
}

const STORIES = {
  'the first login': { days: 0, certificates: 1, tokens: 1 },
  'a renewal, a rotation and a check-in at once': { days: 45, certificates: 2, tokens: 2 },
  'a recovery after the certificate’s end': { days: 100, certificates: 2, tokens: 2 },
};

for (const proof of ['jws', 'csr'] as const) {
  describe(`an agent that is killed (${proof})`, () => {
    const worlds: AgentWorld[] = [];
    after(() => {
      for (const world of worlds) world.remove();
    });

    /** An agent just before the story. */
    async function beginning(days: number): Promise<AgentWorld> {
      const world = await AgentWorld.make({ proof });
      worlds.push(world);
      if (days > 0) await world.run();
      world.advance(days);
      return world;
    }

    for (const [title, { days, certificates, tokens }] of Object.entries(STORIES)) {
      it(`comes right after ${title}, whichever step was the last`, async () => {
        const whole = await beginning(days);
        const { steps, ...ports } = dyingAt(whole, Number.POSITIVE_INFINITY, 'before');
        await whole.run(ports);
        assert.ok(steps.length > 10);
        for (const moment of ['before', 'after', 'torn'] as const) {
          for (let last = 1; last <= steps.length; last++) {
            if (moment === 'torn' && steps[last - 1] !== 'write') continue;
            const world = await beginning(days);
            const dying = dyingAt(world, last, moment);
            await world.run(dying).catch((error) => assert.ok(error instanceof Killed));
            assertFilesAreWhole(world);
            // A request without an answer is not sent again at once, but within the minute.
            world.now = new Date(world.now.getTime() + 61_000);
            const { result } = await world.run();
            const where = `killed ${moment} step ${last}, ${steps[last - 1]}`;
            assert.equal(result, 'done', where);
            assertFilesAreWhole(world);
            const { server } = world;
            assert.equal(server.issued.length, certificates, where);
            assert.equal(server.tokens.length, tokens, where);
            assert.equal(server.lines.length, 1, where);
            assert.equal(server.lines[0]?.isLocked, false, where);
            assert.equal(server.acknowledged.at(-1), world.state.bundle?.id, where);
            assert.ok(existsSync(world.options.accessFile), where);
          }
        }
      });
    }

    it('lives on when it loses every second answer', async () => {
      const world = await beginning(0);
      let requests = 0;
      const send: Send = async (request) => {
        const answer = await world.server.send(request);
        if (requests++ % 2 === 0) throw new Error('socket hang up');
        return answer;
      };
      for (let quarter = 0; quarter < 100 * 4; quarter++) {
        await world.run({ send });
        world.advance(1 / 4);
      }
      const { lines, issued } = world.server;
      assert.deepEqual(
        lines.map(({ isLocked }) => isLocked),
        [false],
      );
      // Two of the login, which is the same one for ten minutes only; a renewal is the same one for good.
      assert.equal(issued.length, 4);
      assert.equal(world.token, world.server.tokens.at(-1)?.text);
    });
  });
}
