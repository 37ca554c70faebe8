import type { Binding } from './core/core-types.ts';
import type { RegisteredFunction } from './core/function-app.ts';
import { type RetryPolicy, toRetryPolicy } from './timers/retry-policy.ts';

interface TriggerBase {
  /** Applied to timers only, as in the real host. */
  readonly retry: RetryPolicy | undefined;
  readonly name: string;
  /** Name of the trigger's binding. */
  readonly binding: string;
  readonly registered: RegisteredFunction;
}

export interface HttpFunction extends TriggerBase {
  readonly type: 'http';
  /** Below the route prefix, without a leading slash. */
  readonly route: string;
  /** Upper case. */
  readonly methods: readonly string[];
  readonly authLevel: 'anonymous' | 'function' | 'admin';
}

export interface TimerFunction extends TriggerBase {
  readonly type: 'timer';
  readonly schedule: string;
  readonly useMonitor: boolean;
  readonly runOnStartup: boolean;
}

export interface QueueFunction extends TriggerBase {
  readonly type: 'queue';
  readonly queueName: string;
  readonly connection: string | undefined;
}

export type TriggeredFunction = HttpFunction | TimerFunction | QueueFunction;

/**
 * Reads what the library registered: the same metadata that the real host gets.
 * @throws Error naming function and setting when this host cannot run it, so that nothing is left out in silence
 */
export function toTriggeredFunction(registered: RegisteredFunction): TriggeredFunction {
  const { name, bindings } = registered.metadata;
  // The rule of the real host's function names (FunctionNameValidationRegex in azure-functions-host).
  if (!/^[a-z][a-z0-9_-]{0,127}$/i.test(name) || name.toLowerCase() === 'host') {
    throw new Error(
      `"${name}" is not a valid function name: a letter, then letters, digits, "-" and "_", at most 128.`,
    );
  }
  let trigger: TriggeredFunction | undefined;
  for (const [bindingName, binding] of Object.entries(bindings)) {
    if (/trigger$/i.test(binding.type ?? '')) trigger = toTrigger(registered, bindingName, binding);
    else if (binding.direction !== 'out' || bindingName !== '$return' || binding.type !== 'http') {
      throw new Error(
        `Function "${name}": binding "${bindingName}" of type "${binding.type}" is not supported by the local functions host, which knows HTTP, timer and storage queue triggers and HTTP results.`,
      );
    }
  }
  if (trigger === undefined) throw new Error(`Function "${name}" has no trigger.`);
  return trigger;
}

function toTrigger(registered: RegisteredFunction, binding: string, settings: Binding): TriggeredFunction {
  const { name } = registered.metadata;
  const base = { name, binding, registered, retry: toRetryPolicy(registered.metadata) };
  const member = new BindingReader(name, settings);
  switch (settings.type?.toLowerCase()) {
    case 'httptrigger':
      return {
        ...base,
        type: 'http',
        route: member.optionalText('route') || name,
        methods: member.methods(),
        authLevel: member.authLevel(),
      };
    case 'timertrigger':
      return {
        ...base,
        type: 'timer',
        schedule: member.text('schedule'),
        useMonitor: member.flag('useMonitor', true),
        runOnStartup: member.flag('runOnStartup', false),
      };
    case 'queuetrigger':
      return {
        ...base,
        type: 'queue',
        queueName: member.text('queueName'),
        connection: member.optionalText('connection'),
      };
    default:
      throw new Error(
        `Function "${name}": trigger "${settings.type}" is not supported by the local functions host.`,
      );
  }
}

class BindingReader {
  readonly #functionName: string;
  readonly #settings: Binding;

  constructor(functionName: string, settings: Binding) {
    this.#functionName = functionName;
    this.#settings = settings;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value === '') throw this.#wrong(name, 'a string');
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.#settings[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw this.#wrong(name, 'a string');
    return value;
  }

  flag(name: string, byDefault: boolean): boolean {
    const value = this.#settings[name] ?? byDefault;
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  methods(): string[] {
    const value = this.#settings['methods'];
    if (!Array.isArray(value) || value.length === 0 || value.some((method) => typeof method !== 'string')) {
      throw this.#wrong('methods', 'a list of HTTP methods');
    }
    return value.map((method: string) => method.toUpperCase());
  }

  authLevel(): HttpFunction['authLevel'] {
    const level = String(this.#settings['authLevel']).toLowerCase();
    if (level !== 'anonymous' && level !== 'function' && level !== 'admin') {
      throw this.#wrong('authLevel', '"anonymous", "function" or "admin"');
    }
    return level;
  }

  #wrong(name: string, expected: string): Error {
    return new Error(
      `Function "${this.#functionName}": ${name} must be ${expected}, but is ${JSON.stringify(this.#settings[name]) ?? 'missing'}.`,
    );
  }
}
