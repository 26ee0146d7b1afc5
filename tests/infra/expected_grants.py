"""The actions and resources that each function needs, and has."""

from tests.support.template import Grant

# Actions on a wildcard resource, and the reason for each.
ACTIONS_WITHOUT_RESOURCE = {
    "cloudwatch:DescribeAlarms": "alarms are read by no resource",
    "dynamodb:ListStreams": "needed to set up an event source mapping; it has no resource",
    "s3:DeleteObject": "the names of future objects are unknown",
    "s3:GetObject": "the names of future objects are unknown",
    "s3:PutObject": "the names of future objects are unknown",
    "xray:PutTelemetryRecords": "traces have no resource",
    "xray:PutTraceSegments": "traces have no resource",
}

# The roles that no function has, and the service that each is for.
SERVICE_BY_ROLE = {
    "VaultRole": "backup.amazonaws.com",
    "ApiLogsRole": "apigateway.amazonaws.com",
    "TrafficShiftRole": "codedeploy.amazonaws.com",
}

# API Gateway refuses a role for its access logs that may not do these on any log group.
ACTIONS_BY_PATTERN = {
    "ApiLogsRole": {
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams"),
        *("logs:FilterLogEvents", "logs:GetLogEvents", "logs:PutLogEvents"),
    }
}

TRACE_GRANTS = {Grant("xray:PutTelemetryRecords", "*"), Grant("xray:PutTraceSegments", "*")}
SMS = "arn:AWS::Partition:sms-voice:AWS::Region:AWS::AccountId:"
SES = "arn:AWS::Partition:ses:AWS::Region:AWS::AccountId:"
PHOTO_GRANTS = {
    Grant("s3:DeleteObject", "PhotosBucket.Arn/captures/*"),
    Grant("s3:ListBucket", "PhotosBucket.Arn"),
}
GATEWAY_ACCOUNT = Grant("secretsmanager:GetSecretValue", "TwilioSecret if TwilioIsConfigured")
SMS_GRANTS = {
    Grant("sms-voice:SendTextMessage", f"{SMS}sender-id/SmsOriginationIdentity/ID"),
    Grant(
        "sms-voice:SendTextMessage",
        f"{SMS}configuration-set/SmsConfigurationSet if ReceiptsAreConfigured",
    ),
    Grant(
        "sms-voice:SendTextMessage",
        f"{SMS}protect-configuration/SmsProtectConfiguration if ProtectionIsConfigured",
    ),
    GATEWAY_ACCOUNT,
}
CHAT_ACCOUNT_GRANTS = {
    Grant("secretsmanager:GetSecretValue", "TelegramSecret if TelegramIsConfigured"),
    Grant("secretsmanager:GetSecretValue", "WhatsappSecret if WhatsappIsConfigured"),
}
MAIL_GRANTS = {
    Grant(action, f"{SES}{resource} if MailIsConfigured")
    for action in ("ses:SendEmail", "ses:SendRawEmail")
    for resource in (
        "identity/MailIdentity",
        "configuration-set/MailConfigurationSet if MailEventsAreConfigured",
    )
}
DATA_KEY_GRANTS = {Grant("dynamodb:Query", "KeysTable.Arn"), Grant("kms:Decrypt", "FieldKey.Arn")}

CHAT_GRANTS = {
    Grant("sqs:SendMessage", "ChatEventsQueue.Arn"),
    Grant("sqs:SendMessage", "ChatOutboxQueue.Arn"),
    Grant("secretsmanager:GetSecretValue", "TelegramSecret if TelegramIsConfigured"),
    Grant("secretsmanager:GetSecretValue", "WhatsappSecret if WhatsappIsConfigured"),
    Grant("secretsmanager:GetSecretValue", "TextGatewaySecret if TextGatewayIsConfigured"),
    *(
        Grant(f"dynamodb:{action}", "ConversationsTable.Arn")
        for action in ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem")
    ),
    Grant("dynamodb:Query", "ConversationsTable.Arn/index/by_worker"),
    Grant("dynamodb:PutItem", "SendingTable.Arn"),
}

