metadata description = 'The settings that are a matter of policy, under the names and with the defaults of shared/config/settings.ts. The tests hold the two lists against each other; README.md says what each one means.'

@export()
@description('What may be set; what is left out has the default below.')
type policySettings = {
  @minValue(1)
  @maxValue(365)
  CERTIFICATE_VALIDITY_DAYS: int?
  @minValue(1)
  @maxValue(365)
  TOKEN_VALIDITY_DAYS: int?
  @minValue(1)
  @maxValue(3650)
  AUTHORITY_VALIDITY_DAYS: int?
  CLIENT_KEY_TYPE: ('RSA-2048' | 'RSA-3072' | 'RSA-4096')?
  WORKLOAD_DELIVERY: ('vault' | 'agent')?
  AUTHORITY_KEY_TYPE: ('EC-P256' | 'RSA-2048' | 'RSA-3072' | 'RSA-4096')?
  AUTHORITY_ROOT: ('self' | 'outside')?
  @description('With AUTHORITY_ROOT outside: SHA-256 fingerprints, with commas between.')
  AUTHORITY_ROOT_SHA256: string?
  @minValue(0)
  @maxValue(365)
  RECOVERY_WINDOW_DAYS: int?
  @minValue(0)
  @maxValue(100)
  RECOVERY_BUDGET: int?
  @minValue(1)
  @maxValue(3650)
  UPDATE_REMINDER_DAYS: int?
  @minValue(1)
  @maxValue(10000)
  VAULT_KEYS_PER_MINUTE: int?
  @minValue(1)
  @maxValue(1000000)
  LOGIN_FAILURES_PER_SOURCE: int?
  @minValue(1)
  @maxValue(1000000)
  ISSUANCES_PER_IDENTITY: int?
  @minValue(1)
  @maxValue(1000)
  TAINT_WAVE_SIZE: int?
  @minValue(1)
  @maxValue(1440)
  TAINT_WAVE_MINUTES: int?
  @minValue(24)
  @maxValue(108)
  CRL_VALIDITY_HOURS: int?
  @minValue(1)
  @maxValue(10000)
  OCSP_SIGNATURES_PER_MINUTE: int?
  @minValue(1)
  @maxValue(10000)
  OCSP_SIGNATURES_PER_SOURCE: int?
  RENEW_DUE_SCHEDULE: string?
  RECONCILE_SCHEDULE: string?
  AUDIT_SEAL_SCHEDULE: string?
  ROLL_AUTHORITY_SCHEDULE: string?
  PUBLISH_CRL_SCHEDULE: string?
  RENEW_RESPONDERS_SCHEDULE: string?
  BACKUP_SCHEDULE: string?
}

@export()
@description('Schedules are NCRONTAB in UTC; the host reads them too, so they must be set.')
var policyDefaults = {
  CERTIFICATE_VALIDITY_DAYS: 90
  TOKEN_VALIDITY_DAYS: 90
  AUTHORITY_VALIDITY_DAYS: 365
  CLIENT_KEY_TYPE: 'RSA-2048'
  WORKLOAD_DELIVERY: 'vault'
  AUTHORITY_KEY_TYPE: 'EC-P256'
  AUTHORITY_ROOT: 'self'
  AUTHORITY_ROOT_SHA256: ''
  RECOVERY_WINDOW_DAYS: 30
  RECOVERY_BUDGET: 3
  UPDATE_REMINDER_DAYS: 60
  VAULT_KEYS_PER_MINUTE: 60
  LOGIN_FAILURES_PER_SOURCE: 30
  ISSUANCES_PER_IDENTITY: 200
  TAINT_WAVE_SIZE: 100
  TAINT_WAVE_MINUTES: 15
  CRL_VALIDITY_HOURS: 72
  OCSP_SIGNATURES_PER_MINUTE: 600
  OCSP_SIGNATURES_PER_SOURCE: 120
  RENEW_DUE_SCHEDULE: '0 */15 * * * *'
  RECONCILE_SCHEDULE: '0 30 2 * * *'
  AUDIT_SEAL_SCHEDULE: '0 */5 * * * *'
  ROLL_AUTHORITY_SCHEDULE: '0 0 1 * * *'
  PUBLISH_CRL_SCHEDULE: '0 15 */6 * * *'
  RENEW_RESPONDERS_SCHEDULE: '0 20 * * * *'
  BACKUP_SCHEDULE: '0 30 3 * * *'
}
