// Production: a network of its own, nothing but the app and the client vault reachable from outside, everything locked.
// What is the installation's own comes from environment variables; README.md lists them. None of it is secret.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'prod')

param site = {
  // Client id of the app registration in Entra ID whose app roles are Everleaf.Operator and Everleaf.Reader.
  operators: { audience: readEnvironmentVariable('EVERLEAF_OPERATOR_AUDIENCE') }
  trustDomain: readEnvironmentVariable('EVERLEAF_TRUST_DOMAIN')
  cloud: { fqdn: readEnvironmentVariable('EVERLEAF_CLOUD_FQDN') }
  // Public keys of age, with commas between: docs/restore.md.
  backupRecipients: split(readEnvironmentVariable('EVERLEAF_BACKUP_RECIPIENTS'), ',')
}

param privateNetwork = true
param recordRedundancy = 'Standard_ZRS'
param isProtected = true
param checkpointRetentionDays = 365
param backupRetentionDays = 35
param logRetentionDays = 90
