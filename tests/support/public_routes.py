"""The routes without the authorizer: the application and the template are held against this one list."""

# Twilio signs its callbacks, and the providers of chats prove who they are; the paths of ODK Collect have a
# token, enrolments and statuses their own proof.
PUBLIC_ROUTES = {
    ("GET", "/v1/openapi.json"),
    ("GET", "/v1/occupations"),
    ("GET", "/docs"),
    ("GET", "/healthz"),
    ("GET", "/board"),
    ("GET", "/app"),
    ("GET", "/app/service-worker.js"),
    ("GET", "/app/manifest.webmanifest"),
    ("GET", "/app/{release}/{folder}/{file}"),
    ("GET", "/console"),
    ("GET", "/console/{release}/{folder}/{file}"),
    ("POST", "/v1/gateways/twilio/receipts"),
    ("GET", "/odk/{token}/formList"),
    ("HEAD", "/odk/{token}/formList"),
    ("GET", "/odk/{token}/forms/{form_id}/{version}/form"),
    ("GET", "/odk/{token}/forms/{form_id}/{version}/manifest"),
    ("GET", "/odk/{token}/forms/{form_id}/{version}/media/{filename}"),
    ("HEAD", "/odk/{token}/submission"),
    ("POST", "/odk/{token}/submission"),
    ("POST", "/v1/enrolments"),
    ("POST", "/v1/statuses"),
    ("POST", "/v1/channels/telegram/updates"),
    ("GET", "/v1/channels/whatsapp/webhook"),
    ("POST", "/v1/channels/whatsapp/webhook"),
    ("POST", "/v1/channels/sms/inbound"),
    ("POST", "/v1/channels/ussd"),
}
