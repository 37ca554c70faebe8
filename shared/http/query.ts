import type { HttpRequest } from '@azure/functions';
import { EverleafError } from '../domain/errors.ts';
import { IDENTITY_STATES, type IdentityState } from '../domain/identity-status.ts';

const MOST_ITEMS = 500;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/;

/** `limit`: how many items a page has, 1 to 500, 100 by default. @throws EverleafError InvalidInput */
export function readLimit(request: HttpRequest): number {
  const text = request.query.get('limit');
  if (text === null) return 100;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ITEMS) {
    throw new EverleafError('InvalidInput', `limit is a whole number from 1 to ${MOST_ITEMS}.`);
  }
  return limit;
}

/** An instant in UTC, or null when the parameter is absent. @throws EverleafError InvalidInput */
export function readInstant(request: HttpRequest, name: string): Date | null {
  const text = request.query.get(name);
  if (text === null) return null;
  const date = new Date(text);
  if (!INSTANT.test(text) || Number.isNaN(date.getTime())) {
    throw new EverleafError('InvalidInput', `${name} is an instant in UTC such as 2026-11-21T00:00:00Z.`);
  }
  return date;
}

/** A position in a list, as an earlier page gave it. @throws EverleafError InvalidInput */
export function readOffset(request: HttpRequest): number {
  const text = request.query.get('cursor');
  if (text === null) return 0;
  if (!/^\d{1,9}$/.test(text)) throw new EverleafError('InvalidInput', 'cursor is not one that a page gave.');
  return Number(text);
}

/** A state to filter identities by, or null. @throws EverleafError InvalidInput */
export function readState(request: HttpRequest): IdentityState | null {
  const text = request.query.get('state');
  if (text === null) return null;
  const state = IDENTITY_STATES.find((known) => known === text);
  if (state === undefined) {
    throw new EverleafError('InvalidInput', `state is one of ${IDENTITY_STATES.join(', ')}.`);
  }
  return state;
}
