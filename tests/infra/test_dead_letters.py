"""`daftar dead-letters` knows every queue that takes what nobody could handle, and who gave it up."""

from ops.dead_letters.queues import DEAD_LETTER_QUEUES
from tests.support.template import PackagedTemplate, get_failure_destination, resolve_logical_id


def test_every_last_resort_can_be_looked_into(template: PackagedTemplate) -> None:
    assert set(DEAD_LETTER_QUEUES) == template.find_dead_letter_queues()


def test_what_is_redriven_goes_where_it_came_from(template: PackagedTemplate) -> None:
    came_from = {
        resolve_logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"]): name
        for name, queue in template.queues.items()
        if "RedrivePolicy" in queue
    }
    known = {each.logical_id: each.source_queue for each in DEAD_LETTER_QUEUES.values() if each.source_queue}
    assert known == came_from


def test_the_function_that_gave_up_is_the_one_that_reads_the_queue_or_was_called(
    template: PackagedTemplate,
) -> None:
    readers = template.find_event_sources("SQS")
    gave_up = {(resolve_logical_id(source.properties["Queue"]), source.function) for source in readers}
    for name, function in template.functions.items():
        handled = [function.get("EventInvokeConfig", {})]
        handled += [event["Properties"] for event in function.get("Events", {}).values()]
        gave_up |= {
            (resolve_logical_id(get_failure_destination(each)), name)
            for each in handled
            if get_failure_destination(each)
        }
    assert {
        (each.source_queue or each.logical_id, each.function_id) for each in DEAD_LETTER_QUEUES.values()
    } == gave_up


def test_the_stream_is_told_from_events(template: PackagedTemplate) -> None:
    streams = {
        resolve_logical_id(get_failure_destination(source.properties))
        for source in template.find_event_sources("DynamoDB")
    }
    assert {each.logical_id for each in DEAD_LETTER_QUEUES.values() if each.is_for_stream} == streams


def test_everything_it_asks_for_is_put_out_by_the_stack(template: PackagedTemplate) -> None:
    wanted = {f"{each.logical_id}Url" for each in DEAD_LETTER_QUEUES.values()}
    wanted |= {f"{each.source_queue}Url" for each in DEAD_LETTER_QUEUES.values() if each.source_queue}
    wanted |= {f"{each.function_id}Name" for each in DEAD_LETTER_QUEUES.values()} | {"RegistrationsTableName"}
    assert wanted <= set(template.document["Outputs"])


def test_a_function_logs_where_its_reasons_are_looked_for(template: PackagedTemplate) -> None:
    for each in DEAD_LETTER_QUEUES.values():
        log = template.resources[f"{each.function_id}Logs"]["Properties"]["LogGroupName"]
        assert log == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{each.function_id}"}
