"""`daftar dead-letters` knows every dead-letter queue and the function whose work failed."""

from ops.dead_letters.queues import DEAD_LETTER_QUEUES
from tests.support.template import PackagedTemplate, get_failure_destination, resolve_logical_id


def test_the_command_knows_every_dead_letter_queue(template: PackagedTemplate) -> None:
    assert set(DEAD_LETTER_QUEUES) == template.find_dead_letter_queues()


def test_a_message_is_redriven_to_its_source_queue(template: PackagedTemplate) -> None:
    source_by_queue = {
        resolve_logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"]): name
        for name, queue in template.queues.items()
        if "RedrivePolicy" in queue
    }
    known = {each.logical_id: each.source_queue for each in DEAD_LETTER_QUEUES.values() if each.source_queue}
    assert known == source_by_queue


def test_each_queue_names_the_function_whose_work_failed(
    template: PackagedTemplate,
) -> None:
    readers = template.find_event_sources("SQS")
    expected = {(resolve_logical_id(source.properties["Queue"]), source.function) for source in readers}
    for name, function in template.functions.items():
        handled = [function.get("EventInvokeConfig", {})]
        handled += [event["Properties"] for event in function.get("Events", {}).values()]
        expected |= {
            (resolve_logical_id(get_failure_destination(each)), name)
            for each in handled
            if get_failure_destination(each)
        }
    assert {
        (each.source_queue or each.logical_id, each.function_id) for each in DEAD_LETTER_QUEUES.values()
    } == expected


def test_the_command_distinguishes_stream_records_from_events(template: PackagedTemplate) -> None:
    streams = {
        resolve_logical_id(get_failure_destination(source.properties))
        for source in template.find_event_sources("DynamoDB")
    }
    assert {each.logical_id for each in DEAD_LETTER_QUEUES.values() if each.is_for_stream} == streams


def test_the_stack_has_every_output_that_the_command_reads(template: PackagedTemplate) -> None:
    required = {f"{each.logical_id}Url" for each in DEAD_LETTER_QUEUES.values()}
    required |= {f"{each.source_queue}Url" for each in DEAD_LETTER_QUEUES.values() if each.source_queue}
    required |= {f"{each.function_id}Name" for each in DEAD_LETTER_QUEUES.values()} | {
        "RegistrationsTableName"
    }
    assert required <= set(template.document["Outputs"])


def test_the_command_reads_the_log_group_of_the_function(template: PackagedTemplate) -> None:
    for each in DEAD_LETTER_QUEUES.values():
        log = template.resources[f"{each.function_id}Logs"]["Properties"]["LogGroupName"]
        assert log == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{each.function_id}"}