GRANTS_BY_FUNCTION = {
    "APIHandler": {
        *CHAT_GRANTS,
        Grant("dynamodb:BatchGetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:ConditionCheckItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:DeleteItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:PutItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:UpdateItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_campaign_day"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_device_sequence"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_status"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:PutItem", "CampaignsTable.Arn"),
        Grant("dynamodb:UpdateItem", "CampaignsTable.Arn"),
        Grant("dynamodb:Query", "CampaignsTable.Arn/index/by_last_day"),
        Grant("dynamodb:GetItem", "ClientsTable.Arn"),
        Grant("dynamodb:PutItem", "ClientsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ClientsTable.Arn"),
        Grant("dynamodb:Query", "ClientsTable.Arn/index/by_listing"),
        Grant("dynamodb:GetItem", "SummariesTable.Arn"),
        Grant("dynamodb:PutItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        *PHOTO_GRANTS,
        Grant("s3:GetObject", "PhotosBucket.Arn/captures/*"),
        Grant("s3:PutObject", "PhotosBucket.Arn/captures/*"),
        Grant("sqs:SendMessage", "ReceiptsQueue.Arn"),
        GATEWAY_ACCOUNT,
        Grant("dynamodb:DeleteItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_campaign_day"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_due"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_reference"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        Grant("dynamodb:GetItem", "RequestsTable.Arn"),
        Grant("dynamodb:PutItem", "RequestsTable.Arn"),
        Grant("dynamodb:Query", "RequestsTable.Arn/index/by_subject"),
        Grant("dynamodb:PutItem", "AuditTable.Arn"),
        Grant("dynamodb:Query", "AuditTable.Arn"),
        Grant("dynamodb:BatchGetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:DeleteItem", "ReviewsTable.Arn"),
        Grant("dynamodb:GetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:PutItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn/index/by_state"),
        Grant("dynamodb:Query", "AuditTable.Arn/index/by_client"),
        *DATA_KEY_GRANTS,
    },
    "AuthorizeCaller": {
        Grant("dynamodb:GetItem", "ClientsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ClientsTable.Arn"),
    },
    "OnRegistrationChanges": {
        Grant("dynamodb:DescribeStream", "RegistrationsTable.StreamArn"),
        Grant("dynamodb:GetRecords", "RegistrationsTable.StreamArn"),
        Grant("dynamodb:GetShardIterator", "RegistrationsTable.StreamArn"),
        Grant("dynamodb:ListStreams", "*"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        Grant("dynamodb:DeleteItem", "ReviewsTable.Arn"),
        Grant("dynamodb:GetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:PutItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        Grant("sqs:SendMessage", "NotificationsQueue.Arn"),
        Grant("sqs:SendMessage", "StreamFailures.Arn"),
    },
    "OnNotifications": {
        *SMS_GRANTS,
        *CHAT_ACCOUNT_GRANTS,
        Grant("dynamodb:GetItem", "ConversationsTable.Arn"),
        Grant("sqs:ChangeMessageVisibility", "NotificationsQueue.Arn"),
        Grant("sqs:DeleteMessage", "NotificationsQueue.Arn"),
        Grant("sqs:GetQueueAttributes", "NotificationsQueue.Arn"),
        Grant("sqs:ReceiveMessage", "NotificationsQueue.Arn"),
        Grant("sqs:ChangeMessageVisibility", "RemindersQueue.Arn"),
        Grant("sqs:DeleteMessage", "RemindersQueue.Arn"),
        Grant("sqs:GetQueueAttributes", "RemindersQueue.Arn"),
        Grant("sqs:ReceiveMessage", "RemindersQueue.Arn"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:ConditionCheckItem", "SendingTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        *DATA_KEY_GRANTS,
    },
    "OnReceipts": {
        Grant("sqs:ChangeMessageVisibility", "ReceiptsQueue.Arn"),
        Grant("sqs:DeleteMessage", "ReceiptsQueue.Arn"),
        Grant("sqs:GetQueueAttributes", "ReceiptsQueue.Arn"),
        Grant("sqs:ReceiveMessage", "ReceiptsQueue.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
    },
    "OnChatEvents": {
        *(
            Grant(f"sqs:{action}", "ChatEventsQueue.Arn")
            for action in ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
        ),
        Grant("sqs:SendMessage", "ChatOutboxQueue.Arn"),
        Grant("dynamodb:DeleteItem", "ConversationsTable.Arn"),
        Grant("dynamodb:GetItem", "ConversationsTable.Arn"),
        Grant("dynamodb:PutItem", "ConversationsTable.Arn"),
        Grant("dynamodb:BatchGetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:ConditionCheckItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:PutItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:UpdateItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:GetItem", "ClientsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ClientsTable.Arn"),
        Grant("dynamodb:PutItem", "AuditTable.Arn"),
        *DATA_KEY_GRANTS,
        Grant("dynamodb:UpdateItem", "ConversationsTable.Arn"),
        Grant("dynamodb:PutItem", "ClientsTable.Arn"),
        Grant("sqs:SendMessage", "ReceiptsQueue.Arn"),
        Grant("dynamodb:PutItem", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
    },
    "OnChatOutbox": {
        Grant("sqs:ChangeMessageVisibility", "ChatOutboxQueue.Arn"),
        Grant("sqs:DeleteMessage", "ChatOutboxQueue.Arn"),
        Grant("sqs:GetQueueAttributes", "ChatOutboxQueue.Arn"),
        Grant("sqs:ReceiveMessage", "ChatOutboxQueue.Arn"),
        Grant("dynamodb:GetItem", "ConversationsTable.Arn"),
        Grant("dynamodb:PutItem", "ConversationsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ConversationsTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:UpdateItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:Query", "KeysTable.Arn"),
        Grant("kms:Decrypt", "FieldKey.Arn"),
        *CHAT_ACCOUNT_GRANTS,
    },
    "QueueDueSms": {
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_due"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("sqs:SendMessage", "NotificationsQueue.Arn"),
        Grant("sqs:SendMessage", "RemindersQueue.Arn"),
        Grant("sqs:SendMessage", "DueSmsFailures.Arn"),
    },
    "RollUpDueDays": {
        Grant("dynamodb:Query", "ClientsTable.Arn/index/by_listing"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_device_sequence"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:PutItem", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        Grant("dynamodb:DeleteItem", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "SummariesTable.Arn"),
        Grant("dynamodb:PutItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn/index/by_due"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:Query", "CampaignsTable.Arn/index/by_last_day"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_campaign_day"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_campaign_day"),
        Grant("sqs:SendMessage", "RollUpFailures.Arn"),
        *DATA_KEY_GRANTS,
    },
    "DeliverReports": {
        Grant("dynamodb:DeleteItem", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "SummariesTable.Arn"),
        Grant("dynamodb:PutItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:GetItem", "CampaignsTable.Arn"),
        Grant("dynamodb:GetItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "SendingTable.Arn"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        Grant("sqs:SendMessage", "DeliveryFailures.Arn"),
        *MAIL_GRANTS,
        *SMS_GRANTS,
        *DATA_KEY_GRANTS,
    },
    "ExportDays": {
        Grant("dynamodb:DeleteItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "SummariesTable.Arn"),
        Grant("dynamodb:UpdateItem", "SummariesTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_campaign_day"),
        Grant("s3:DeleteObject", "ExportsBucket.Arn/captures/*"),
        Grant("s3:DeleteObject", "ExportsBucket.Arn/parquet/*"),
        Grant("s3:PutObject", "ExportsBucket.Arn/captures/*"),
        Grant("s3:PutObject", "ExportsBucket.Arn/parquet/*"),
        Grant("s3:ListBucket", "ExportsBucket.Arn"),
        Grant("sqs:SendMessage", "ExportFailures.Arn"),
        *DATA_KEY_GRANTS,
    },
    "AgeRegistrations": {
        Grant("dynamodb:DeleteItem", "ConversationsTable.Arn"),
        Grant("dynamodb:DeleteItem", "ReviewsTable.Arn"),
        Grant("dynamodb:GetItem", "ReviewsTable.Arn"),
        Grant("dynamodb:Query", "ReviewsTable.Arn"),
        Grant("dynamodb:UpdateItem", "ReviewsTable.Arn"),
        *PHOTO_GRANTS,
        Grant("dynamodb:DeleteItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn"),
        Grant("dynamodb:GetItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:PutItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:UpdateItem", "RegistrationsTable.Arn"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_due_day"),
        Grant("dynamodb:Query", "RegistrationsTable.Arn/index/by_status"),
        Grant("dynamodb:DeleteItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:GetItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:PutItem", "SmsLedgerTable.Arn"),
        Grant("dynamodb:Query", "SmsLedgerTable.Arn/index/by_reference"),
        Grant("dynamodb:UpdateItem", "SendingTable.Arn"),
        Grant("dynamodb:PutItem", "AuditTable.Arn"),
        Grant("sqs:SendMessage", "AgeingFailures.Arn"),
        *DATA_KEY_GRANTS,
    },
}
