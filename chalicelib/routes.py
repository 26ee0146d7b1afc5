"""The modules with HTTP routes beside those of captures: each has a function `blueprint`, for `app.py`."""

from chalicelib.audit import routes as audit_routes
from chalicelib.campaigns import routes as campaign_routes
from chalicelib.channels.odk import routes as odk_routes
from chalicelib.channels.telegram import routes as telegram_routes
from chalicelib.channels.text_menu import routes as text_menu_routes
from chalicelib.channels.whatsapp import routes as whatsapp_routes
from chalicelib.clients import routes as client_routes
from chalicelib.contributions import routes as quote_routes
from chalicelib.corrections import routes as correction_routes
from chalicelib.data_requests import routes as data_request_routes
from chalicelib.devices import routes as device_routes
from chalicelib.enrolments import routes as enrolment_routes
from chalicelib.http import routes as api_routes
from chalicelib.notifications import routes as gateway_routes
from chalicelib.occupations import routes as occupation_routes
from chalicelib.registrations import routes_batch as batch_routes
from chalicelib.registrations import routes_lifecycle as lifecycle_routes
from chalicelib.registrations import routes_reading as reading_routes
from chalicelib.rescues import routes as rescue_routes
from chalicelib.reviews import routes as review_routes
from chalicelib.rollups import routes as summary_routes
from chalicelib.searches import routes as search_routes
from chalicelib.statuses import routes as status_routes
from chalicelib.web import routes as web_routes

ROUTES = (
    api_routes,
    audit_routes,
    batch_routes,
    campaign_routes,
    client_routes,
    correction_routes,
    data_request_routes,
    device_routes,
    enrolment_routes,
    gateway_routes,
    lifecycle_routes,
    occupation_routes,
    odk_routes,
    quote_routes,
    reading_routes,
    rescue_routes,
    review_routes,
    search_routes,
    status_routes,
    summary_routes,
    telegram_routes,
    text_menu_routes,
    web_routes,
    whatsapp_routes,
)
