metadata description = 'What somebody must hear of, and what to do first. Alerts on the app read its log lines, which the platform collects whatever becomes of the app\'s own telemetry.'

param location string
param tags object

@description('What the names of all alerts begin with.')
param namePrefix string

@description('The component that the app\'s lines go to. Alerts look at nothing else, so several apps may share a workspace.')
param appInsightsId string

@description('Stands in what the action groups are sent.')
param functionAppId string
param authorityVaultId string
param clientVaultId string
param recordStorageId string

@description('Ids of action groups; without any, alerts are in the portal alone.')
param actionGroupIds string[]

@description('False where BACKUP_RECIPIENTS is empty, so that no backup can be missing.')
param expectBackups bool = true

param limits alertLimitSettings = {}

@export()
@description('What may be set; what is left out has the default below.')
type alertLimitSettings = {
  @description('Twice the interval of RENEW_DUE_SCHEDULE. Azure takes PT5M, PT10M, PT15M, PT30M, PT45M, PT1H, PT2H to PT6H, P1D and P2D.')
  scanSilence: string?
  @description('Twice the interval of WATCH_FLEET_SCHEDULE, or the next longer length that Azure takes.')
  watchSilence: string?
  @description('Refused logins in 15 minutes that are more than somebody\'s mistake.')
  @minValue(1)
  loginDenials: int?
  @description('Answers 429 of one vault in 15 minutes that are more than a burst.')
  @minValue(1)
  vaultThrottled: int?
}

var scanSilence = limits.?scanSilence ?? 'PT30M'
var watchSilence = limits.?watchSilence ?? 'PT2H'
var loginDenials = limits.?loginDenials ?? 100
var vaultThrottled = limits.?vaultThrottled ?? 10

// Every query ends in a summarize without `by`, which answers one row even for no row at all (Microsoft Learn, "summarize
// operator"). A rule whose query answers no row compares nothing and never fires, so silence would be silent. For the same
// reason none of them is a metric alert on a custom metric: such a rule does not look at a metric that is not sent.

@description('The newest line with the reasons of the status, and how many stand behind the given codes.')
func reasonQuery(codes string[]) string =>
  join(
    [
      'traces'
      '| where message startswith "everleaf.reasons "'
      '| summarize arg_max(timestamp, message)'
      '| parse message with "everleaf.reasons " body " [" *'
      '| extend reasons = parse_json(body)'
      '| summarize Value = coalesce(sum(${join(map(codes, code => 'coalesce(tolong(reasons["${code}"]), 0)'), ' + ')}), 0)'
    ],
    '\n'
  )

@description('How often events of a type happened. An event of the audit log stands for `count` of its like.')
func eventQuery(type string, condition string) string =>
  join(
    [
      'traces'
      '| where message startswith "everleaf.event "'
      '| parse message with "everleaf.event " body " [" *'
      '| extend event = parse_json(body)'
      '| where tostring(event["type"]) == "${type}"${condition}'
      '| summarize Value = coalesce(sum(tolong(event["count"])), 0)'
    ],
    '\n'
  )

@description('How often a timer succeeded.')
func heartbeatQuery(timer string) string =>
  join(
    [
      'traces'
      '| where message startswith "everleaf.timer.succeeded {\\"timer\\":\\"${timer}\\"}"'
      '| summarize Value = count()'
    ],
    '\n'
  )

