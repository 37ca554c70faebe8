import assert from 'node:assert/strict';
import { type ErrorCode, EverleafError } from '../../../../shared/domain/errors.ts';

/** Runs a step that must be refused with that code and reason; returns the error's sentence. */
export function refusal(code: ErrorCode, reason: string | null, step: () => unknown): string {
  try {
    step();
  } catch (error) {
    assert.ok(error instanceof EverleafError, `expected an EverleafError, got ${error}`);
    assert.equal(error.code, code, error.message);
    if (reason !== null) assert.equal(error.details['reason'], reason, error.message);
    return error.message;
  }
  assert.fail(`expected ${code} ${reason}, but nothing was refused`);
}
