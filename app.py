"""The entry points of Daftar: HTTP routes, and one statement for each queue, stream and schedule.

Handlers are defined here because Lambda imports a handler's own module only, and import what only they need
because the API's cold start would pay for it. The ARNs are placeholders for those of `infra/`.
"""

from functools import partial
from typing import Any

from chalicelib import cold_start  # isort: split

from chalice.app import AuthRequest, Chalice, CloudWatchEvent, DynamoDBEvent, SQSEvent

from chalicelib import batches, observability
from chalicelib.aws.lambda_context import get_context, get_run
from chalicelib.clients import authorizer, middleware
from chalicelib.container import Container
from chalicelib.http.lazy_routes import LazyRoutes
from chalicelib.http.route_access import build_route_access, protect_routes
from chalicelib.registrations import routes as registration_routes
from chalicelib.snapshots import complete_before_snapshot, forget_when_restored

container = forget_when_restored(Container())

# Chalice would set the logger of this name, which is the product's and Powertools' too, to level ERROR.
app = Chalice(app_name="daftar", configure_logs=False)
app.register_blueprint(registration_routes.blueprint(container))
for source in ("dynamodb", "scheduled", "sqs"):
    app.register_middleware(observability.redact_errors, source)
app.register_middleware(partial(middleware.record_use, lambda: container.token_uses), "http")


# API Gateway may reuse the answer for so long, and so refuses a revoked token within a minute.
@app.authorizer(ttl_seconds=60)
def authorize_caller(request: AuthRequest) -> dict[str, Any]:
    """Identify the caller by its token."""
    return authorizer.build_policy(
        *(container.clients, container.last_seen, request.token, request.method_arn),
        find_access=partial(build_route_access, app),
    )


def register_other_routes() -> None:
    """Register the routes that captures do not need."""
    from chalicelib.routes import ROUTES

    for routes in ROUTES:
        app.register_blueprint(routes.blueprint(container))
    protect_routes(app, authorize_caller)


protect_routes(app, authorize_caller)
app.routes = complete_before_snapshot(LazyRoutes(app.routes, register_other_routes))  # type: ignore[assignment]


@app.on_dynamodb_record(
    stream_arn="arn:aws:dynamodb:ap-southeast-3:000000000000:table/from-infra/stream/from-infra"
)
def on_registration_changes(event: DynamoDBEvent) -> batches.PartialBatch:
    """Publish what was stored."""
    return batches.consume_stream(event.to_dict(), container.stream_publisher.publish)


@app.on_sqs_message(queue_arn="arn:aws:sqs:ap-southeast-3:000000000000:from-infra")
def on_notifications(event: SQSEvent) -> batches.PartialBatch:
    """Send SMS to workers."""
    from chalicelib.notifications import consumer

    return batches.consume_queue(event.to_dict(), partial(consumer.handle, container.notifications))


@app.on_sqs_message(queue_arn="arn:aws:sqs:ap-southeast-3:000000000000:from-infra")
def on_receipts(event: SQSEvent) -> batches.PartialBatch:
    """Record the delivery receipts of gateways, and mails that bounced."""
    from chalicelib.deliveries.builder import build_receipt_handler

    return batches.consume_queue(event.to_dict(), build_receipt_handler(container))


@app.on_sqs_message(queue_arn="arn:aws:sqs:ap-southeast-3:000000000000:from-infra")
def on_chat_events(event: SQSEvent) -> batches.PartialBatch:
    """Answer what people write in chats."""
    return batches.consume_fifo_queue(event.to_dict(), container.chat_handler, container.chat_events.delay)


@app.on_sqs_message(queue_arn="arn:aws:sqs:ap-southeast-3:000000000000:from-infra")
def on_chat_outbox(event: SQSEvent) -> batches.PartialBatch:
    """Send messages to people in chats."""
    from chalicelib.chats import builder, consumer

    handle = partial(consumer.handle, container.chat_sender)
    return batches.consume_fifo_queue(event.to_dict(), handle, builder.build_delay(container))


@app.schedule("cron(* * * * ? *)")
def queue_due_sms(event: CloudWatchEvent) -> dict[str, int]:
    """Queue SMS that are due."""
    from chalicelib.notifications import schedule

    return schedule.queue_due_sms(container.due_sms)


@app.schedule("cron(0 * * * ? *)")
def roll_up_due_days(event: CloudWatchEvent) -> dict[str, int]:
    """Count campaign days."""
    from chalicelib.rollups import schedule

    return schedule.roll_up(container.due_days, container.rollups, container.clock, *get_run(event))


# Five minutes at most after the hour's count, the reports of it are sent.
@app.schedule("cron(0/5 * * * ? *)")
def deliver_reports(event: CloudWatchEvent) -> dict[str, int]:
    """Send managers the reports of their campaigns' days."""
    from chalicelib.deliveries import schedule

    return schedule.deliver_reports(container.deliveries, container.clock, get_context(event))


# After the hour's count. Two runs, should the first one fail, end before the next count.
@app.schedule("cron(20 * * * ? *)")
def export_days(event: CloudWatchEvent) -> dict[str, int]:
    """Export final campaign days for analysts."""
    from chalicelib.exports import schedule

    return schedule.export_days(container.exports, container.clock, get_context(event))


# One of the runs is ten minutes past midnight in Jakarta, when a day has ended in every zone of Indonesia.
@app.schedule("cron(10/30 * * * ? *)")
def age_registrations(event: CloudWatchEvent) -> dict[str, int]:
    """Expire and lapse registrations, and destroy personal data at the end of its retention period."""
    from chalicelib.registrations import schedule

    erase_attached, run = container.data_requests.erase_attached, get_run(event)
    return schedule.age_due_registrations(container.lifecycle, container.erasure, erase_attached, *run)


cold_start.finish()
