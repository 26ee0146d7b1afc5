"""The edge of Daftar: HTTP routes, and one statement for each queue, stream and schedule.

Event handlers stand here and not on blueprints: Lambda imports the module that a handler is defined in, and
only this one sets up everything. The ARNs are placeholders; `infra/functions.yaml` names the real sources.
What only one of them needs it imports itself: the cold start of the API, in the same zip, would pay for it.
"""

from typing import Any, cast

from chalicelib import cold_start  # isort: split

from chalice.app import AuthRequest, Chalice, CloudWatchEvent, DynamoDBEvent, SQSEvent

from chalicelib import observability, wiring
from chalicelib.aws import batches
from chalicelib.campaigns.routes import routes as campaign_routes
from chalicelib.clients import authorizer
from chalicelib.clients.routes import routes as client_routes
from chalicelib.contributions.routes import routes as quote_routes
from chalicelib.data_requests.routes import routes as privacy_routes
from chalicelib.http.endpoints import is_public
from chalicelib.http.routes import routes as api_routes
from chalicelib.notifications.routes import routes as gateway_routes
from chalicelib.registrations.routes import routes as registration_routes
from chalicelib.rollups.routes import routes as summary_routes

# How long API Gateway may keep an authorizer's answer, and so how soon a revoked token is refused.
AUTHORIZATION_KEPT_SECONDS = 60

# Chalice would set the level of the logger of this name, which is Powertools' and ours, to ERROR whenever it
# does not find its own idea of a handler on it.
app = Chalice(app_name="daftar", configure_logs=False)
for routes in (
    *(registration_routes, campaign_routes, summary_routes, client_routes),
    *(quote_routes, gateway_routes, privacy_routes, api_routes),
):
    app.register_blueprint(routes)
for source in ("dynamodb", "scheduled", "sqs"):
    app.register_middleware(observability.redact_errors, source)


@app.authorizer(ttl_seconds=AUTHORIZATION_KEPT_SECONDS)
def authorize_caller(request: AuthRequest) -> dict[str, Any]:
    """Who is calling."""
    return authorizer.build_policy(wiring.registry(), wiring.sightings(), request.token, request.method_arn)


authorizer.protect_routes(app, authorize_caller, is_public=is_public)


@app.on_dynamodb_record(
    stream_arn="arn:aws:dynamodb:ap-southeast-3:000000000000:table/from-infra/stream/from-infra"
)
def on_registration_changes(event: DynamoDBEvent) -> batches.PartialBatch:
    """Announce what was stored."""
    return batches.consume_stream(event.to_dict(), wiring.relay().publish)


@app.on_sqs_message(queue_arn="arn:aws:sqs:ap-southeast-3:000000000000:from-infra")
def on_notifications(event: SQSEvent) -> batches.PartialBatch:
    """Tell workers."""
    from chalicelib.notifications import consumer

    return batches.consume_queue(event.to_dict(), consumer.make_handler(wiring.notifier()))


@app.on_sqs_message(queue_arn="arn:aws:sqs:ap-southeast-3:000000000000:from-infra")
def on_receipts(event: SQSEvent) -> batches.PartialBatch:
    """Note what the SMS service reports."""
    from chalicelib.notifications import consumer

    return batches.consume_queue(event.to_dict(), consumer.make_receipt_handler(wiring.notifier()))


@app.schedule("cron(* * * * ? *)")
def queue_due_sms(event: CloudWatchEvent) -> dict[str, int]:
    """Give texts that are due back to the senders."""
    from chalicelib.notifications import schedule

    return schedule.queue_due_sms(wiring.requeue())


@app.schedule("cron(0 * * * ? *)")
def roll_up_due_days(event: CloudWatchEvent) -> dict[str, int]:
    """Count campaign days."""
    from chalicelib.rollups import schedule

    return schedule.roll_up(wiring.rollup(), wiring.utc_now, cast("schedule.LambdaContext", event.context))


# What the hour has counted is told with the next of these, five minutes later at most.
@app.schedule("cron(0/5 * * * ? *)")
def deliver_reports(event: CloudWatchEvent) -> dict[str, int]:
    """Tell managers of their campaigns' days."""
    from chalicelib.deliveries import schedule

    return schedule.deliver_reports(wiring.deliverer())


# After the hour's count. Two rounds, should the first one fail, are over before the next.
@app.schedule("cron(20 * * * ? *)")
def export_days(event: CloudWatchEvent) -> dict[str, int]:
    """Export final campaign days for analysts."""
    from chalicelib.exports import schedule

    return schedule.export_days(
        wiring.exporter(), wiring.utc_now, cast("schedule.LambdaContext", event.context)
    )


# Ten minutes past midnight in Jakarta, when a contribution month has turned everywhere that counts.
@app.schedule("cron(10 17 * * ? *)")
def age_registrations(event: CloudWatchEvent) -> dict[str, int]:
    """Expire and lapse what time has run out for, and destroy what may not be kept any longer."""
    from chalicelib.registrations import schedule

    return schedule.age_due_registrations(wiring.casework(), wiring.erasing())


cold_start.finish()
