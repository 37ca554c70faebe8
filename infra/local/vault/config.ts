/** Which data actions a role gives; the shape of infra/role-definitions.json. */
export interface RoleDefinitions {
  readonly roles: Readonly<
    Record<
      string,
      { readonly roleName: string; readonly description: string; readonly dataActions: readonly string[] }
    >
  >;
  readonly assignments: readonly { readonly role: string; readonly vault: string; readonly scope: string }[];
}

/** Who holds a role, in which vault, on what. */
export interface RoleAssignment {
  /** The `oid` claim of the caller's token. */
  readonly principalId: string;
  /** A key of `RoleDefinitions.roles`, or `*` for every data action there is. */
  readonly role: string;
  /** The name of the vault, or `*` for all of them. */
  readonly vault: string;
  /** `/` for the whole vault, or one object, for example `/secrets/rotation-key`. */
  readonly scope: string;
}

/** One vault of the process. */
export interface VaultConfig {
  /** 3 to 24 letters, digits and hyphens. */
  readonly name: string;
  /** Port 0 lets the system choose; the answer tells which one it was. */
  readonly port: number;
  /** Whether the vault refuses more than the service takes in ten seconds. Default true. */
  readonly quotas?: boolean;
  /** Days that soft-deleted objects wait for their purge, 7 to 90. Default 90. */
  readonly retentionDays?: number;
  /** Whether nobody may purge before that. Default false, as in a vault made without saying so. */
  readonly purgeProtection?: boolean;
}

/** Where events go, as the subscription of a system topic of Event Grid says it. */
export interface EventQueueConfig {
  readonly connectionString: string;
  readonly queueName: string;
}

/** What the process of the stand-in is started with (JSON in EVERLEAF_PROCESS_CONFIG). */
export interface VaultProcessConfig {
  /** Each vault keeps its objects under `<stateDir>/<vault name>/`. */
  readonly stateDir: string;
  readonly vaults: readonly VaultConfig[];
  /** The OpenID issuer whose tokens are accepted; its discovery document names the signing keys. */
  readonly issuer: { readonly url: string };
  /** The audience that a token must carry, `https://vault.azure.net` in the public cloud. */
  readonly audience: string;
  readonly roles: RoleDefinitions;
  readonly assignments: readonly RoleAssignment[];
  /**
   * How many times a pending certificate of issuer Self still answers `inProgress` before it completes. Default 0:
   * the create answer says `inProgress`, the first look at the pending operation finds it completed.
   */
  readonly selfCompletesAfterPolls?: number;
  /** The port of the control endpoint (faults and audit log), 0 for any free one. Left out, there is none. */
  readonly faultsPort?: number;
  /** The storage queue that gets the vaults' events. Left out, there are none, as without a subscription. */
  readonly events?: EventQueueConfig;
}
