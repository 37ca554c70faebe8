import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BackupLine, decodeBackupLine, encodeBackupLine } from '../../../shared/domain/backup-file.ts';

const LINES: readonly BackupLine[] = [
  {
    kind: 'header',
    format: 1,
    createdAt: '2026-11-21T08:00:00Z',
    version: '0.1.0',
    tables: ['record'],
    policy: { certificateValidityDays: 90 },
    site: {},
  },
  { kind: 'partition', table: 'record', partition: '07' },
  { kind: 'row', key: 'i|alpha|kms', v: 7, data: 'any\ntext \u2028 "of" a later program' },
  { kind: 'again', after: null, through: 'k' },
  { kind: 'again', after: 'k', through: null },
  { kind: 'vault', type: 'certificate', name: 'authority--a1', version: 'ab', blob: 'AAAA' },
  { kind: 'vault', type: 'secret', name: 'rotation-key', version: 'ab', blob: 'AAAA' },
  { kind: 'end', rows: 0, vaultObjects: 2, restless: ['record/07'], sha256: 'ab' },
];

test('Every line of a backup is read as it was written, and is one line', () => {
  for (const line of LINES) {
    const text = encodeBackupLine(line);
    assert.equal(text.indexOf('\n'), text.length - 1);
    assert.deepEqual(decodeBackupLine(text), line);
  }
});

test('A line that lacks anything, or has it of another kind, is none of a backup', () => {
  for (const line of LINES) {
    for (const name of Object.keys(line)) {
      for (const value of [undefined, {}, -1, [1]]) {
        const damaged = JSON.stringify({ ...line, [name]: value });
        if (name === 'policy' || name === 'site') {
          if (typeof value === 'object') continue;
        }
        assert.throws(() => decodeBackupLine(damaged), { code: 'InvalidInput' }, damaged);
      }
    }
  }
});

test('What is no backup is refused without a word of what it was', () => {
  for (const text of ['', 'a secret', '"a secret"', 'null', '[]', '{}', '{"kind":"a secret"}']) {
    assert.throws(
      () => decodeBackupLine(text),
      (error: Error) => {
        assert.match(error.message, /^This is no backup that can be restored: /);
        assert.doesNotMatch(error.message, /a secret/);
        return true;
      },
    );
  }
  assert.throws(
    () => decodeBackupLine('{"kind":"header","format":2}'),
    /it is of format 2, and this program knows 1/,
  );
});
