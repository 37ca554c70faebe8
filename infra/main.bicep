metadata description = 'Everleaf in one resource group: the app, two vaults, two storage accounts, and what watches them. README.md tells how to deploy it.'

targetScope = 'resourceGroup'

import { alertLimitSettings } from 'modules/alerts.bicep'
import { siteSettings } from 'modules/function-app.bicep'
import { policySettings } from 'modules/policy.bicep'

@description('Beginning of every name: 3 to 8 lower-case letters and digits, the first a letter.')
@minLength(3)
@maxLength(8)
param name string = 'everleaf'

@description('What this installation is called, in tags: dev, prod, or the name of azd\'s environment.')
@minLength(1)
param environmentName string

param location string = resourceGroup().location

@description('Added to the tags of every resource.')
param tags { *: string } = {}

@description('The runtime that Azure gives the app. 22 is what it is tested with.')
@allowed(['22', '24'])
param nodeVersion string = '22'

@description('Memory of one instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('The most instances there may be: what a flood can cost.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that are kept warm for requests. Agents do not mind a cold start.')
@minValue(0)
param alwaysReadyInstances int = 0

@description('premium keeps the keys of HSM key types in hardware modules; both vaults then cost per key and month.')
@allowed(['standard', 'premium'])
param vaultSku string = 'standard'

@description('How the record is copied: within one building, over the zones of the region, or to another region too.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param recordRedundancy string = 'Standard_ZRS'

@description('Whether vaults and storage are reached over private endpoints in a network of the app\'s own, and not from outside.')
param privateNetwork bool = false

@description('Addresses of that network: a range of at least 128 (/25).')
param networkAddresses string = '10.40.0.0/24'

@description('Public addresses, or ranges of them, from which operators reach vaults and storage although they are private: to restore, for example. Two addresses are two entries: storage takes no /31.')
param operatorIps string[] = []

@description('Whether clients read the client vault over the internet, by their own identities, although the rest is private.')
param isClientVaultPublic bool = true

@description('Ids of other resource groups in which the app\'s roles can be given: where clusters have vaults of their own. Whoever deploys needs to be owner there too.')
param otherRoleScopes string[] = []

@description('Whether vaults and record are locked against deletion.')
param isProtected bool = true

@description('Days in which checkpoints of the audit log can be neither changed nor removed.')
param checkpointRetentionDays int = 365

@description('Days in which backups can be neither changed nor removed.')
param backupRetentionDays int = 35

@description('Say true once you have locked the two retention policies, which is done by hand and for good.')
param isRetentionLocked bool = false

@description('Days for which logs can be searched.')
param logRetentionDays int = 90

@description('Most gigabytes of logs in a day; -1 for no end.')
param logDailyCapGb int = -1

@description('Who gets a mail when something must be done.')
param alertEmails string[] = []

@description('https addresses that get alerts as JSON, in the common alert schema.')
param alertWebhooks string[] = []

@description('Action groups that there are already, and that alerts call as well.')
param actionGroupIds string[] = []

@description('What the alerts measure with, where it differs from the defaults in modules/alerts.bicep: with other schedules of RENEW_DUE_SCHEDULE or WATCH_FLEET_SCHEDULE, for example.')
param alertLimits alertLimitSettings = {}

@description('What belongs to this installation alone.')
param site siteSettings

@description('What differs from the defaults in modules/policy.bicep.')
param policy policySettings = {}

var eventQueue = 'vault-events'
var deploymentContainer = 'deployments'
var unique = uniqueString(resourceGroup().id, name)
var everyTag = union(tags, { application: 'everleaf', 'azd-env-name': environmentName })
var appName = '${name}-${unique}'
var names = {
  app: appName
  identity: '${appName}-identity'
  hostStorage: '${name}hst${unique}'
  recordStorage: '${name}rec${unique}'
  authorityVault: '${name}-a-${unique}'
  clientVault: '${name}-c-${unique}'
  workspace: '${appName}-logs'
  appInsights: '${appName}-insights'
  network: '${appName}-network'
  actionGroup: '${appName}-alerts'
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: { name: names.identity, location: location, tags: everyTag }
}

module hostStorage 'modules/storage-host.bicep' = {
  name: 'storage-host'
  params: {
    name: names.hostStorage
    location: location
    tags: everyTag
    // Nothing in it that a deployment would not bring back.
    redundancy: 'Standard_LRS'
    isPrivate: privateNetwork
    allowedIps: []
    deploymentContainer: deploymentContainer
  }
}

module recordStorage 'modules/storage-record.bicep' = {
  name: 'storage-record'
  params: {
    name: names.recordStorage
    location: location
    tags: everyTag
    redundancy: recordRedundancy
    isPrivate: privateNetwork
    allowedIps: operatorIps
    eventQueue: eventQueue
    checkpointRetentionDays: checkpointRetentionDays
    backupRetentionDays: backupRetentionDays
    isRetentionLocked: isRetentionLocked
  }
}

module authorityVault 'modules/vault.bicep' = {
  name: 'vault-authority'
  params: {
    name: names.authorityVault
    location: location
    tags: everyTag
    sku: vaultSku
    isPrivate: privateNetwork
    allowedIps: operatorIps
  }
}

module clientVault 'modules/vault.bicep' = {
  name: 'vault-clients'
  params: {
    name: names.clientVault
    location: location
    tags: everyTag
    sku: vaultSku
    isPrivate: privateNetwork && !isClientVaultPublic
    allowedIps: operatorIps
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    location: location
    tags: everyTag
    workspaceName: names.workspace
    appInsightsName: names.appInsights
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: names.network
    location: location
    tags: everyTag
    addressPrefix: networkAddresses
    endpoints: [
      { name: 'authority-vault', resourceId: authorityVault.outputs.id, service: 'vault' }
      { name: 'client-vault', resourceId: clientVault.outputs.id, service: 'vault' }
      { name: 'record-blob', resourceId: recordStorage.outputs.id, service: 'blob' }
      { name: 'record-queue', resourceId: recordStorage.outputs.id, service: 'queue' }
      { name: 'record-table', resourceId: recordStorage.outputs.id, service: 'table' }
      { name: 'host-blob', resourceId: hostStorage.outputs.id, service: 'blob' }
      { name: 'host-table', resourceId: hostStorage.outputs.id, service: 'table' }
    ]
  }
}

module vaultRoles 'modules/roles-vault.bicep' = {
  name: 'roles-vault'
  params: {
    authorityVaultName: authorityVault.outputs.name
    clientVaultName: clientVault.outputs.name
    principalId: identity.outputs.principalId
    suffix: appName
    otherScopes: otherRoleScopes
  }
}

module platformRoles 'modules/roles-platform.bicep' = {
  name: 'roles-platform'
  params: {
    hostStorageName: hostStorage.outputs.name
    recordStorageName: recordStorage.outputs.name
    appInsightsName: monitoring.outputs.appInsightsName
    principalId: identity.outputs.principalId
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    name: names.app
    location: location
    tags: everyTag
    serviceName: 'api'
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    appInsightsName: monitoring.outputs.appInsightsName
    nodeVersion: nodeVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    deploymentContainerUri: '${hostStorage.outputs.blobUri}${deploymentContainer}'
    hostStorageName: hostStorage.outputs.name
    recordStorage: {
      blobUri: recordStorage.outputs.blobUri
      queueUri: recordStorage.outputs.queueUri
      tableUri: recordStorage.outputs.tableUri
    }
    authorityVaultUri: authorityVault.outputs.uri
    clientVaultUri: clientVault.outputs.uri
    site: site
    policy: policy
  }
  // So that the app finds its rights, and the addresses of what it may reach, when it first starts.
  dependsOn: [vaultRoles, platformRoles]
}

module eventTopics 'modules/event-topics.bicep' = {
  name: 'event-topics'
  params: {
    location: location
    tags: everyTag
    authorityVaultName: authorityVault.outputs.name
    clientVaultName: clientVault.outputs.name
    recordStorageName: recordStorage.outputs.name
    queueName: eventQueue
  }
}

// After the app, so that the topics' rights have had time to arrive: Event Grid refuses a subscription that it could not serve.
module eventSubscriptions 'modules/event-subscriptions.bicep' = {
  name: 'event-subscriptions'
  params: {
    topicNames: eventTopics.outputs.names
    recordStorageName: recordStorage.outputs.name
    queueName: eventQueue
  }
  dependsOn: [functionApp]
}

module diagnostics 'modules/diagnostics.bicep' = {
  name: 'diagnostics'
  params: {
    workspaceId: monitoring.outputs.workspaceId
    vaultNames: [names.authorityVault, names.clientVault]
    recordStorageName: names.recordStorage
  }
  dependsOn: [authorityVault, clientVault, recordStorage]
}

module actionGroup 'modules/action-group.bicep' = if (!empty(alertEmails) || !empty(alertWebhooks)) {
  name: 'action-group'
  params: {
    name: names.actionGroup
    tags: everyTag
    emailAddresses: alertEmails
    webhookUris: alertWebhooks
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    location: location
    tags: everyTag
    namePrefix: appName
    appInsightsId: monitoring.outputs.appInsightsId
    functionAppId: functionApp.outputs.id
    authorityVaultId: authorityVault.outputs.id
    clientVaultId: clientVault.outputs.id
    recordStorageId: recordStorage.outputs.id
    actionGroupIds: concat(
      actionGroupIds,
      empty(alertEmails) && empty(alertWebhooks) ? [] : [actionGroup!.outputs.id]
    )
    expectBackups: !empty(site.backupRecipients)
    limits: alertLimits
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: everyTag
    displayName: 'Everleaf ${environmentName}'
    appInsightsId: monitoring.outputs.appInsightsId
    workspaceId: monitoring.outputs.workspaceId
  }
}

// Last of all: a lock would be in the way of a deployment that has to replace something.
module locks 'modules/locks.bicep' = if (isProtected) {
  name: 'locks'
  params: {
    vaultNames: [names.authorityVault, names.clientVault]
    recordStorageName: names.recordStorage
  }
  dependsOn: [vaultRoles, platformRoles, eventSubscriptions, diagnostics]
}

@description('What `func azure functionapp publish` is given.')
output functionAppName string = functionApp.outputs.name
@description('Where agents and operators find it.')
output url string = functionApp.outputs.url
output authorityVaultName string = authorityVault.outputs.name
output clientVaultName string = clientVault.outputs.name
output recordStorageName string = recordStorage.outputs.name
@description('Object id of the app\'s identity, for rights on vaults of clusters\' own.')
output principalId string = identity.outputs.principalId
@description('The address that the app calls from, when it has a network of its own.')
output outboundAddress string = privateNetwork ? network!.outputs.outboundAddress : ''
