import type { PrincipalName, Role, RoleAssignment } from '../domain/access.ts';
import type { EventChange, Stored } from './identity-store.ts';

/** One change of the access rules, beside the events that tell of it. */
export type AccessChange =
  | { readonly op: 'put'; readonly kind: 'role'; readonly value: Role }
  | { readonly op: 'remove'; readonly kind: 'role'; readonly value: Role }
  | {
      readonly op: 'put';
      readonly kind: 'assignment';
      readonly value: RoleAssignment;
      /** What stands under this id now; null for a new assignment. */
      readonly previous: RoleAssignment | null;
    }
  | { readonly op: 'remove'; readonly kind: 'assignment'; readonly value: RoleAssignment };

/**
 * The custom roles and the role assignments of a deployment. The built-in roles are in no store.
 * 1. `commit` makes the change and writes the events, or nothing. Conflict: the rules have another version than the one
 *    given; read the version, then everything else, and decide again. Every commit gives the rules a new version, so
 *    what was read under a version still holds when a commit under it succeeds: no role goes while it is being assigned.
 * 2. What `commit` has acknowledged every later read shows; null for what is not there, and for the version of rules
 *    that nobody wrote yet.
 * 3. Names of roles and identities are found whatever their case; ids of operators and assignments are exact.
 * 4. `assignmentsOf` costs what the principal has, never what there is.
 * 5. A row of a newer program fails with UnknownRecordVersion when it is read by name; lists leave it out: an assignment
 *    that is not seen allows nothing.
 * Errors as IdentityStore.
 */
export interface AccessStore {
  version(): Promise<string | null>;
  role(name: string): Promise<Stored<Role> | null>;
  /** In the order of their names. */
  roles(): Promise<readonly Role[]>;
  assignment(id: string): Promise<Stored<RoleAssignment> | null>;
  /** In the order of their ids. */
  assignments(): Promise<readonly RoleAssignment[]>;
  /** Of an identity those of every incarnation. */
  assignmentsOf(principal: PrincipalName): Promise<readonly RoleAssignment[]>;
  commit(change: AccessChange, events: readonly EventChange[], version: string | null): Promise<void>;
}
