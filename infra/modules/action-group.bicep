metadata description = 'Whom alerts call: addresses that get a mail, and addresses that get the alert as JSON.'

param name string
param tags object

@description('At most 12 characters; stands in mails and text messages.')
@maxLength(12)
param shortName string = 'everleaf'

@description('Addresses that get a mail.')
param emailAddresses string[] = []

@description('https addresses that get the alert in the common alert schema. Whoever knows one can send to it: give none that is a secret.')
param webhookUris string[] = []

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  // Not of a region, so that it works while one does not.
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: shortName
    emailReceivers: [
      for (address, i) in emailAddresses: {
        name: 'mail ${i + 1}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: [
      for (uri, i) in webhookUris: {
        name: 'webhook ${i + 1}'
        serviceUri: uri
        useCommonAlertSchema: true
      }
    ]
  }
}

output id string = actionGroup.id
