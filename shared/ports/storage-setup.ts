/**
 * A part of the storage that must exist before it is used.
 * 1. `prepare` makes it when it is missing and does nothing when it is there. Errors as IdentityStore.
 */
export interface StorageSetup {
  prepare(): Promise<void>;
}
