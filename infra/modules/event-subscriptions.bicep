metadata description = 'The vaults\' events into a storage queue. They are hints to look now; what is due is found by the timers without them, so there are no dead letters.'

param topicNames string[]
param recordStorageName string
param queueName string

// https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
var eventTypes = [
  'Microsoft.KeyVault.CertificateNearExpiry'
  'Microsoft.KeyVault.CertificateExpired'
  'Microsoft.KeyVault.CertificateNewVersionCreated'
  'Microsoft.KeyVault.SecretNearExpiry'
  'Microsoft.KeyVault.SecretExpired'
  'Microsoft.KeyVault.SecretNewVersionCreated'
]

resource topics 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = [
  for name in topicNames: {
    name: name
  }
]

resource recordStorage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: recordStorageName
}

resource subscriptions 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for (name, i) in topicNames: {
    parent: topics[i]
    name: 'everleaf'
    properties: {
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      filter: { includedEventTypes: eventTypes }
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
      deliveryWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        destination: {
          endpointType: 'StorageQueue'
          properties: {
            resourceId: recordStorage.id
            queueName: queueName
            // A day: by then the timers have looked themselves.
            queueMessageTimeToLiveInSeconds: 86400
          }
        }
      }
    }
  }
]
