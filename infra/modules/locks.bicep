metadata description = 'Keeps vaults and record from being deleted by mistake. Such a lock also keeps role assignments on them from being removed; take it off for that, and put it back.'

param vaultNames string[]
param recordStorageName string

resource vaults 'Microsoft.KeyVault/vaults@2026-02-01' existing = [
  for name in vaultNames: {
    name: name
  }
]

resource recordStorage 'Microsoft.Storage/storageAccounts@2026-04-01' existing = {
  name: recordStorageName
}

resource vaultLocks 'Microsoft.Authorization/locks@2020-05-01' = [
  for (name, i) in vaultNames: {
    scope: vaults[i]
    name: 'everleaf-keep'
    properties: {
      level: 'CanNotDelete'
      notes: 'Holds the keys of the fleet. Whoever really wants it gone removes this lock first.'
    }
  }
]

resource recordLock 'Microsoft.Authorization/locks@2020-05-01' = {
  scope: recordStorage
  name: 'everleaf-keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the record of the fleet. Whoever really wants it gone removes this lock first.'
  }
}
