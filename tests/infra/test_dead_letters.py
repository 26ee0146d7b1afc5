"""`daftar dead-letters` knows every queue that takes what nobody could handle, and who gave it up."""

from ops.dead_letters.queues import LAST_RESORTS
from tests.infra.packaged import PackagedTemplate, named, on_failure


def test_every_last_resort_can_be_looked_into(template: PackagedTemplate) -> None:
    assert set(LAST_RESORTS) == template.last_resorts()


def test_what_is_redriven_goes_where_it_came_from(template: PackagedTemplate) -> None:
    came_from = {
        named(queue["RedrivePolicy"]["deadLetterTargetArn"]): name
        for name, queue in template.queues.items()
        if "RedrivePolicy" in queue
    }
    known = {each.queue: each.source for each in LAST_RESORTS.values() if each.source}
    assert known == came_from


def test_the_function_that_gave_up_is_the_one_that_reads_the_queue_or_was_called(
    template: PackagedTemplate,
) -> None:
    readers = template.sources("SQS")
    gave_up = {(named(source.properties["Queue"]), source.function) for source in readers}
    for name, function in template.functions.items():
        handled = [function.get("EventInvokeConfig", {})]
        handled += [event["Properties"] for event in function.get("Events", {}).values()]
        gave_up |= {(named(on_failure(each)), name) for each in handled if on_failure(each)}
    assert {(each.source or each.queue, each.function) for each in LAST_RESORTS.values()} == gave_up


def test_the_stream_is_told_from_events(template: PackagedTemplate) -> None:
    streams = {named(on_failure(source.properties)) for source in template.sources("DynamoDB")}
    assert {each.queue for each in LAST_RESORTS.values() if each.is_of_stream} == streams


def test_everything_it_asks_for_is_put_out_by_the_stack(template: PackagedTemplate) -> None:
    wanted = {f"{each.queue}Url" for each in LAST_RESORTS.values()}
    wanted |= {f"{each.source}Url" for each in LAST_RESORTS.values() if each.source}
    wanted |= {f"{each.function}Name" for each in LAST_RESORTS.values()} | {"RegistrationsTableName"}
    assert wanted <= set(template.document["Outputs"])


def test_a_function_logs_where_its_reasons_are_looked_for(template: PackagedTemplate) -> None:
    for each in LAST_RESORTS.values():
        log = template.resources[f"{each.function}Logs"]["Properties"]["LogGroupName"]
        assert log == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{each.function}"}
