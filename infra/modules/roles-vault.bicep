metadata description = 'What the app may do in its vaults: the roles and assignments of infra/role-definitions.json. The vault stand-in enforces the same file, so what the tests pass with is what the app gets.'

param authorityVaultName string
param clientVaultName string

@description('Object id of the app\'s identity.')
param principalId string

@description('Added to the names of the roles, which are unique in a tenant.')
param suffix string

@description('Ids of other resource groups in which the roles can be given: where clusters have vaults of their own.')
param otherScopes string[]

var definitions = loadJsonContent('../role-definitions.json')
var roles = items(definitions.roles)
var keys = map(roles, role => role.key)
var wholeAuthorityVault = filter(definitions.assignments, one => one.vault == 'authority' && one.scope == '/')
var wholeClientVault = filter(definitions.assignments, one => one.vault == 'clients' && one.scope == '/')
var singleSecrets = filter(definitions.assignments, one => one.vault == 'authority' && startsWith(one.scope, '/secrets/'))

resource authorityVault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: authorityVaultName
}

resource clientVault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: clientVaultName
}

// The role for restoring is defined too, and assigned to nobody: docs/restore.md.
resource custom 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in roles: {
    name: guid(resourceGroup().id, suffix, role.key)
    properties: {
      roleName: '${role.value.roleName} (${suffix})'
      description: role.value.description
      type: 'CustomRole'
      permissions: [{ actions: [], notActions: [], dataActions: role.value.dataActions, notDataActions: [] }]
      assignableScopes: union([resourceGroup().id], otherScopes)
    }
  }
]

resource onAuthorityVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for one in wholeAuthorityVault: {
    scope: authorityVault
    name: guid(authorityVault.id, principalId, one.role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', custom[indexOf(keys, one.role)].name)
    }
  }
]

resource onClientVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for one in wholeClientVault: {
    scope: clientVault
    name: guid(clientVault.id, principalId, one.role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', custom[indexOf(keys, one.role)].name)
    }
  }
]

// The first start makes these secrets, so at the first deployment they are not there. `existing` is but a name as long as no
// property of the secret is read (https://github.com/Azure/bicep/issues/10097), and a role can be assigned on a child resource
// that does not exist (https://github.com/Azure/azure-powershell/issues/3771).
resource secrets 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = [
  for one in singleSecrets: {
    parent: authorityVault
    name: last(split(one.scope, '/'))
  }
]

resource onSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (one, i) in singleSecrets: {
    scope: secrets[i]
    name: guid(authorityVault.id, one.scope, principalId, one.role)
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', custom[indexOf(keys, one.role)].name)
    }
  }
]
