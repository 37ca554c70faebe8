metadata description = 'A network of the app\'s own, with private endpoints for vaults and storage, and one fixed address for what goes out.'

param name string
param location string
param tags object

@description('A range of at least 128 addresses (/25): one half for the app, one for the endpoints.')
param addressPrefix string

@description('What gets an endpoint: a name, the resource, which of its services, and the zone its address is looked up in.')
param endpoints endpoint[]

type endpoint = {
  name: string
  resourceId: string
  service: 'vault' | 'blob' | 'queue' | 'table'
}

var zoneNames = {
  vault: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
}
var services = ['vault', 'blob', 'queue', 'table']

// New networks have no way out by default; operators' keys, tokens and telemetry are fetched and sent there.
// https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
resource address 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: '${name}-out'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource gateway 'Microsoft.Network/natGateways@2025-05-01' = {
  name: '${name}-out'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    publicIpAddresses: [{ id: address.id }]
    idleTimeoutInMinutes: 4
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          natGateway: { id: gateway.id }
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          defaultOutboundAccess: false
          // No security group: the app alone is in this network, and it does not call from its subnet's addresses only.
          // https://github.com/Azure/azure-functions-host/issues/10620
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource inside 'subnets' existing = {
    name: 'endpoints'
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: {
    name: zoneNames[service]
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, i) in services: {
    parent: zones[i]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

// One after the other: an account or a vault takes one such change at a time, and refuses a second with
// StorageAccountOperationInProgress. https://github.com/Azure/bicep-registry-modules/issues/6001
@batchSize(1)
resource privateEndpoints 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for one in endpoints: {
    name: '${name}-${one.name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: network::inside.id }
      privateLinkServiceConnections: [
        {
          name: one.name
          properties: { privateLinkServiceId: one.resourceId, groupIds: [one.service] }
        }
      ]
    }
  }
]

resource zoneGroups 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (one, i) in endpoints: {
    parent: privateEndpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: one.service, properties: { privateDnsZoneId: zones[indexOf(services, one.service)].id } }
      ]
    }
  }
]

output appSubnetId string = network::app.id
output outboundAddress string = address.properties.ipAddress
