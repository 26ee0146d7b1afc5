"""The files and locks of a local stack whose programs seem to run."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.template import join_template, list_functions
from ops.dead_letters.queues import DEAD_LETTER_QUEUES
from ops.local.description import StackDescription


def make_description(url: str) -> StackDescription:
    """Return the description of a stack whose parts are all at one URL."""
    return StackDescription(
        api_url=url,
        app_url=f"{url}/app",
        console_url=f"{url}/console",
        odk_url=f"{url}/odk/t",
        aws_endpoint_url=url,
        region="ap-southeast-3",
        campaign_id="tanah-abang-2024",
        tokens=dict.fromkeys(("kiosk", "manager", "admin"), "t"),
        device_tokens={"kiosk-1": "t"},
        gateway_url=url,
        chat_url=url,
        outputs=make_outputs(url),
        mails="gone",
    )


def make_outputs(url: str) -> dict[str, str]:
    """Return the outputs of the template that commands read."""
    queues = {*DEAD_LETTER_QUEUES, *(each.source_queue for each in DEAD_LETTER_QUEUES.values())}
    resources = join_template()["Resources"]
    tables = [name for name, each in resources.items() if each.get("Type") == "AWS::DynamoDB::Table"]
    names = [*tables, *list_functions(), "ExportsBucket"]
    return {
        **{f"{name}Url": f"{url}/{name}" for name in {*queues, "NotificationsQueue"} if name},
        **{f"{name}Name": name for name in names},
        "RestAPIId": "api-1",
        "RestAPIStage": "api",
        "EndpointURL": f"{url}/api/",
        "FieldKeyArn": "arn:aws:kms:ap-southeast-3:000000000000:key/k",
        **{
            f"{name}Arn": f"arn:aws:sns:ap-southeast-3:000000000000:{name}"
            for name in ("AlarmTopic", "ReceiptsTopic")
        },
    }


@contextmanager
def running_programs(local: Path, port: int, description: str) -> Iterator[None]:
    """Hold the locks of a local stack's programs, as if they ran, beside a description."""
    home = local / f"port-{port}"
    home.mkdir(parents=True)
    (home / "stack.json").write_text(description)
    (local / "stack.json").write_text(description)
    with ExitStack() as locks:
        for name in ("emulator", "fake-sms", "fake-chat"):
            file = locks.enter_context((home / f"{name}.pid").open("a"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
