import assert from 'node:assert/strict';
import { test } from 'node:test';
import { credentialEnds } from '../../../shared/domain/credential-ends.ts';
import { addMs, DAY_MS, SECOND_MS } from '../../../shared/domain/instants.ts';
import { buildHead, buildIdentity, NOW } from '../../support/build-identity.ts';

