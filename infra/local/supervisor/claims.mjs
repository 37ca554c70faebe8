/**
 * Who works in a directory: one empty file per process, named `<role>.<pid>.<start>`. Plain JavaScript, because
 * run.mjs needs it before anything is installed.
 *
 * A name is never used twice (a recycled pid has another start), so anybody may sweep away a dead process's claim and
 * nobody has to steal a lock from another. Exclusion rests on the order alone: write your claim, then look. Of two
 * processes that do so at once, the later writer sees the earlier one; whoever sees another takes its own claim
 * back and tries again, so that never two believe to be alone.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const hasProc = processStart(process.pid, true) !== null;

/**
 * When a process began, as the kernel counts (field 22 of /proc/<pid>/stat, see proc_pid_stat(5)), or null when there
 * is no such process any more. A zombie counts as gone: it runs nothing, however long nobody reaps it. Where there
 * is no /proc only the pid can be looked at, and 'x' stands for an unknown start.
 */
function processStart(pid, procOnly = false) {
  if (procOnly || hasProc) {
    let stat;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      return null;
    }
    // The second field is the command in parentheses and may hold anything, so count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  }
  try {
    process.kill(pid, 0);
    return 'x';
  } catch (error) {
    return error.code === 'EPERM' ? 'x' : null;
  }
}

function read(directory) {
  const claims = [];
  for (const file of readdirSync(directory)) {
    const match = /^([a-z-]+)\.(\d+)\.(\w+)$/.exec(file);
    if (match === null) continue;
    const [, role, pid, start] = match;
    if (processStart(Number(pid)) === start) claims.push({ role, pid: Number(pid), file });
    else rmSync(join(directory, file), { force: true });
  }
  return claims;
}

/** The living processes that hold a claim in `directory`; none when it does not exist. */
export function liveClaims(directory) {
  try {
    return read(directory).map(({ role, pid }) => ({ role, pid }));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Writes a claim for a process that belongs to the run, for example a child just started.
 * @returns a function that takes the claim back; a process that is gone already gets none.
 */
export function addClaim(directory, role, pid) {
  const start = processStart(pid);
  if (start === null) return () => undefined;
  const path = join(directory, `${role}.${pid}.${start}`);
  writeFileSync(path, '', { mode: 0o600 });
  return () => rmSync(path, { force: true });
}

/** "supervisor (pid 12), storage (pid 15)" */
export function describeClaims(claims) {
  return claims.map(({ role, pid }) => `${role} (pid ${pid})`).join(', ');
}

/**
 * Waits until no other living process has a claim in `directory` and takes one for this process. Claims tell
 * processes apart, not two callers in one process.
 * @param directory is created (0700) when missing
 * @param options waitMs: real milliseconds to wait at most; onWait: called once with the holders when there are any;
 * signal: ends the waiting
 * @returns a function that gives the directory back
 * @throws Error with `holders` when others still hold it after waitMs; AbortError when the signal ended the waiting
 */
export async function acquireDirectory(directory, role, { waitMs, onWait, signal }) {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const others = () => read(directory).filter(({ pid }) => pid !== process.pid);
  const begun = performance.now();
  let told = false;
  for (;;) {
    let holders = others();
    if (holders.length === 0) {
      const release = addClaim(directory, role, process.pid);
      holders = others();
      if (holders.length === 0) return release;
      release();
    }
    if (performance.now() - begun >= waitMs) {
      const message = `${directory} is still held by ${describeClaims(holders)} after ${waitMs / 1000} s.`;
      throw Object.assign(new Error(message), { holders });
    }
    if (!told) onWait?.(holders);
    told = true;
    // By chance, so that two that met do not meet again.
    await delay(30 + Math.random() * 100, undefined, { signal });
  }
}
