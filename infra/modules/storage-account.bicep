metadata description = 'A storage account that is opened by Entra identities alone: no account keys, no shared access signatures of keys, no public blobs.'

param name string
param location string
param tags object

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param redundancy string

@description('Whether only private endpoints and the addresses below reach it. Azure services that are trusted (Event Grid) always may, by their own identity.')
param isPrivate bool

@description('Public addresses, or ranges of them, that may reach it although it is private.')
param allowedIps string[] = []

@description('Days in which a deleted blob or container can be had back.')
@minValue(1)
@maxValue(365)
param undeleteDays int = 7

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    allowedCopyScope: 'AAD'
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate && empty(allowedIps) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      // A vault takes an address as a range of one, /32; storage refuses that.
      // https://learn.microsoft.com/azure/storage/common/storage-network-security
      ipRules: [for ip in allowedIps: { action: 'Allow', value: replace(ip, '/32', '') }]
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: { enabled: true, keyType: 'Account' }
        // Tables and queues get the account's protection only when this is said at the account's creation.
        queue: { enabled: true, keyType: 'Account' }
        table: { enabled: true, keyType: 'Account' }
      }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: undeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: undeleteDays }
  }
}

output id string = account.id
output name string = account.name
output blobUri string = account.properties.primaryEndpoints.blob
output queueUri string = account.properties.primaryEndpoints.queue
output tableUri string = account.properties.primaryEndpoints.table
