import { CoreError, CoreRangeError } from './core-errors.ts';
import type { FunctionMetadata } from './core-types.ts';

/**
 * The real worker's messages are protobuf, which refuses a number written as a string; so do we, in its words
 * (src/coreApi/converters/fromCoreFunctionMetadata.ts in azure-functions-nodejs-worker for the words).
 * @throws CoreError, CoreRangeError
 */
export function verifyMetadata({ name, bindings, retryOptions }: FunctionMetadata): void {
  const refuse = (member: string, expected: string) => {
    throw new CoreError(
      `Function "${name}": functionMetadataResponse.functionMetadataResults.${member}: ${expected} expected`,
    );
  };
  const unexpected = (value: unknown, type: string) => {
    throw new CoreRangeError(`Function "${name}": Unexpected value "${value}" for type "${type}"`);
  };
  if (typeof name !== 'string') refuse('name', 'string');
  for (const { type, direction, dataType } of Object.values(bindings)) {
    if (type !== undefined && typeof type !== 'string') refuse('bindings.type', 'string');
    if (!isOneOf(direction, ['in', 'out', 'inout'])) unexpected(direction, 'CoreRpcBindingDirection');
    if (!isOneOf(dataType, ['undefined', 'string', 'binary', 'stream']))
      unexpected(dataType, 'CoreRpcBindingDataType');
  }
  const { retryStrategy, maxRetryCount } = retryOptions ?? {};
  if (!isOneOf(retryStrategy, ['fixedDelay', 'exponentialBackoff']))
    unexpected(retryStrategy, 'CoreRpcRetryStrategy');
  if (maxRetryCount !== undefined && maxRetryCount !== null && !Number.isInteger(maxRetryCount)) {
    refuse('retryOptions.maxRetryCount', 'integer');
  }
}

/** Members that are left out are as good as any. */
function isOneOf(value: unknown, words: readonly string[]): boolean {
  return value === undefined || value === null || words.includes(value as string);
}
