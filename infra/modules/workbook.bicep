metadata description = 'The fleet in one picture: what ends when, what was renewed, what the vaults do.'

param location string
param tags object
param displayName string

@description('The component that the app\'s metrics and lines go to.')
param appInsightsId string

@description('The workspace that the vaults\' diagnostic logs go to.')
param workspaceId string

var content = replace(
  replace(loadTextContent('../workbook.json'), '{{appInsightsId}}', appInsightsId),
  '{{workspaceId}}',
  workspaceId
)

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // A workbook's name is a GUID.
  name: guid(appInsightsId, 'everleaf-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    version: 'Notebook/1.0'
    serializedData: content
    sourceId: appInsightsId
  }
}

output id string = workbook.id
