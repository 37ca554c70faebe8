// To try it out, and cheap: no network of its own, one copy of the record, nothing that keeps it from being deleted again
// (the vaults' names stay taken for 90 days all the same; give another `name` to begin anew before).
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')

param site = {
  operators: { audience: readEnvironmentVariable('EVERLEAF_OPERATOR_AUDIENCE') }
  trustDomain: readEnvironmentVariable('EVERLEAF_TRUST_DOMAIN', 'everleaf.internal')
  cloud: { fqdn: readEnvironmentVariable('EVERLEAF_CLOUD_FQDN', 'localhost') }
  backupRecipients: []
}

param recordRedundancy = 'Standard_LRS'
param isProtected = false
param checkpointRetentionDays = 1
param backupRetentionDays = 1
param logRetentionDays = 30
param logDailyCapGb = 1
