/** Begins to measure. @returns tells how many seconds have passed since then, by a clock that is never set */
export function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
}
