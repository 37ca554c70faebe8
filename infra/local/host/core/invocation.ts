import { randomBytes, randomUUID } from 'node:crypto';
import { CoreError } from './core-errors.ts';
import type {
  CoreInvocationContext,
  FunctionCallback,
  HookData,
  InvocationRequest,
  InvocationResponse,
  RetryContext,
  TypedData,
} from './core-types.ts';
import { type FunctionApp, type RegisteredFunction, readOnly } from './function-app.ts';

/** What a trigger hands to a function. */
export interface TriggerInput {
  /** Name of the trigger's binding. */
  readonly binding: string;
  /** For a trigger that tells the id to others before the call; by default a new one. */
  readonly invocationId?: string;
  readonly data: TypedData;
  readonly metadata?: Record<string, TypedData>;
  readonly retryContext?: RetryContext;
  /** W3C trace context of the caller, if it sent one (https://www.w3.org/TR/trace-context/). */
  readonly traceParent?: string | undefined;
}

/**
 * Runs one function as the real worker does: arguments, preInvocation hooks, handler, postInvocation hooks, response
 * (src/eventHandlers/InvocationHandler.ts in azure-functions-nodejs-worker). A preInvocation hook that throws fails
 * the call and skips the postInvocation hooks; a postInvocation hook may replace error and result.
 * @returns what the library answers; `undefined` and `null` as an error count as success, as they do there
 * @throws whatever the handler, a hook or the conversion of the result threw
 */
export async function invoke(
  app: FunctionApp,
  registered: RegisteredFunction,
  invocationId: string,
  input: TriggerInput,
): Promise<InvocationResponse> {
  const { metadata } = registered;
  const hookData: HookData = {};
  const ids = { functionName: metadata.name, invocationId };
  let invocationContext: unknown;
  const core: CoreInvocationContext = {
    invocationId,
    request: toRequest(registered, invocationId, input),
    metadata,
    state: undefined,
    log: (level, category, message) =>
      app.log({ level, category, message, ...ids }, { hookData, invocationContext }),
  };
  if (app.programmingModel === undefined) throw new CoreError('The app has set no programming model.');
  const model = await app.programmingModel.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  invocationContext = context;

  const pre = app.hookContext(hookData, {
    inputs,
    functionCallback: registered.callback as FunctionCallback,
  });
  readOnly(pre, { invocationContext: context });
  await inState(core, 'preInvocationHooks', () => app.executeHooks('preInvocation', pre, ids));

  const post = app.hookContext(hookData, {
    inputs: pre.inputs,
    result: null as unknown,
    error: null as unknown,
  });
  readOnly(post, { invocationContext: context });
  await inState(core, 'invocation', async () => {
    try {
      post.result = await model.invokeFunction(context, pre.inputs, pre.functionCallback);
    } catch (error) {
      post.error = error;
    }
  });
  await inState(core, 'postInvocationHooks', () => app.executeHooks('postInvocation', post, ids));
  if (post.error !== null && post.error !== undefined) throw post.error;
  return await model.getResponse(context, post.result);
}

/** A new id for an invocation. */
export function newInvocationId(): string {
  return randomUUID();
}

async function inState(
  core: CoreInvocationContext,
  state: NonNullable<CoreInvocationContext['state']>,
  work: () => Promise<void>,
): Promise<void> {
  core.state = state;
  try {
    await work();
  } finally {
    core.state = undefined;
  }
}

function toRequest(
  registered: RegisteredFunction,
  invocationId: string,
  input: TriggerInput,
): InvocationRequest {
  return {
    invocationId,
    functionId: registered.metadata.functionId ?? registered.metadata.name,
    inputData: [{ name: input.binding, data: input.data }],
    triggerMetadata: input.metadata ?? {},
    ...(input.retryContext === undefined ? {} : { retryContext: input.retryContext }),
    traceContext: { traceParent: toTraceParent(input.traceParent), traceState: '', attributes: {} },
  };
}

/** Goes on with the caller's trace or begins one; the span is ours in both cases. */
function toTraceParent(callers: string | undefined): string {
  const traceId = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(callers ?? '')?.[1];
  return `00-${traceId ?? randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
