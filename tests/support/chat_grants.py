"""The grants of the functions of chats, and those that the API has for chats."""

from tests.support.template import Grant

DATA_KEY_GRANTS = {Grant("dynamodb:Query", "KeysTable.Arn"), Grant("kms:Decrypt", "FieldKey.Arn")}

CHAT_GRANTS = {
    Grant("sqs:SendMessage", "ChatEventsQueue.Arn"),
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

CHAT_FUNCTION_GRANTS = {
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
        Grant("dynamodb:Query", "KeysTable.Arn"),
        Grant("kms:Decrypt", "FieldKey.Arn"),
        Grant("secretsmanager:GetSecretValue", "TelegramSecret if TelegramIsConfigured"),
        Grant("secretsmanager:GetSecretValue", "WhatsappSecret if WhatsappIsConfigured"),
    },
}
