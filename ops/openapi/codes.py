"""Every code that a caller can get, from the tables that the API and API Gateway answer from, and what each
means for whoever gets it.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from chalicelib.problems import PROBLEMS
from ops.emulator import ROOT

_RESOURCES = ROOT / "infra" / "resources.yaml"
_BETWEEN_LANGUAGES = " / "


@dataclass(frozen=True)
class Told:
    """The same in both languages."""

    id: str
    en: str


@dataclass(frozen=True)
class Code:
    """One code: its status, the title it comes with, and what it means."""

    code: str
    status: int
    title: Told
    meaning: Told


# What to make of each code, beyond its title. A code without a line here fails the tests.
MEANINGS = {
    "body_invalid": Told(
        "Ada isian yang kurang, berlebih, atau salah jenis, di isi permintaan atau di alamatnya; `errors` "
        "menyebutkan masing-masing. Tidak ada yang disimpan.",
        "Fields of the body, or of the query, are missing, unknown or of the wrong type; `errors` names "
        "each. Nothing was stored.",
    ),
    "body_too_large": Told(
        "Satu data paling besar 64 KB, satu kiriman sekaligus paling besar 1 MB.",
        "A body may have 64 KB, a batch 1 MB. Send a batch in smaller parts.",
    ),
    "campaign_exists": Told(
        "Pilih id lain, atau ubah kegiatan yang ada dengan PATCH.",
        "Choose another id, or change the campaign that is there with PATCH.",
    ),
    "campaign_not_yours": Told(
        "Token ini terikat pada kegiatan lain. Tidak dikatakan apakah kegiatan ini ada.",
        "This token is bound to other campaigns. Whether this one exists is not said.",
    ),
    "campaign_unknown": Told("Periksa id kegiatan.", "Check the campaign's id."),
    "capture_forgotten": Told(
        "Tidak perlu dikirim lagi: pendaftaran ini pernah diterima, lalu datanya dimusnahkan.",
        "It need not be sent again: it was taken in once, and its data was destroyed since.",
    ),
    "capture_reused": Told(
        "Yang pertama tetap berlaku; data baru perlu capture_id baru.",
        "The first one stands. Another capture needs a capture_id of its own.",
    ),
    "client_cap_reached": Told(
        "Tidak ada yang disimpan. Kirim lagi setelah `Retry-After`, atau minta admin menaikkan batas.",
        "Nothing was stored. Send it again when `Retry-After` is over, or ask an admin for a higher number.",
    ),
    "client_exists": Told(
        "Tokennya tidak bisa ditunjukkan lagi; pilih id lain.",
        "Its token cannot be shown again; choose another id.",
    ),
    "client_revoked": Told(
        "Klien yang dicabut tidak mendapat token baru; daftarkan klien dengan id lain.",
        "A client that was revoked gets no new token; enrol one under another id.",
    ),
    "client_unknown": Told("Periksa id klien.", "Check the client's id."),
    "cursor_invalid": Told(
        "Mulai lagi tanpa `cursor`, atau kirim persis seperti diterima.",
        "Begin again without `cursor`, or send it exactly as it was given.",
    ),
    "day_not_in_campaign": Told(
        "Tulis tanggal sebagai YYYY-MM-DD, di antara hari pertama dan terakhir kegiatan.",
        "Write the day as YYYY-MM-DD, from the campaign's first day to its last.",
    ),
    "format_unavailable": Told(
        "Sebutkan di `Accept` atau `?format=` salah satu bentuk: JSON, HTML, CSV, XLSX.",
        "Name one of its forms in `Accept` or `?format=`: JSON, HTML, CSV, XLSX.",
    ),
    "internal_error": Told(
        "Kesalahan kami; kami sudah diberi tahu. Mengirim ulang aman.",
        "A fault of ours, and we have been told. Sending the same again is safe.",
    ),
    "json_malformed": Told(
        "Isi permintaan tidak terbaca sebagai JSON (UTF-8).",
        "The body cannot be read as JSON in UTF-8.",
    ),
    "media_type_unsupported": Told(
        "Isi permintaan harus `Content-Type: application/json`.",
        "A body comes as `Content-Type: application/json`.",
    ),
    "payment_reused": Told(
        "Yang pertama tetap berlaku; pembayaran lain perlu payment_id baru.",
        "The first one stands. Another payment needs a payment_id of its own.",
    ),
    "phone_cap_reached": Told(
        "Tidak ada yang disimpan. Periksa nomornya; jika benar, kirim lagi setelah `Retry-After`.",
        "Nothing was stored. Check the number; if it is right, send it again when `Retry-After` is over.",
    ),
    "registration_destroyed": Told(
        "Hanya hitungannya yang tersisa; pekerja dapat mendaftar lagi.",
        "Only its counts are left; the worker may register anew.",
    ),
    "registration_superseded": Told(
        "Pembayaran untuk pendaftaran lama tidak diterima; cari yang baru.",
        "What happens now belongs to the newer registration; find that one.",
    ),
    "registration_unknown": Told(
        "Tidak ada, atau milik kegiatan yang bukan kegiatan Anda.",
        "There is none, or it is of a campaign that is not yours.",
    ),
    "request_invalid": Told("Permintaan tidak bisa dibaca.", "The request could not be read."),
    "request_refused": Told(
        "Ditolak oleh penyaring sebelum sampai ke layanan.",
        "A filter in front of the service has refused it.",
    ),
    "request_reused": Told(
        "Yang pertama tetap berlaku; permintaan lain perlu request_id baru.",
        "The first one stands. Another request needs a request_id of its own.",
    ),
    "role_not_allowed": Told(
        "Token ini untuk peran lain; setiap alamat menyebutkan perannya.",
        "This token is for other roles; each operation names its own.",
    ),
    "route_unknown": Told(
        "Periksa alamat dan metode (GET, POST, …) permintaan.",
        "Check the path and the method; nothing else was looked at.",
    ),
    "rules_broken": Told(
        "Data terbaca tetapi melanggar ketentuan; `errors` menyebutkan semuanya sekaligus. Perbaiki dan "
        "kirim lagi dengan capture_id yang sama.",
        "The data could be read but breaks rules; `errors` names all of them at once. Mend it and send it "
        "again, under the same capture_id.",
    ),
    "signature_invalid": Told(
        "Hanya gateway SMS yang memanggil alamat ini; setiap laporannya ditandatangani.",
        "Only the SMS gateway calls this path, and it signs each of its reports.",
    ),
    "summary_unknown": Told(
        "Rekap dihitung pada jam rekap; POST ke alamat yang sama menghitung sekarang.",
        "A day is counted at its summary hour; POST to the same path counts it now.",
    ),
    "token_missing_or_unknown": Told(
        "Kirim `Authorization: Bearer …` dengan token yang diberikan admin.",
        "Send `Authorization: Bearer …` with a token that an admin has given you.",
    ),
    "token_revoked": Told("Minta token baru kepada admin.", "Ask an admin for a new token."),
    "too_many_requests": Told(
        "Tunggu selama `Retry-After` lalu kirim lagi.",
        "Wait for as long as `Retry-After` says, then send it again.",
    ),
    "transition_not_allowed": Told(
        "Lihat status pendaftaran; yang dilaporkan tidak cocok dengan status itu.",
        "Look at the registration's status: what was reported cannot happen in it.",
    ),
    "try_again": Told(
        "Tidak ada yang disimpan. Tunggu selama `Retry-After`, lalu kirim permintaan yang sama lagi.",
        "Nothing was stored. Wait for as long as `Retry-After` says, then send the very same request again.",
    ),
}


class _Loader(yaml.SafeLoader):
    """YAML in which CloudFormation's short functions (`!Ref`, `!If` …) stand for nothing."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


@cache
def every_code() -> dict[str, Code]:
    """All codes, by code. Raises KeyError for one whose meaning nobody has written."""
    titles = {code: (problem.status, Told(problem.id, problem.en)) for code, problem in PROBLEMS.items()}
    for body in _gateway_bodies():
        indonesian, _, english = body["title"].partition(_BETWEEN_LANGUAGES)
        titles.setdefault(body["code"], (body["status"], Told(indonesian, english)))
    return {
        code: Code(code, status, title, MEANINGS[code]) for code, (status, title) in sorted(titles.items())
    }


def _gateway_bodies() -> list[dict[str, Any]]:
    """What API Gateway answers by itself."""
    resources = yaml.load(_RESOURCES.read_text(encoding="utf-8"), _Loader)["Resources"]  # noqa: S506 - our own safe subclass
    responses = resources["RestAPI"]["Properties"]["GatewayResponses"].values()
    return [json.loads(body) for response in responses for body in response["ResponseTemplates"].values()]
