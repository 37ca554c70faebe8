import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { TypedData } from '../core/core-types.ts';

/**
 * The text of a message.
 * @returns undefined when the message is not base64 although host.json says that all are; such a message goes to the
 *   poison queue, as in the real host
 */
export function decodeMessage(text: string, encoding: 'base64' | 'none'): string | undefined {
  if (encoding === 'none') return text;
  // .NET's Convert.FromBase64String skips white space and wants the padding.
  const dense = text.replace(/[ \t\r\n]/g, '');
  const isBase64 = dense.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(dense);
  return isBase64 ? Buffer.from(dense, 'base64').toString('utf8') : undefined;
}

/**
 * The trigger metadata of a message: the message's own properties, then the top-level properties of a JSON payload,
 * which win over properties of the same name in any case, text apart from objects, null and lists left out
 * (ApplyBindingData of src/WebJobs.Script/Description/Workers/WorkerFunctionInvoker.cs in azure-functions-host;
 * names: https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger#message-metadata).
 * @param message absent for a run by hand, which has no message
 */
export function toTriggerMetadata(text: string, message?: DequeuedMessageItem): Record<string, TypedData> {
  const metadata = new Map<string, [name: string, value: TypedData]>();
  const set = (name: string, value: TypedData) => metadata.set(name.toLowerCase(), [name, value]);
  set('QueueTrigger', { string: text });
  set('DequeueCount', { json: String(message?.dequeueCount ?? 0) });
  if (message !== undefined) {
    set('Id', { string: message.messageId });
    set('PopReceipt', { string: message.popReceipt });
    set('InsertionTime', toTime(message.insertedOn));
    set('ExpirationTime', toTime(message.expiresOn));
    set('NextVisibleTime', toTime(message.nextVisibleOn));
  }
  for (const [name, value] of Object.entries(parseObject(text))) {
    const known = metadata.get(name.toLowerCase())?.[0] ?? name;
    if (value === null || Array.isArray(value)) continue;
    if (typeof value === 'object') set(known, { json: JSON.stringify(value) });
    else set(known, { string: typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value) });
  }
  return Object.fromEntries(metadata.values());
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** A DateTimeOffset as .NET serializes it. */
function toTime(time: Date): TypedData {
  return { json: JSON.stringify(time.toISOString().replace(/\.000Z$|Z$/, '+00:00')) };
}
