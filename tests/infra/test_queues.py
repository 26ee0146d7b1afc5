"""Every queue: what is read is bounded, what fails is kept, what is kept is noticed."""

from tests.support.template import PackagedTemplate, resolve_logical_id

FOURTEEN_DAYS = 14 * 24 * 60 * 60
MOST_ATTEMPTS = 10


def test_every_queue_is_either_read_by_a_function_or_takes_what_failed(template: PackagedTemplate) -> None:
    assert set(template.queues) == set(template.find_consumed_queues()) | template.find_dead_letter_queues()
    assert not set(template.find_consumed_queues()) & template.find_dead_letter_queues()


def test_one_bad_message_of_a_batch_does_not_bring_back_the_good_ones(template: PackagedTemplate) -> None:
    for queue, source in template.find_consumed_queues().items():
        assert source.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], queue


def test_a_queue_gives_up_on_a_message_after_a_few_attempts_and_keeps_it(template: PackagedTemplate) -> None:
    for queue in template.find_consumed_queues():
        redrive = template.queues[queue]["RedrivePolicy"]
        assert resolve_logical_id(redrive["deadLetterTargetArn"]) in template.queues, queue
        assert 2 <= redrive["maxReceiveCount"] <= MOST_ATTEMPTS, queue


def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_run(
    template: PackagedTemplate,
) -> None:
    for queue, source in template.find_consumed_queues().items():
        timeout = template.functions[source.function]["Timeout"]
        assert template.queues[queue]["VisibilityTimeout"] >= 6 * timeout, queue


def test_a_dead_letter_outlives_the_queue_it_came_from(template: PackagedTemplate) -> None:
    for queue in template.find_consumed_queues():
        dead_letters = resolve_logical_id(template.queues[queue]["RedrivePolicy"]["deadLetterTargetArn"])
        kept = template.queues[dead_letters]["MessageRetentionPeriod"]
        assert template.queues[queue]["MessageRetentionPeriod"] < kept, queue


def test_what_failed_is_kept_as_long_as_sqs_keeps_anything(template: PackagedTemplate) -> None:
    assert template.find_dead_letter_queues()
    for queue in template.find_dead_letter_queues():
        assert template.queues[queue]["MessageRetentionPeriod"] == FOURTEEN_DAYS, queue


def test_no_queue_may_dump_its_failures_on_anothers_dead_letters(template: PackagedTemplate) -> None:
    for queue in template.find_dead_letter_queues():
        assert template.queues[queue]["RedriveAllowPolicy"]["redrivePermission"] != "allowAll", queue


def test_something_left_in_a_failure_queue_raises_an_alarm_within_minutes(template: PackagedTemplate) -> None:
    alarms = template.find_alarms("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName")
    assert set(alarms) == template.find_dead_letter_queues()
    for queue, alarm in alarms.items():
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1), (
            queue
        )
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 300, queue


def test_a_message_that_waits_too_long_raises_an_alarm(template: PackagedTemplate) -> None:
    waited = template.find_alarms("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName")
    assert set(waited) == set(template.find_consumed_queues())


def test_how_many_readers_of_a_queue_run_at_once_is_bounded(template: PackagedTemplate) -> None:
    for queue, source in template.find_consumed_queues().items():
        assert 2 <= source.properties["ScalingConfig"]["MaximumConcurrency"] <= 50, queue


def test_every_queue_is_encrypted(template: PackagedTemplate) -> None:
    for name, queue in template.queues.items():
        assert queue.get("SqsManagedSseEnabled") is True or "KmsMasterKeyId" in queue, name
