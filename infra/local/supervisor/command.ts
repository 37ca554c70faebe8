/** What a run is for: `start` has a functions host of its own, `services` leaves that to somebody else. */
export type Command = 'start' | 'services';

/** The command as a developer types it. */
export function commandLine(command: Command): string {
  return command === 'start' ? 'npm start' : 'npm run services';
}
