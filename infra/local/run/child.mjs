/** Running a program as if it were this one: the same terminal, the same signals, the same exit code. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { Refusal } from './refusal.mjs';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_CHECK_MS = 500;

/** The signal that asked this process to end, or null. The running child has got it too. */
let interruption = null;
const children = new Set();
for (const signal of FORWARDED) {
  process.on(signal, () => {
    interruption = signal;
    for (const child of children) child.kill(signal);
  });
}

/**
 * Runs a program and waits for its end.
 * @param options env: replaces the environment; tied: the program gets an IPC channel by which it notices when this process is
 * gone, and is asked to end when npm is gone that started this process
 * @returns its exit code; 128 + the number of the signal that ended it, as shells count
 * @throws Refusal when there is no such program, and when this process was asked to end before
 */
export async function runUntilEnd(program, args, { env = process.env, tied = false, cwd } = {}) {
  if (interruption !== null) throw new Refusal('Interrupted.', 128 + constants.signals[interruption]);
  const child = spawn(program, args, {
    cwd,
    env: withoutNodeSettings(env),
    stdio: tied ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
  });
  children.add(child);
  const watch = tied ? watchParent(() => child.kill('SIGTERM')) : undefined;
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) =>
        reject(error.code === 'ENOENT' ? new Refusal(`There is no program ${program} here.`, 127) : error),
      );
      child.once('close', (code, signal) => {
        if (signal !== null && interruption === null) console.error(`\n${args[0]} was ended by ${signal}.`);
        resolve(code ?? 128 + constants.signals[signal]);
      });
    });
  } finally {
    clearInterval(watch);
    children.delete(child);
  }
}

/**
 * npm can be killed without a word to what it runs, and when it is gone nobody is left to press Ctrl-C. Between npm and this
 * process stands a shell or nothing, as the shell likes, so that its going shows in our parent or in our parent's.
 * Started by hand (`nohup node ... &`) this process may well outlive its parent.
 */
function watchParent(gone) {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  const ancestors = () => `${process.ppid} ${parentOf(process.ppid)}`;
  const before = ancestors();
  return setInterval(() => {
    if (ancestors() !== before) gone();
  }, PARENT_CHECK_MS);
}

/** The parent of a process, from /proc/<pid>/stat, or null where there is no /proc. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  } catch {
    return null;
  }
}

/** What is meant for the machine's own Node, or for a test runner around us, is not meant for what we start. */
function withoutNodeSettings(env) {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...rest } = env;
  return rest;
}
