"""Every place that replaces or relies on private or undocumented parts of a library.

`tests/structure/test_library_patches.py` fails when a library changes its version or loses one of the names,
and when another module imports the same part.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class LibraryPatch:
    """One use of a library's private parts.

    `version` is the version that the use was written for and tested with. `names` are dotted paths of what is
    used. `modules` are the modules that only the files of `files` may import; empty if others need them as
    well.
    """

    library: str
    version: str
    names: tuple[str, ...]
    files: tuple[str, ...]
    reason: str
    modules: tuple[str, ...] = ()


# In the emulator's own environment.
MINISTACK_PATCH = LibraryPatch(
    library="ministack",
    version="1.5.33",
    names=(
        "ministack.app._enforce_data_plane",
        "ministack.app._enforce_ses_v2",
        "ministack.app.extract_region",
        "ministack.core.iam_actions.request_tag_context",
        "ministack.core.lambda_runtime.zipfile",
        "ministack.core.responses.get_account_id",
        "ministack.services.dynamodb._condition_syntax_error",
        "ministack.services.dynamodb._stream_records",
        "ministack.services.dynamodb._stream_trimmed",
        "ministack.services.dynamodb._tokenize",
        "ministack.services.dynamodb.get_state",
        "ministack.services.dynamodb.load_persisted_state",
        "ministack.services.dynamodb.stream_live_records",
        "ministack.services.dynamodb.stream_start_position",
        "ministack.services.kms._decrypt",
        "ministack.services.kms._encrypt",
        "ministack.services.kms.handle_request",
        "ministack.services.lambda_svc._dynamodb_stream_positions",
        "ministack.services.lambda_svc._dynamodb_stream_positions_lock",
        "ministack.services.lambda_svc._execute_function",
        "ministack.services.lambda_svc._iter_all_esms",
        "ministack.services.lambda_svc._send_ddb_stream_failure_record",
        "ministack.services.ses_v2._parse_raw_mime",
        "ministack.services.ses_v2._sent_emails_list",
    ),
    files=("ops/local/emulator_main.py",),
    modules=("ministack",),
    reason="corrects the differences from AWS that its docstring lists",
)

LIBRARY_PATCHES = (
    MINISTACK_PATCH,
    LibraryPatch(
        library="chalice",
        version="1.34.0",
        names=("chalice.app.RouteEntry", "chalice.app.Response.to_dict"),
        files=("chalicelib/clients/authorizer.py", "chalicelib/http/endpoints.py"),
        reason="sets `RouteEntry.authorizer`; a response with bytes overrides `to_dict`",
    ),
    LibraryPatch(
        library="chalice",
        version="1.34.0",
        names=(
            "chalice.local.LambdaContext",
            "chalice.test.Client.http",
            "chalice.app._HandlerRegistration",
            "chalice.local.LocalGateway.handle_request",
        ),
        files=(
            "tests/browser/console/branch.py",
            "tests/edge/conftest.py",
            "tests/faults/drill.py",
            "tests/edge/test_dynamodb_faults.py",
            "tests/support/app_server.py",
        ),
        modules=("chalice.local",),
        reason="calls the API and the functions (`Chalice.handler_map`) in process, with a time limit",
    ),
    LibraryPatch(
        library="botocore",
        version="1.44.5",
        names=(
            "botocore.handlers.BUILTIN_HANDLERS",
            "botocore.loaders.Loader.list_available_services",
            "botocore.loaders.Loader.load_data_with_path",
            "botocore.loaders.Loader.load_service_model",
            "botocore.model.ServiceModel",
            "botocore.serialize.JSONSerializer._serialize_type_map",
            "botocore.validate.ParamValidator",
        ),
        files=(
            "chalicelib/aws/serializers.py",
            "chalicelib/aws/service_data.py",
            "chalicelib/aws/sessions.py",
            "ops/deploy/service_models.py",
            "ops/fake_sms/aws_protocol.py",
            "tests/aws/test_serializers.py",
            "tests/ops/test_service_models.py",
        ),
        modules=(
            "botocore.handlers",
            "botocore.loaders",
            "botocore.model",
            "botocore.serialize",
            "botocore.validate",
        ),
        reason="loads our services and operations only, for a short cold start; serializes items without"
        " DynamoDB's model; validates requests to the fake gateway",
    ),
    LibraryPatch(
        library="botocore",
        version="1.44.5",
        names=("botocore.session.create_loader", "botocore.session.Session.create_client"),
        files=("tests/conftest.py", "tests/structure/test_import.py"),
        reason="tests read each service's model once; proves that an import creates no client",
    ),
    LibraryPatch(
        library="pydantic",
        version="2.14.3",
        names=(
            "pydantic.json_schema.GenerateJsonSchema.field_title_should_be_set",
            "pydantic.json_schema.GenerateJsonSchema.generate",
            "pydantic.json_schema.GenerateJsonSchema.generate_definitions",
        ),
        files=("ops/openapi/schemas.py", "tests/structure/test_import.py"),
        modules=("pydantic.json_schema",),
        reason="schemas without titles of fields; proves that an import builds no schema",
    ),
    LibraryPatch(
        library="aws-lambda-powertools",
        version="3.37.0",
        names=(
            "aws_lambda_powertools.logging.formatter.LambdaPowertoolsFormatter.format",
            "aws_lambda_powertools.logging.formatter.LambdaPowertoolsFormatter.serialize",
        ),
        files=("chalicelib/observability.py",),
        modules=("aws_lambda_powertools.logging.formatter",),
        reason="removes personal data from log lines",
    ),
    LibraryPatch(
        library="XlsxWriter",
        version="3.3.1",
        names=(
            "xlsxwriter.Workbook._get_packager",
            "xlsxwriter.packager.Packager._filename",
            "xlsxwriter.packager.Packager._write_shared_strings_file",
            "xlsxwriter.sharedstrings.SharedStrings._assemble_xml_file",
            "xlsxwriter.sharedstrings.SharedStrings._set_xml_writer",
            "xlsxwriter.sharedstrings.SharedStrings._write_si",
            "xlsxwriter.sharedstrings.SharedStrings._xml_si_element",
        ),
        files=("chalicelib/rollups/renderings/workbook.py",),
        modules=("xlsxwriter.packager", "xlsxwriter.sharedstrings"),
        reason="escapes cell texts that XlsxWriter escapes in part or takes for its own markup",
    ),
    LibraryPatch(
        library="awslambdaric",
        version="4.2.2",
        names=("awslambdaric.__main__.main",),
        files=("tests/support/lambda_runtime.py",),
        reason="runs a function of the zip under AWS's own runtime client",
    ),
    LibraryPatch(
        library="pytest-xdist",
        version="3.8.0",
        names=("xdist.scheduler.LoadScopeScheduling._split_scope",),
        files=("tests/support/scheduling.py",),
        modules=("xdist",),
        reason="keeps tests that share a stack on one worker",
    ),
    LibraryPatch(
        library="moto",
        version="5.2.5",
        names=(
            "moto.core.botocore_stubber.BotocoreStubber.process_request",
            "moto.core.serialize.ResponseSerializer.get_value",
            "moto.dynamodb.models.copy",
            "moto.dynamodb.models.DynamoDBBackend.update_item",
        ),
        files=("tests/support/moto_transactions.py",),
        modules=("moto.core.botocore_stubber", "moto.core.serialize", "moto.dynamodb.models"),
        reason="a transaction copies only the items that it changes, not the table; one request at a time;"
        " answers are read by the names of AWS alone",
    ),
    LibraryPatch(
        library="moto",
        version="5.2.5",
        names=("moto.dynamodb.responses.DynamoHandler.call_action",),
        files=("tests/edge/test_batch_routes.py",),
        modules=("moto.dynamodb.responses",),
        reason="serialises requests of several threads",
    ),
    LibraryPatch(
        library="moto",
        version="5.2.5",
        names=(
            "moto.backends.get_backend",
            "moto.core.models.DEFAULT_ACCOUNT_ID",
            "moto.ses.models.ses_backends",
        ),
        files=(
            "tests/support/moto_snapshots.py",
            "tests/support/moto_transactions.py",
            "tests/edge/test_report_function.py",
        ),
        modules=("moto.backends", "moto.core", "moto.ses"),
        reason="saves and restores the state of back ends; reads the sent mails",
    ),
    LibraryPatch(
        library="schemathesis",
        version="4.32.5",
        names=("schemathesis.specs.openapi.definitions.OPENAPI_31_VALIDATOR",),
        files=("tests/openapi/test_openapi_document.py",),
        modules=("schemathesis.specs",),
        reason="validates our OpenAPI document",
    ),
)
