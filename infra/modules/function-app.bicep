metadata description = 'The app: a Flex Consumption plan, the site, and its settings. It holds no key and no connection string.'

import { policyDefaults, policySettings } from 'policy.bicep'

param name string
param location string
param tags object

@description('What azd looks the app up by.')
param serviceName string

param identityId string
param identityClientId string
param appInsightsName string

@allowed(['22', '24'])
param nodeVersion string

@allowed([512, 2048, 4096])
param instanceMemoryMB int

@minValue(40)
@maxValue(1000)
param maximumInstanceCount int

@description('Instances that are kept warm for requests.')
@minValue(0)
param alwaysReadyInstances int

@description('The subnet that the app calls from; empty for none.')
param subnetId string

@description('Where the deployed package lies.')
param deploymentContainerUri string

param hostStorageName string
param recordStorage { blobUri: string, queueUri: string, tableUri: string }
param authorityVaultUri string
param clientVaultUri string
param site siteSettings
param policy policySettings

@export()
@description('What belongs to one installation and has no default that would be right elsewhere.')
type siteSettings = {
  @description('For whom operators\' bearer tokens are: the client id of the app registration. Whose they are: of this tenant in Entra ID, unless it is said.')
  operators: { audience: string, issuer: string?, tenantId: string? }
  @description('The address that agents call, when it is not the app\'s own. The proofs that they sign name it.')
  publicBaseUrl: string?
  @description('Where verifiers find lists, OCSP and authorities, when it is another one. Stands in every certificate.')
  revocationBaseUrl: string?
  @description('SPIFFE trust domain in certificates.')
  trustDomain: string
  @description('The cloud agent, as login files name it.')
  cloud: { fqdn: string, port: int?, authPort: int?, location: string? }
  @description('Public keys of age that backups are encrypted for; none: no backups.')
  backupRecipients: string[]
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    // Certificates of agents prove nothing here: their requests are signed. See SECURITY.md.
    clientCertEnabled: false
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
    }
    functionAppConfig: {
      runtime: { name: 'node', version: nodeVersion }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUri
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances == 0 ? [] : [{ name: 'http', instanceCount: alwaysReadyInstances }]
      }
    }
  }

  // Publishing takes Entra tokens; the passwords that a site has besides are switched off.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

var tenantId = site.operators.?tenantId ?? tenant().tenantId
var baseUrl = site.?publicBaseUrl ?? 'https://${app.properties.defaultHostName}'

// FUNCTIONS_WORKER_RUNTIME and its like are not for this plan: the runtime stands above.
// https://learn.microsoft.com/azure/azure-functions/functions-app-settings
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(mapValues(union(policyDefaults, policy), value => string(value)), {
    // The host's own. The account by its name: given __blobServiceUri alone, a host that starts may find no client for it.
    // https://github.com/Azure/azure-functions-host/issues/11787
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    AzureWebJobsStorage__accountName: hostStorageName
    APPLICATIONINSIGHTS_CONNECTION_STRING: appInsights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    // Keeps the exporter of the metrics from reporting statistics of its own use. Its configuration it fetches all the same.
    APPLICATION_INSIGHTS_NO_STATSBEAT: 'true'
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '131072'
    // The app's, and its queue trigger's.
    AZURE_CLIENT_ID: identityClientId
    AUTHORITY_VAULT_URL: authorityVaultUri
    CLIENT_VAULT_URL: clientVaultUri
    RECORD_STORAGE__credential: 'managedidentity'
    RECORD_STORAGE__clientId: identityClientId
    RECORD_STORAGE__blobServiceUri: recordStorage.blobUri
    RECORD_STORAGE__queueServiceUri: recordStorage.queueUri
    RECORD_STORAGE__tableServiceUri: recordStorage.tableUri
    OPERATOR_ISSUER: site.operators.?issuer ?? '${environment().authentication.loginEndpoint}${tenantId}/v2.0'
    OPERATOR_AUDIENCE: site.operators.audience
    OPERATOR_TENANT_ID: tenantId
    PUBLIC_BASE_URL: baseUrl
    REVOCATION_BASE_URL: site.?revocationBaseUrl ?? baseUrl
    TRUST_DOMAIN: site.trustDomain
    CLOUD_FQDN: site.cloud.fqdn
    CLOUD_PORT: string(site.cloud.?port ?? 55000)
    CLOUD_AUTH_PORT: string(site.cloud.?authPort ?? 65000)
    CLOUD_LOCATION: site.cloud.?location ?? 'MocLocation'
    BACKUP_RECIPIENTS: join(site.backupRecipients, ',')
  })
}

output id string = app.id
output name string = app.name
output url string = baseUrl
