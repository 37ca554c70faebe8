import { HOST_VERSION } from '../core/core-module.ts';
import type { TriggerInput } from '../core/invocation.ts';
import type { RunFunction } from '../function-runner.ts';
import type { Endpoint } from '../http/http-server.ts';
import { hasMasterKey } from '../http/master-key.ts';
import { refuse } from '../http/refusal.ts';
import type { TriggeredFunction } from '../triggers.ts';
import { ProblemError, readJsonObject, sendJson, sendProblem } from './json-exchange.ts';

export interface AdminOptions {
  readonly masterKey: string;
  readonly hostId: string;
  readonly functions: readonly TriggeredFunction[];
  readonly run: RunFunction;
  /** What a function gets that is run by hand; `input` is the text that came with the call. */
  readonly manualInput: (target: TriggeredFunction, input: string | undefined) => Promise<TriggerInput>;
}

// The real host's words.
const MANUAL_REASON = 'This function was programmatically called via the host APIs.';

/**
 * The part of the real host's admin API that is needed here, all of it behind the master key:
 * `GET /admin/host/status` and `POST /admin/functions/{name}`, which answers 202 before the function has run
 * (src/WebJobs.Script.WebHost/Controllers in azure-functions-host;
 * https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http).
 */
export function createAdminEndpoint(options: AdminOptions): Endpoint {
  return async (path, request, response) => {
    if (!hasMasterKey(request, options.masterKey)) return refuse(request, response, 401);
    if (/^\/admin\/host\/status\/?$/i.test(path) && request.method === 'GET') {
      sendJson(response, 200, { id: options.hostId, state: 'Running', version: HOST_VERSION });
      return;
    }
    const name = /^\/admin\/functions\/([^/]+)\/?$/i.exec(path)?.[1]?.toLowerCase();
    const target = options.functions.find((one) => one.name.toLowerCase() === name);
    if (target === undefined || request.method !== 'POST') return refuse(request, response, 404);
    try {
      const { input } = await readJsonObject(request, response);
      if (input !== undefined && input !== null && typeof input !== 'string') {
        throw new ProblemError(400, '"input" must be a string: the text that the function gets.');
      }
      const trigger = await options.manualInput(target, input ?? undefined);
      // In this order, so that the answer does not wait for the function, and in one go, so that a settle that
      // follows the answer finds the invocation.
      response.writeHead(202, { 'content-length': 0 }).end();
      void options.run(target, trigger, MANUAL_REASON, 'background');
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      sendProblem(response, error);
    }
  };
}
