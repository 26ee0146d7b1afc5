"""The texts of every problem code of the API, in both languages."""

from collections.abc import Mapping

from chalicelib.values import Value


class Problem(Value):
    """A kind of refusal: its HTTP status, and its title in both languages."""

    status: int
    indonesian: str
    english: str


PROBLEMS: Mapping[str, Problem] = {
    "json_malformed": Problem(
        400, "Isi permintaan bukan JSON yang valid.", "The body is not well-formed JSON."
    ),
    "body_invalid": Problem(
        422, "Isi permintaan tidak sesuai format.", "The body does not have the expected shape."
    ),
    "rules_broken": Problem(422, "Data belum memenuhi ketentuan.", "The data breaks rules of registration."),
    "body_too_large": Problem(413, "Isi permintaan terlalu besar.", "The body is too large."),
    "encoding_unsupported": Problem(
        415, "Kirim tanpa kompresi, atau dengan gzip.", "Send it uncompressed, or as gzip."
    ),
    "gzip_malformed": Problem(400, "Isi permintaan bukan gzip yang utuh.", "The body is not whole gzip."),
    "media_type_unsupported": Problem(415, "Kirim sebagai application/json.", "Send it as application/json."),
    "token_missing_or_unknown": Problem(
        401, "Token tidak ada atau tidak dikenal.", "The token is missing or unknown."
    ),
    "token_revoked": Problem(
        401, "Token sudah dicabut atau kedaluwarsa.", "The token was revoked or has expired."
    ),
    "signature_invalid": Problem(
        403, "Tanda tangan tidak cocok.", "The signature is not that of the gateway."
    ),
    "role_not_allowed": Problem(403, "Peran Anda tidak boleh melakukan ini.", "Your role may not do this."),
    "campaign_not_yours": Problem(403, "Bukan kegiatan Anda.", "You do not work for this campaign."),
    "campaign_unknown": Problem(404, "Kegiatan tidak ditemukan.", "No campaign has this id."),
    "campaign_exists": Problem(
        409, "Sudah ada kegiatan lain dengan id ini.", "Another campaign has this id."
    ),
    "enrolment_code_unknown": Problem(
        404,
        "Kode salah, sudah dipakai, atau sudah kedaluwarsa. Minta kode baru.",
        "The code is wrong, was used, or has expired. Ask for a new one.",
    ),
    "client_without_device": Problem(409, "Klien ini bukan perangkat.", "This client is not a device."),
    "renewal_too_early": Problem(
        409, "Token belum perlu diperpanjang.", "The token need not be renewed yet."
    ),
    "renewals_ended": Problem(
        409, "Perangkat ini harus didaftarkan ulang.", "This device has to be enrolled again."
    ),
    "link_used": Problem(
        409, "Tautan ini sudah dipakai untuk satu pendaftaran.", "This link was used for one registration."
    ),
    "rescue_unreadable": Problem(
        422, "File cadangan tidak dapat dibuka.", "The rescue file cannot be opened."
    ),
    "file_unknown": Problem(404, "Berkas ini tidak ada.", "There is no such file."),
    "registration_unknown": Problem(
        404, "Pendaftaran tidak ditemukan.", "No registration has this reference."
    ),
    "search_unclear": Problem(
        422,
        "Ketik nomor pendaftaran, kode tanda terima, NIK, atau nomor HP yang lengkap.",
        "Type a whole reference, receipt code, NIK or phone number.",
    ),
    "search_not_allowed": Problem(
        403,
        "Pencarian dengan NIK atau nomor HP hanya untuk sistem inti dan admin.",
        "Only the core system and admins search by NIK or phone number.",
    ),
    "review_item_unknown": Problem(
        404, "Hal yang perlu dilihat ini tidak ditemukan.", "No review item of the campaign has this id."
    ),
    "chat_gone": Problem(
        409,
        "Orang ini tidak bisa lagi dijawab lewat chat.",
        "This person cannot be answered in a chat.",
    ),
    "chat_window_closed": Problem(
        409,
        "Waktu membalas pesan ini sudah lewat.",
        "The time in which this person may be answered is over.",
    ),
    "answer_reused": Problem(
        409, "answer_id sudah dipakai untuk jawaban lain.", "This answer_id was used for another answer."
    ),
    "capture_unknown": Problem(
        404, "Data pendaftaran ini tidak ditemukan.", "No capture of yours has this id."
    ),
    "capture_reused": Problem(
        409,
        "capture_id sudah dipakai untuk data lain.",
        "This capture_id was used before, with other content.",
    ),
    "worker_captures_reached": Problem(
        409,
        "Pekerja ini sudah terlalu sering didata.",
        "This worker has been captured too many times.",
    ),
    "registration_destroyed": Problem(
        410,
        "Pendaftaran sudah lama berakhir; data pribadinya telah dimusnahkan.",
        "The registration ended long ago; its personal data has been destroyed.",
    ),
    "capture_forgotten": Problem(
        410,
        "Data pribadi pendaftaran ini telah dimusnahkan.",
        "The personal data of this capture has been destroyed.",
    ),
    "request_reused": Problem(
        409,
        "request_id sudah dipakai untuk permintaan lain.",
        "This request_id was used for another request.",
    ),
    "erasure_under_way": Problem(
        409,
        "Data orang ini sedang dihapus. Kirim ulang permintaan penghapusannya sampai selesai.",
        "The data of this person is being erased. Send that erasure again until it is finished.",
    ),
    "payment_reused": Problem(
        409,
        "payment_id sudah dipakai untuk pembayaran lain.",
        "This payment_id was used for another payment.",
    ),
    "transition_not_allowed": Problem(
        409, "Status pendaftaran tidak mengizinkan ini.", "The registration's status does not allow this."
    ),
    "worker_without_phone": Problem(
        409,
        "Pekerja ini tidak punya nomor HP, jadi tidak mendapat SMS.",
        "This worker has no phone, and so gets no SMS.",
    ),
    "worker_opted_out": Problem(
        409, "Pemilik nomor HP ini menolak SMS.", "The owner of this phone wants no SMS."
    ),
    "sms_not_applicable": Problem(
        409, "Isi SMS ini tidak berlaku sekarang.", "What this SMS says is not true now."
    ),
    "sms_request_cap_reached": Problem(
        429,
        "SMS untuk pekerja ini sudah cukup sering diminta dalam 24 jam terakhir.",
        "SMS to this worker were requested often enough within 24 hours.",
    ),
    "sms_requests_exhausted": Problem(
        409,
        "Batas permintaan SMS untuk pendaftaran ini sudah habis.",
        "SMS about this registration cannot be requested any more.",
    ),
    "history_full": Problem(
        409,
        "Riwayat pendaftaran ini sudah penuh.",
        "This registration has as many reported events as it may have.",
    ),
    "registration_superseded": Problem(
        409,
        "Pekerja ini sudah mendaftar kembali dengan nomor baru.",
        "The worker has registered again since.",
    ),
    "correction_not_allowed": Problem(
        403,
        "Hanya perangkat yang mendata, pada hari yang sama dan sebelum iuran dibayar. Minta kantor cabang.",
        "Only the device that made the capture may, on its day and before payment. Ask the branch office.",
    ),
    "correction_reused": Problem(
        409,
        "correction_id sudah dipakai untuk perbaikan lain.",
        "This correction_id was used for another correction.",
    ),
    "correction_unknown": Problem(404, "Perbaikan tidak ditemukan.", "No correction has this id."),
    "correction_decided": Problem(
        409, "Perbaikan ini sudah diputuskan.", "This correction was decided before."
    ),
    "correction_pending": Problem(
        409,
        "Masih ada perbaikan lain yang menunggu keputusan.",
        "Another correction still waits for a decision.",
    ),
    "corrections_full": Problem(
        409,
        "Pendaftaran ini sudah terlalu sering diperbaiki.",
        "This registration was corrected as often as it may be.",
    ),
    "nik_registered": Problem(
        409, "NIK ini sudah punya pendaftaran.", "This NIK has a registration already."
    ),
    "cursor_invalid": Problem(400, "Penanda halaman tidak dikenal.", "The cursor was not made by this API."),
    "client_unknown": Problem(404, "Klien tidak ditemukan.", "No client has this id."),
    "client_exists": Problem(
        409, "Klien dengan id ini sudah ada.", "A client with this id is enrolled already."
    ),
    "client_revoked": Problem(
        409, "Klien ini sudah dicabut.", "This client was revoked; enrol it under another id."
    ),
    "client_cap_reached": Problem(
        429,
        "Batas pendaftaran harian perangkat ini sudah tercapai.",
        "This client has reached its daily number of captures.",
    ),
    "kiosk_cap_reached": Problem(
        429,
        "Kios ini sudah mencapai batas pendaftaran per menit.",
        "This kiosk has reached its number of registrations in a minute.",
    ),
    "phone_cap_reached": Problem(
        429,
        "Batas pendaftaran harian untuk nomor HP ini sudah tercapai.",
        "This phone number has reached its daily number of registrations.",
    ),
    "device_token_invalid": Problem(
        403,
        "HP ini tidak terdaftar lagi. Minta kode QR baru ke koordinator.",
        "This device is not enrolled any more. Ask the coordinator for a new QR code.",
    ),
    "form_unknown": Problem(
        404,
        "Formulir ini tidak dikenal. Perbarui daftar formulir.",
        "This form is not known. Refresh the list of forms.",
    ),
    "campaign_closed": Problem(
        409, "Kegiatan sudah ditutup, data tidak diterima lagi.", "The campaign takes no more captures."
    ),
    "edit_of_accepted": Problem(
        409,
        "Data ini sudah diterima, jadi tidak bisa diubah dari HP. Minta kantor cabang memperbaikinya.",
        "This data was accepted, so a phone cannot change it. Ask the branch office for a correction.",
    ),
    "submission_malformed": Problem(
        400, "Kiriman ini bukan formulir yang sah.", "This is not a valid submission of a form."
    ),
    "summary_unknown": Problem(
        404, "Rekap tanggal ini belum dihitung.", "This day of this campaign has not been summarised."
    ),
    "format_unavailable": Problem(
        406,
        "Rekap tidak tersedia dalam format ini; kirim header Accept: */* untuk XLSX.",
        "A summary is not available in this format; for XLSX, send the header Accept: */*.",
    ),
    "day_not_in_campaign": Problem(
        404, "Tanggal ini di luar kegiatan.", "This is not a day of the campaign."
    ),
    "try_again": Problem(503, "Silakan kirim lagi beberapa saat lagi.", "Send it again in a moment."),
    "internal_error": Problem(500, "Terjadi kesalahan di pihak kami.", "Something went wrong on our side."),
    "record_unreadable": Problem(
        500,
        "Data yang tersimpan tidak dapat dibaca; kami sudah mengetahuinya.",
        "The stored record cannot be read; we know of it.",
    ),
}
