"""The documents of OpenRosa 1.0: list of forms, manifest of a form, answer to a submission. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from chalicelib.channels.odk.forms import File, Form
from chalicelib.languages import Language
from chalicelib.registrations.captures import Answer, Outcome
from chalicelib.strict_json import parse_data_file

MEDIA_TYPE = "text/xml"
CONTENT_TYPE = f"{MEDIA_TYPE}; charset=utf-8"

_LABELS_FILE = Path(__file__).with_name("field_labels.json")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_UNPROTECTED: Mapping[Language, str] = {
    "id": "Pekerja belum terlindungi sebelum iuran dibayar.",
    "en": "The worker is not protected until the contribution is paid.",
}
_ACCEPTED: Mapping[Language, Mapping[Outcome, str]] = {
    "id": {
        Outcome.CREATED: "Diterima. Nomor pendaftaran {reference}. {unprotected}",
        Outcome.REACTIVATED: "Didaftarkan kembali. Nomor pendaftaran {reference}. {unprotected}",
        Outcome.ALREADY_REGISTERED: "Pekerja ini sudah terdaftar dengan nomor {reference}.",
    },
    "en": {
        Outcome.CREATED: "Received. Reference {reference}. {unprotected}",
        Outcome.REACTIVATED: "Registered again. Reference {reference}. {unprotected}",
        Outcome.ALREADY_REGISTERED: "This worker is registered already, as {reference}.",
    },
}
_ERASED: Mapping[Language, str] = {
    "id": "Data ini pernah diterima, lalu dimusnahkan. Tidak perlu dikirim lagi.",
    "en": "This data was received once, and has been destroyed since. No need to send it again.",
}


def render_form_list(forms: Iterable[Form], *, base_url: str) -> str:
    """Return the list of forms. `base_url` is the URL of the device, with its token."""
    items = "".join(_render_form(form, f"{base_url}/forms/{form.form_id}/{form.version}") for form in forms)
    return f'{_DECLARATION}<xforms xmlns="http://openrosa.org/xforms/xformsList">{items}</xforms>'


def _render_form(form: Form, url: str) -> str:
    return _render(
        "xform",
        formID=form.form_id,
        name=form.name,
        version=form.version,
        hash=form.file.hash,
        downloadUrl=f"{url}/form",
        manifestUrl=f"{url}/manifest",
    )


def render_manifest(files: Iterable[File], *, form_url: str) -> str:
    """Return the manifest of a form, whose files are below `form_url`."""
    items = "".join(
        _render("mediaFile", filename=each.name, hash=each.hash, downloadUrl=f"{form_url}/media/{each.name}")
        for each in files
    )
    return f'{_DECLARATION}<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{items}</manifest>'


def _render(element: str, **values: str) -> str:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f"<{element}>{inner}</{element}>"


def render_response(message: str, *, is_accepted: bool) -> str:
    """Return the answer to a submission, or to another request that is refused."""
    nature = "submit_success" if is_accepted else "submit_error"
    return (
        f'{_DECLARATION}<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
        f'<message nature="{nature}">{escape(message)}</message></OpenRosaResponse>'
    )


def describe_answer(answer: Answer | None, language: Language) -> str:
    """Return the message to an officer whose capture was accepted. Without an answer, it was erased since."""
    if answer is None:
        return _ERASED[language]
    text = _ACCEPTED[language][answer.outcome]
    return text.format(reference=answer.reference, unprotected=_UNPROTECTED[language])


def describe_problem(problem: Mapping[str, Any], language: Language) -> str:
    """Return the message of a refusal: the problem's title, and what is wrong with each answer."""
    return " ".join((problem["title"], *_iter_messages(problem, language)))


def _iter_messages(problem: Mapping[str, Any], language: Language) -> Iterator[str]:
    for error in problem.get("errors", ()):
        yield f"{_find_label(error['field'], language)}: {error['message']}"


def _find_label(field: str, language: Language) -> str:
    """Return the name of the question that a field, or an item of one, comes from."""
    labels = _load_labels()
    found = labels.get(field) or labels.get(field.rpartition(".")[0])
    return field if found is None else found[language]


@cache
def _load_labels() -> Mapping[str, Mapping[str, str]]:
    return parse_data_file(dict[str, dict[str, str]], _LABELS_FILE.read_text(encoding="utf-8"))
