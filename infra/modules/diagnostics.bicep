metadata description = 'What the vaults and the record\'s storage write down about who did what, and where it goes.'

param workspaceId string
param vaultNames string[]
param recordStorageName string

resource vaults 'Microsoft.KeyVault/vaults@2026-02-01' existing = [
  for name in vaultNames: {
    name: name
  }
]

resource recordStorage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: recordStorageName

  resource blobs 'blobServices' existing = {
    name: 'default'
  }

  resource tables 'tableServices' existing = {
    name: 'default'
  }

  resource queues 'queueServices' existing = {
    name: 'default'
  }
}

// Every call of the vaults, into the table AZKVAuditLogs.
resource vaultLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = [
  for (name, i) in vaultNames: {
    scope: vaults[i]
    name: 'everleaf'
    properties: {
      workspaceId: workspaceId
      logAnalyticsDestinationType: 'Dedicated'
      logs: [{ category: 'AuditEvent', enabled: true }]
      metrics: [{ category: 'AllMetrics', enabled: true }]
    }
  }
]

// Whoever writes or deletes checkpoints, lists or backups. Reads are left out: each revocation list that is asked for is one.
resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: recordStorage::blobs
  name: 'everleaf'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

// Deletions alone: the app writes at every login, and its own events tell of that.
resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: recordStorage::tables
  name: 'everleaf'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageDelete', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource queueMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: recordStorage::queues
  name: 'everleaf'
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}
