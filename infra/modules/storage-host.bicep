metadata description = 'The storage account of the functions host: the deployed package, timers\' locks and schedules, function keys. Nothing of the fleet.'

param name string
param location string
param tags object
param redundancy string
param isPrivate bool
param allowedIps string[]

@description('Where `func azure functionapp publish` puts the package.')
param deploymentContainer string

module account 'storage-account.bicep' = {
  name: 'storage-host-account'
  params: {
    name: name
    location: location
    tags: tags
    redundancy: redundancy
    isPrivate: isPrivate
    allowedIps: allowedIps
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: name

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource packages 'containers' = {
      name: deploymentContainer
      properties: { publicAccess: 'None' }
      dependsOn: [account]
    }
  }
}

output id string = account.outputs.id
output name string = account.outputs.name
output blobUri string = account.outputs.blobUri
