metadata description = 'Where the vaults tell their events, and the right of each topic to write into the storage queue. Made before the subscriptions, because a role takes minutes to arrive.'

param location string
param tags object
param authorityVaultName string
param clientVaultName string
param recordStorageName string
param queueName string

var storageQueueDataMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
var vaultNames = [authorityVaultName, clientVaultName]

resource vaults 'Microsoft.KeyVault/vaults@2026-02-01' existing = [
  for name in vaultNames: {
    name: name
  }
]

resource recordStorage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: recordStorageName

  resource queues 'queueServices' existing = {
    name: 'default'

    resource queue 'queues' existing = {
      name: queueName
    }
  }
}

// An identity of the topic's own: behind a firewall the storage account takes no user-assigned one from Event Grid.
// https://learn.microsoft.com/azure/event-grid/handler-storage-queues
resource topics 'Microsoft.EventGrid/systemTopics@2025-02-15' = [
  for (name, i) in vaultNames: {
    name: '${name}-events'
    location: location
    tags: tags
    identity: { type: 'SystemAssigned' }
    properties: {
      source: vaults[i].id
      topicType: 'Microsoft.KeyVault.vaults'
    }
  }
]

resource senders 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in vaultNames: {
    scope: recordStorage::queues::queue
    name: guid(recordStorage::queues::queue.id, topics[i].id, storageQueueDataMessageSender)
    properties: {
      principalId: topics[i].identity.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageQueueDataMessageSender)
    }
  }
]

output names string[] = [for (name, i) in vaultNames: topics[i].name]
