"""Every code that a caller can get, from the tables that the API and API Gateway answer from, and what each
means for whoever gets it.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from chalicelib.http.problems import PROBLEMS
from infra.template import join_template

_LANGUAGE_SEPARATOR = " / "


@dataclass(frozen=True)
class LocalizedText:
    """The same in both languages."""

    id: str
    en: str


@dataclass(frozen=True)
class ProblemCode:
    """One code: its status, the title it comes with, and what it means."""

    code: str
    status: int
    title: LocalizedText
    meaning: LocalizedText


# What to make of each code, beyond its title. A code without a line here fails the tests.
MEANINGS = {
    "body_invalid": LocalizedText(
        "Ada isian yang kurang, berlebih, atau salah jenis, di isi permintaan atau di alamatnya; `errors` "
        "menyebutkan masing-masing. Tidak ada yang disimpan.",
        "Fields of the body, or of the query, are missing, unknown or of the wrong type; `errors` names "
        "each. Nothing was stored.",
    ),
    "body_too_large": LocalizedText(
        "Satu data paling besar 64 KB, satu kiriman sekaligus paling besar 1 MB.",
        "A body may have 64 KB, a batch 1 MB. Send a batch in smaller parts.",
    ),
    "campaign_exists": LocalizedText(
        "Pilih id lain, atau ubah kegiatan yang ada dengan PATCH.",
        "Choose another id, or change the campaign that is there with PATCH.",
    ),
    "campaign_not_yours": LocalizedText(
        "Token ini terikat pada kegiatan lain. Tidak dikatakan apakah kegiatan ini ada.",
        "This token is bound to other campaigns. Whether this one exists is not said.",
    ),
    "campaign_unknown": LocalizedText("Periksa id kegiatan.", "Check the campaign's id."),
    "capture_forgotten": LocalizedText(
        "Tidak perlu dikirim lagi: pendaftaran ini pernah diterima, lalu datanya dimusnahkan.",
        "It need not be sent again: it was taken in once, and its data was destroyed since.",
    ),
    "capture_reused": LocalizedText(
        "Yang pertama tetap berlaku; data baru perlu capture_id baru.",
        "The first one stands. Another capture needs a capture_id of its own.",
    ),
    "client_cap_reached": LocalizedText(
        "Tidak ada yang disimpan. Kirim lagi setelah `Retry-After`, atau minta admin menaikkan batas.",
        "Nothing was stored. Send it again when `Retry-After` is over, or ask an admin for a higher number.",
    ),
    "client_exists": LocalizedText(
        "Tokennya tidak bisa ditunjukkan lagi; pilih id lain.",
        "Its token cannot be shown again; choose another id.",
    ),
    "client_revoked": LocalizedText(
        "Klien yang dicabut tidak mendapat token baru; daftarkan klien dengan id lain.",
        "A client that was revoked gets no new token; enrol one under another id.",
    ),
    "client_unknown": LocalizedText("Periksa id klien.", "Check the client's id."),
    "cursor_invalid": LocalizedText(
        "Mulai lagi tanpa `cursor`, atau kirim persis seperti diterima.",
        "Begin again without `cursor`, or send it exactly as it was given.",
    ),
    "day_not_in_campaign": LocalizedText(
        "Tulis tanggal sebagai YYYY-MM-DD, di antara hari pertama dan terakhir kegiatan.",
        "Write the day as YYYY-MM-DD, from the campaign's first day to its last.",
    ),
    "format_unavailable": LocalizedText(
        "Sebutkan di `Accept` atau `?format=` salah satu bentuk: JSON, HTML, CSV, XLSX.",
        "Name one of its forms in `Accept` or `?format=`: JSON, HTML, CSV, XLSX.",
    ),
    "internal_error": LocalizedText(
        "Kesalahan kami; kami sudah diberi tahu. Mengirim ulang aman.",
        "A fault of ours, and we have been told. Sending the same again is safe.",
    ),
    "json_malformed": LocalizedText(
        "Isi permintaan tidak terbaca sebagai JSON (UTF-8).",
        "The body cannot be read as JSON in UTF-8.",
    ),
    "media_type_unsupported": LocalizedText(
        "Isi permintaan harus `Content-Type: application/json`.",
        "A body comes as `Content-Type: application/json`.",
    ),
    "payment_reused": LocalizedText(
        "Yang pertama tetap berlaku; pembayaran lain perlu payment_id baru.",
        "The first one stands. Another payment needs a payment_id of its own.",
    ),
    "phone_cap_reached": LocalizedText(
        "Tidak ada yang disimpan. Periksa nomornya; jika benar, kirim lagi setelah `Retry-After`.",
        "Nothing was stored. Check the number; if it is right, send it again when `Retry-After` is over.",
    ),
    "registration_destroyed": LocalizedText(
        "Hanya hitungannya yang tersisa; pekerja dapat mendaftar lagi.",
        "Only its counts are left; the worker may register anew.",
    ),
    "registration_superseded": LocalizedText(
        "Pembayaran untuk pendaftaran lama tidak diterima; cari yang baru.",
        "What happens now belongs to the newer registration; find that one.",
    ),
    "registration_unknown": LocalizedText(
        "Tidak ada, atau milik kegiatan yang bukan kegiatan Anda.",
        "There is none, or it is of a campaign that is not yours.",
    ),
    "request_invalid": LocalizedText("Permintaan tidak bisa dibaca.", "The request could not be read."),
    "request_refused": LocalizedText(
        "Ditolak oleh penyaring sebelum sampai ke layanan.",
        "A filter in front of the service has refused it.",
    ),
    "request_reused": LocalizedText(
        "Yang pertama tetap berlaku; permintaan lain perlu request_id baru.",
        "The first one stands. Another request needs a request_id of its own.",
    ),
    "role_not_allowed": LocalizedText(
        "Token ini untuk peran lain; setiap alamat menyebutkan perannya.",
        "This token is for other roles; each operation names its own.",
    ),
    "route_unknown": LocalizedText(
        "Periksa alamat dan metode (GET, POST, …) permintaan.",
        "Check the path and the method; nothing else was looked at.",
    ),
    "rules_broken": LocalizedText(
        "Data terbaca tetapi melanggar ketentuan; `errors` menyebutkan semuanya sekaligus. Perbaiki dan "
        "kirim lagi dengan capture_id yang sama.",
        "The data could be read but breaks rules; `errors` names all of them at once. Mend it and send it "
        "again, under the same capture_id.",
    ),
    "signature_invalid": LocalizedText(
        "Hanya gateway SMS yang memanggil alamat ini; setiap laporannya ditandatangani.",
        "Only the SMS gateway calls this path, and it signs each of its reports.",
    ),
    "summary_unknown": LocalizedText(
        "Rekap dihitung pada jam rekap; POST ke alamat yang sama menghitung sekarang.",
        "A day is counted at its summary hour; POST to the same path counts it now.",
    ),
    "token_missing_or_unknown": LocalizedText(
        "Kirim `Authorization: Bearer …` dengan token yang diberikan admin.",
        "Send `Authorization: Bearer …` with a token that an admin has given you.",
    ),
    "token_revoked": LocalizedText("Minta token baru kepada admin.", "Ask an admin for a new token."),
    "too_many_requests": LocalizedText(
        "Tunggu selama `Retry-After` lalu kirim lagi.",
        "Wait for as long as `Retry-After` says, then send it again.",
    ),
    "transition_not_allowed": LocalizedText(
        "Lihat status pendaftaran; yang dilaporkan tidak cocok dengan status itu.",
        "Look at the registration's status: what was reported cannot happen in it.",
    ),
    "try_again": LocalizedText(
        "Tidak ada yang disimpan. Tunggu selama `Retry-After`, lalu kirim permintaan yang sama lagi.",
        "Nothing was stored. Wait for as long as `Retry-After` says, then send the very same request again.",
    ),
}


@cache
def load_codes() -> dict[str, ProblemCode]:
    """All codes, by code. Raises KeyError for one whose meaning nobody has written."""
    titles = {
        code: (problem.status, LocalizedText(problem.indonesian, problem.english))
        for code, problem in PROBLEMS.items()
    }
    for body in _load_gateway_bodies():
        indonesian, _, english = body["title"].partition(_LANGUAGE_SEPARATOR)
        titles.setdefault(body["code"], (body["status"], LocalizedText(indonesian, english)))
    return {
        code: ProblemCode(code, status, title, MEANINGS[code])
        for code, (status, title) in sorted(titles.items())
    }


def _load_gateway_bodies() -> list[dict[str, Any]]:
    """What API Gateway answers by itself."""
    responses = join_template()["Resources"]["RestAPI"]["Properties"]["GatewayResponses"].values()
    return [json.loads(body) for response in responses for body in response["ResponseTemplates"].values()]
