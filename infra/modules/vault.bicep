metadata description = 'A key vault that is opened by roles alone and gives back what was deleted. Made twice: for the authority, and for what clients read.'

param name string
param location string
param tags object

@allowed(['standard', 'premium'])
@description('premium for keys in hardware modules.')
param sku string

@description('Whether only private endpoints and the addresses below reach it.')
param isPrivate bool

@description('Public addresses, or ranges of them, that may reach it although it is private.')
param allowedIps string[] = []

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: sku }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: isPrivate && empty(allowedIps) ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Functions is not among the trusted services, and no other one needs the vault.
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [for ip in allowedIps: { value: ip }]
    }
  }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
