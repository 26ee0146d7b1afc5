"""Every queue has limited readers and retries, keeps what failed, and raises alarms."""

from tests.support.template import PackagedTemplate, resolve_logical_id

FOURTEEN_DAYS = 14 * 24 * 60 * 60
MOST_ATTEMPTS = 10


def test_every_queue_is_either_read_by_a_function_or_holds_failed_messages(
    template: PackagedTemplate,
) -> None:
    assert set(template.queues) == set(template.find_consumed_queues()) | template.find_dead_letter_queues()
    assert not set(template.find_consumed_queues()) & template.find_dead_letter_queues()


def test_only_failed_messages_of_a_batch_are_retried(template: PackagedTemplate) -> None:
    for queue, source in template.find_consumed_queues().items():
        assert source.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], queue


def test_a_message_becomes_a_dead_letter_after_a_few_attempts(template: PackagedTemplate) -> None:
    for queue in template.find_consumed_queues():
        redrive = template.queues[queue]["RedrivePolicy"]
        assert resolve_logical_id(redrive["deadLetterTargetArn"]) in template.queues, queue
        assert 2 <= redrive["maxReceiveCount"] <= MOST_ATTEMPTS, queue


def test_the_visibility_timeout_is_six_times_the_function_timeout(
    template: PackagedTemplate,
) -> None:
    for queue, source in template.find_consumed_queues().items():
        timeout = template.functions[source.function]["Timeout"]
        assert template.queues[queue]["VisibilityTimeout"] >= 6 * timeout, queue


def test_dead_letters_are_kept_longer_than_messages(template: PackagedTemplate) -> None:
    for queue in template.find_consumed_queues():
        dead_letters = resolve_logical_id(template.queues[queue]["RedrivePolicy"]["deadLetterTargetArn"])
        retention = template.queues[dead_letters]["MessageRetentionPeriod"]
        assert template.queues[queue]["MessageRetentionPeriod"] < retention, queue


def test_failed_messages_are_kept_for_14_days(template: PackagedTemplate) -> None:
    assert template.find_dead_letter_queues()
    for queue in template.find_dead_letter_queues():
        assert template.queues[queue]["MessageRetentionPeriod"] == FOURTEEN_DAYS, queue


def test_a_dead_letter_queue_accepts_only_its_own_source(template: PackagedTemplate) -> None:
    for queue in template.find_dead_letter_queues():
        assert template.queues[queue]["RedriveAllowPolicy"]["redrivePermission"] != "allowAll", queue


def test_a_message_in_a_dead_letter_queue_raises_an_alarm_within_minutes(template: PackagedTemplate) -> None:
    alarms = template.find_alarms("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName")
    assert set(alarms) == template.find_dead_letter_queues()
    for queue, alarm in alarms.items():
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1), (
            queue
        )
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= 300, queue


def test_a_message_that_waits_too_long_raises_an_alarm(template: PackagedTemplate) -> None:
    alarms = template.find_alarms("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName")
    assert set(alarms) == set(template.find_consumed_queues())


def test_the_concurrency_of_queue_readers_is_limited(template: PackagedTemplate) -> None:
    for queue, source in template.find_consumed_queues().items():
        assert 2 <= source.properties["ScalingConfig"]["MaximumConcurrency"] <= 50, queue


def test_every_queue_is_encrypted(template: PackagedTemplate) -> None:
    for name, queue in template.queues.items():
        assert queue.get("SqsManagedSseEnabled") is True or "KmsMasterKeyId" in queue, name


def test_queues_of_receipts_which_carry_phone_numbers_have_a_key_of_our_own(
    template: PackagedTemplate,
) -> None:
    with_key = {name: queue for name, queue in template.queues.items() if "KmsMasterKeyId" in queue}
    assert with_key.keys() == {"ReceiptsQueue", "ReceiptsDeadLetters"}
    assert {resolve_logical_id(queue["KmsMasterKeyId"]) for queue in with_key.values()} == {"ReceiptsKey"}
    statements = template.resources["ReceiptsKey"]["Properties"]["KeyPolicy"]["Statement"]
    # The topic delivers to the queue, and SMS events reach the topic.
    services = {each["Principal"].get("Service") for each in statements}
    assert {"sns.amazonaws.com", "sms-voice.amazonaws.com"} <= services


def test_a_message_with_a_phone_number_is_gone_after_14_days_at_most(template: PackagedTemplate) -> None:
    for name in ("ReceiptsQueue", "ReceiptsDeadLetters"):
        assert template.queues[name]["MessageRetentionPeriod"] <= FOURTEEN_DAYS, name
