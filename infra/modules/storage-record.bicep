metadata description = 'The storage account of the record: tables and queues, which the app makes itself, and the containers that nobody may change afterwards.'

param name string
param location string
param tags object
param redundancy string
param isPrivate bool
param allowedIps string[]

@description('The queue that Event Grid writes the vaults\' events into.')
param eventQueue string

@description('Days in which a checkpoint of the audit log can be neither changed nor removed.')
@minValue(1)
@maxValue(146000)
param checkpointRetentionDays int

@description('Days in which a backup can be neither changed nor removed; five days later it goes.')
@minValue(1)
@maxValue(146000)
param backupRetentionDays int

@description('Whether the two policies below are locked, which is done by hand and for good. A locked policy takes no deployment any more, so it is left out of this one.')
param isRetentionLocked bool

module account 'storage-account.bicep' = {
  name: 'storage-record-account'
  params: {
    name: name
    location: location
    tags: tags
    redundancy: redundancy
    isPrivate: isPrivate
    allowedIps: allowedIps
    undeleteDays: 14
  }
}

// Names as in shared/adapters/storage, where the app makes what is missing; these are made here to have policies.
var writtenOnce = [
  { name: 'audit-checkpoints', days: checkpointRetentionDays }
  { name: 'backups', days: backupRetentionDays }
]

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: name

  resource blobs 'blobServices' existing = {
    name: 'default'
  }

  resource queues 'queueServices' existing = {
    name: 'default'
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = [
  for container in writtenOnce: {
    parent: storage::blobs
    name: container.name
    properties: { publicAccess: 'None' }
    dependsOn: [account]
  }
]

// Of the container and not of blob versions: with versions a blob could be covered by a newer one or deleted from sight. Here both
// are refused, and each blob is written once, as the app does it.
// https://learn.microsoft.com/azure/storage/blobs/immutable-container-level-worm-policies
resource retention 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2026-04-01' = [
  for (container, i) in writtenOnce: if (!isRetentionLocked) {
    parent: containers[i]
    name: 'default'
    properties: {
      immutabilityPeriodSinceCreationInDays: container.days
      allowProtectedAppendWrites: false
      allowProtectedAppendWritesAll: false
    }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: storage
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'old-backups'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['backups/'] }
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: backupRetentionDays + 5 } } }
          }
        }
      ]
    }
  }
  dependsOn: [account]
}

// The subscriptions of Event Grid want it to be there before the app first runs.
resource events 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-04-01' = {
  parent: storage::queues
  name: eventQueue
  dependsOn: [account]
}

output id string = account.outputs.id
output name string = account.outputs.name
output blobUri string = account.outputs.blobUri
output queueUri string = account.outputs.queueUri
output tableUri string = account.outputs.tableUri
