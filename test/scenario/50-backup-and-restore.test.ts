/** A fleet is lost but for its backup, and lives on in another place. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { CopyFamily } from '../../shared/adapters/memory/memory-copies.ts';
import { SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { VAULT_ROTATION_KEY_NAME, vaultAuthorityName } from '../../shared/domain/names.ts';
import { getEvents } from '../../shared/use-cases/get-events.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { writeBackup } from '../../shared/use-cases/write-backup.ts';
import { logIn, NODE_AGENT, requestOf } from '../support/agent.ts';
import { findingsIn } from '../support/audit-world.ts';
import { backUp, opened, recordOf, restoreInto, textOf } from '../support/backups.ts';
import { create } from '../support/clusters.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { BACKUP_KEYS, memoryWorld, type World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, type Held, holding, renew, renewAsMoc, show } from '../support/proving-agent.ts';
import { keyPair } from '../unit/pki/support/keys.ts';

const N1 = { cluster: 'alpha', name: 'kubelet-n1' };
const N2 = { cluster: 'alpha', name: 'kubelet-n2' };