// Severity: 0 credentials or renewals are stopping now, 1 they will unless somebody acts, 2 look today, 3 look this week.
// The newest line of `watch-fleet` alone is judged: what it does not name is over.
var reasonRules = [
  {
    name: 'credentials-expired'
    severity: 0
    reasons: ['IdentitiesExpired']
    description: 'Identities hold a credential that has expired. First: GET /api/status?state=CertificateExpired (TokenExpired, BothExpired) and do the nextStep of each.'
  }
  {
    name: 'not-renewed-in-time'
    severity: 1
    reasons: ['NotRenewedInTime']
    description: 'Renewal windows have closed without a renewal; half of each life is left. First: GET /api/status?state=Retrying, then state=WaitingForAgent, and read lastFailure and nextStep.'
  }
  {
    name: 'poison-queue'
    severity: 1
    reasons: ['PoisonQueue']
    description: 'Messages of the work queue were given up on after five tries. First: read the exceptions of the function work; the scan sends the same work again within the hour, so the cause matters and not the message.'
  }
  {
    name: 'authority-step-overdue'
    severity: 1
    reasons: ['AuthorityStepOverdue', 'AuthorityNeedsSuccessor', 'AuthorityAwaitsOutsideRoot']
    description: 'A step of an authority\'s life is due and not taken. First: GET /api/authorities and read blockedBy; with an outside root, bring the signed certificate.'
  }
  {
    name: 'crl-overdue'
    severity: 1
    reasons: ['CrlOverdue']
    description: 'An authority\'s revocation list ends within a day; strict verifiers then refuse its certificates. First: read the exceptions of the function publish-crl and run it.'
  }
  {
    name: 'responder-ending'
    severity: 2
    reasons: ['ResponderEnding']
    description: 'An authority\'s OCSP responder ends within two days. First: read the exceptions of the function renew-responders and run it.'
  }
  {
    name: 'instance-locked'
    severity: 1
    reasons: ['InstancesLocked']
    description: 'Two may hold the key of an instance. First: GET .../instances of the identities that status names, find out which machine is real, then unlock or revoke.'
  }
  {
    name: 'timers-overdue'
    severity: 2
    reasons: ['TimersOverdue']
    description: 'A timer has missed two of its ticks. First: GET /api/status, timers, lastErrorCode, and the exceptions of that function.'
  }
  {
    name: 'bundle-behind'
    severity: 2
    reasons: ['BundleNotDelivered', 'BundleNotAcknowledged']
    description: 'A trust bundle is not where it must be before the next authority signs. First: GET /api/authorities, acknowledgements, missing; check the role on a cluster\'s own vault.'
  }
]

// What must keep happening. The window is the silence that is too long.
var silenceRules = [
  {
    name: 'no-scan'
    severity: 0
    query: heartbeatQuery('renew-due')
    window: scanSilence
    frequency: 'PT5M'
    enabled: true
    description: 'No scan has succeeded for two intervals: nothing is renewed. First: is the app running (portal, Overview)? Then the exceptions of the function renew-due, and GET /api/health.'
  }
  {
    name: 'no-watch'
    severity: 1
    query: heartbeatQuery('watch-fleet')
    window: watchSilence
    frequency: 'PT15M'
    enabled: true
    description: 'Nobody has looked at the fleet: the other alerts judge nothing. First: the exceptions of the function watch-fleet, and GET /api/status by hand.'
  }
  {
    name: 'backup-missing'
    severity: 2
    query: eventQuery('backup-written', '')
    window: 'P2D'
    frequency: 'PT6H'
    enabled: expectBackups
    description: 'No backup was written for two days. First: GET /api/status (BackupNotConfigured?), then the exceptions of the function backup, and run it.'
  }
]

// What must not happen, or not often.
var eventRules = [
  {
    name: 'renewals-failing'
    severity: 2
    query: eventQuery('renewal-failed', ' and toint(event["attempts"]) >= 3')
    window: 'PT1H'
    threshold: 0
    description: 'A renewal has failed for the third time in a row. First: GET /api/events?type=renewal-failed, reason; VaultAccessDenied: role assignments, VaultThrottled: VAULT_KEYS_PER_MINUTE.'
  }
  {
    name: 'login-denials'
    severity: 2
    query: eventQuery('login-denied', '')
    window: 'PT15M'
    threshold: loginDenials
    description: 'Far more logins are refused than usual. First: GET /api/events?type=login-denied, reason and source; Expired or Revoked from known addresses: agents with old login files, InvalidToken: somebody guesses.'
  }
  {
    name: 'recovery-used'
    severity: 2
    query: eventQuery('recovery-used', '')
    window: 'PT15M'
    threshold: 0
    description: 'An ended certificate was renewed with proof of its key. First: GET /api/events?type=recovery-used and ask whether that machine was really off; if not, revoke the instance.'
  }
]

