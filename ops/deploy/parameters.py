"""The parameters of a stage's template: those of `deploy.toml`, and those that the deployment makes."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.deploy import mail_setup, sms_setup
from ops.deploy.cloudformation import FAILED_CREATION_STATUSES, PREPARED_STATUS, read_stack_status
from ops.deploy.stage_file import StageConfig
from ops.deploy.stages import AwsClientFactory

_PROTECTION, _SMS_SET, _MAIL_SET = "SmsProtectConfiguration", "SmsConfigurationSet", "MailConfigurationSet"
_MADE = (_PROTECTION, _SMS_SET, _MAIL_SET)


def make_parameters(
    config: StageConfig, aws_client: AwsClientFactory, on_note: Callable[[str], object]
) -> dict[str, str]:
    """Return the parameters, and make what they name outside of the stack.

    What a service could not make this time stays as it is deployed: a failure must take no protection away.
    """
    made = {"Stage": config.kind}
    try:
        sms = aws_client("pinpoint-sms-voice-v2")
        sms_setup.create_configuration_set(sms, config.stack_name)
        made[_SMS_SET] = config.stack_name
        if _PROTECTION not in config.parameters:
            made[_PROTECTION] = sms_setup.create_protect_configuration(sms, config.stack_name)
    except (ClientError, BotoCoreError) as error:
        on_note(sms_setup.explain_missing_service(error))
    if config.parameters.get("MailIdentity") and _MAIL_SET not in config.parameters:
        try:
            mail_setup.create_configuration_set(aws_client("sesv2"), config.stack_name)
            made[_MAIL_SET] = config.stack_name
        except (ClientError, BotoCoreError) as error:
            on_note(mail_setup.explain_missing_service(error))
    deployed = read_deployed_parameters(aws_client("cloudformation"), config.stack_name)
    kept = {name: deployed[name] for name in _MADE if deployed.get(name)}
    # The name is known before the service has made the set: without it there would be no receipts later on.
    return {_SMS_SET: config.stack_name, **kept, **made, **config.parameters}


def read_deployed_parameters(cloudformation: Any, stack_name: str) -> dict[str, str]:
    """Return the parameters of a stack, none if it was not created."""
    if read_stack_status(cloudformation, stack_name) in {None, PREPARED_STATUS, *FAILED_CREATION_STATUSES}:
        return {}
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", [])}
