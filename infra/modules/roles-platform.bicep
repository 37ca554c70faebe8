metadata description = 'What the app may do in its storage accounts and with its telemetry: built-in roles, each on one resource.'

param hostStorageName string
param recordStorageName string
param appInsightsName string

@description('Object id of the app\'s identity.')
param principalId string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var builtIn = {
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

// The host: leases of timers, keys and the package are blobs; diagnostic events a table. Its queues serve blob triggers, of which there are none.
var onHost = [builtIn.storageBlobDataOwner, builtIn.storageTableDataContributor]
// The app makes its tables, queues and containers itself.
var onRecord = [
  builtIn.storageBlobDataContributor
  builtIn.storageQueueDataContributor
  builtIn.storageTableDataContributor
]

resource hostStorage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: hostStorageName
}

resource recordStorage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: recordStorageName
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

resource hostRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in onHost: {
    scope: hostStorage
    name: guid(hostStorage.id, principalId, role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource recordRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in onRecord: {
    scope: recordStorage
    name: guid(recordStorage.id, principalId, role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource telemetryRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: appInsights
  name: guid(appInsights.id, principalId, builtIn.monitoringMetricsPublisher)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtIn.monitoringMetricsPublisher)
  }
}