var logRules = concat(
  map(reasonRules, rule => {
    name: rule.name
    severity: rule.severity
    description: rule.description
    query: reasonQuery(rule.reasons)
    window: watchSilence
    frequency: 'PT15M'
    operator: 'GreaterThan'
    threshold: 0
    enabled: true
  }),
  map(silenceRules, rule => {
    name: rule.name
    severity: rule.severity
    description: rule.description
    query: rule.query
    window: rule.window
    frequency: rule.frequency
    operator: 'LessThan'
    threshold: 1
    enabled: rule.enabled
  }),
  map(eventRules, rule => {
    name: rule.name
    severity: rule.severity
    description: rule.description
    query: rule.query
    window: rule.window
    frequency: 'PT5M'
    operator: 'GreaterThan'
    threshold: rule.threshold
    enabled: true
  })
)

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in logRules: {
    name: '${namePrefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${namePrefix}: ${replace(rule.name, '-', ' ')}'
      description: rule.description
      severity: rule.severity
      enabled: rule.enabled
      scopes: [appInsightsId]
      windowSize: rule.window
      evaluationFrequency: rule.frequency
      // It is over when it is over: an alert that is still true is not sent again.
      autoMitigate: true
      // On the first deployment there are no lines yet that a query could be tried on.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'Value'
            timeAggregation: 'Total'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: {
        actionGroups: actionGroupIds
        customProperties: { functionApp: functionAppId }
      }
    }
  }
]

// The platform's own metrics. Key Vault's availability is left out: it takes a certificate that is pending for a failure.
var metricRules = [
  {
    name: 'authority-vault-saturated'
    severity: 2
    scope: authorityVaultId
    metric: 'SaturationShoebox'
    aggregation: 'Average'
    operator: 'GreaterThan'
    threshold: 75
    dimensions: []
    description: 'The authority vault is near its limits. First: GET /api/metrics, everleaf_vault_calls_total: who calls? OCSP: lower OCSP_SIGNATURES_PER_MINUTE.'
  }
  {
    name: 'client-vault-saturated'
    severity: 2
    scope: clientVaultId
    metric: 'SaturationShoebox'
    aggregation: 'Average'
    operator: 'GreaterThan'
    threshold: 75
    dimensions: []
    description: 'The client vault is near its limits. First: lower VAULT_KEYS_PER_MINUTE, or give large clusters a vault of their own; clients that poll it too often count as well.'
  }
  {
    name: 'authority-vault-throttled'
    severity: 2
    scope: authorityVaultId
    metric: 'ServiceApiResult'
    aggregation: 'Count'
    operator: 'GreaterThan'
    threshold: vaultThrottled
    dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
    description: 'The authority vault turns requests away. First: is a taint or an update of many clusters running? It comes to an end by itself; else look for strangers in the vault\'s log.'
  }
  {
    name: 'client-vault-throttled'
    severity: 2
    scope: clientVaultId
    metric: 'ServiceApiResult'
    aggregation: 'Count'
    operator: 'GreaterThan'
    threshold: vaultThrottled
    dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
    description: 'The client vault turns requests away. First: lower VAULT_KEYS_PER_MINUTE; renewals wait and are tried again, so nothing is lost but time.'
  }
  {
    name: 'record-unavailable'
    severity: 1
    scope: recordStorageId
    metric: 'Availability'
    aggregation: 'Average'
    operator: 'LessThan'
    threshold: 99
    dimensions: []
    description: 'The storage of the record fails requests: nobody can log in without it. First: Azure Service Health of the region, then firewall, private endpoints and role assignments of the account.'
  }
]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for rule in metricRules: {
    name: '${namePrefix}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [rule.scope]
      windowSize: 'PT15M'
      evaluationFrequency: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: rule.metric
            criterionType: 'StaticThresholdCriterion'
            metricName: rule.metric
            timeAggregation: rule.aggregation
            operator: rule.operator
            threshold: rule.threshold
            dimensions: rule.dimensions
            // A vault that was never throttled has no such value of the dimension yet.
            skipMetricValidation: true
          }
        ]
      }
      actions: [for id in actionGroupIds: { actionGroupId: id }]
      customProperties: { functionApp: functionAppId }
    }
  }
]
