/** The `everleaf` command. */
import { agentCommand } from './agent-command.ts';
import { USAGE, UsageError } from './usage.ts';

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  agent: agentCommand,
};

const EXIT_USAGE = 2;

async function main([name = 'help', ...args]: readonly string[]): Promise<number> {
  if (/^(?:help|--help|-h)$/.test(name) || args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  try {
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw new UsageError(`There is no command "${name}".`);
    return await command(args);
  } catch (error) {
    // The message alone: a stack tells an operator nothing.
    console.error(`everleaf: ${error instanceof Error ? error.message : String(error)}`);
    if (error instanceof UsageError) console.error(`\n${USAGE}`);
    return EXIT_USAGE;
  }
}

process.exitCode = await main(process.argv.slice(2));
