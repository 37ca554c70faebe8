/**
 * A reporter of node:test that writes one JSON line for each test that failed by itself, for the end of `npm test`: what the
 * other reporter prints of it stands thousands of lines further up, which the record of a CI run may have cut off.
 */
export default async function* failures(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.todo !== undefined) continue;
    const { error } = data.details;
    // A suite fails when something in it does, which has been told already.
    if (error?.failureType === 'subtestsFailed') continue;
    const reason = error?.cause?.message ?? error?.message ?? String(error?.cause ?? error);
    yield `${JSON.stringify({ file: data.file ?? null, line: data.line ?? null, name: data.name, reason })}\n`;
  }
}
