metadata description = 'Where logs and telemetry go: a workspace, and Application Insights on top of it that takes nothing without an Entra identity.'

param location string
param tags object
param workspaceName string
param appInsightsName string

@description('Days for which logs can be searched. The audit log of record is the app\'s own and does not end here.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Most gigabytes of logs in a day; -1 for no end. What comes later that day is lost, alerts with it.')
param dailyCapGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyCapGb }
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: appInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
    DisableIpMasking: false
  }
}

output workspaceId string = workspace.id
output appInsightsId string = appInsights.id
output appInsightsName string = appInsights.name
