"""The texts of every code of a single field, in both languages."""

from collections.abc import Mapping

from chalicelib.values import Value


class FieldMessage(Value):
    """The message about a broken rule, for the person who entered the value, in both languages."""

    indonesian: str
    english: str


FIELD_MESSAGES: Mapping[str, FieldMessage] = {
    "field_missing": FieldMessage("Wajib diisi.", "This is required."),
    "field_unknown": FieldMessage("Isian ini tidak dikenal.", "This field is not known."),
    "value_wrong_type": FieldMessage("Jenis isian salah.", "This has the wrong type."),
    "value_not_allowed": FieldMessage("Pilih salah satu yang tersedia.", "This is not one of the choices."),
    "value_out_of_range": FieldMessage("Nilai di luar batas.", "This is out of range."),
    "field_repeated": FieldMessage("Isian ini ditulis lebih dari sekali.", "This is given more than once."),
    "value_repeated": FieldMessage("Isian yang sama ada dua kali.", "This is in the list twice."),
    "value_too_short": FieldMessage("Terlalu pendek.", "This is too short."),
    "value_too_long": FieldMessage("Terlalu panjang.", "This is too long."),
    "value_malformed": FieldMessage("Format isian salah.", "This is malformed."),
    "multipart_malformed": FieldMessage(
        "Kirim sebagai multipart/form-data.", "Send it as multipart/form-data."
    ),
    "xml_malformed": FieldMessage(
        "Bukan XML yang sah dalam UTF-8 tanpa DOCTYPE.", "This is not valid XML in UTF-8 without a DOCTYPE."
    ),
    "dialect_without_csv": FieldMessage("Hanya CSV yang punya dialek.", "Only CSV has dialects."),
    "campaign_too_long": FieldMessage("Kegiatan paling lama setahun.", "A campaign lasts a year at most."),
    "days_out_of_order": FieldMessage("Urutan tanggal salah.", "The days are not in order."),
    "daily_caps_incomplete": FieldMessage(
        "Isi daily_flag dan daily_cap bersama-sama.", "Give daily_flag and daily_cap together."
    ),
    "role_channel_conflict": FieldMessage(
        "Peran kiosk: saluran kiosk, van, agent atau office. Peran bot: bot, web, telegram, whatsapp, sms"
        " atau ussd. Tidak bisa keduanya.",
        "Kiosks use the channels kiosk, van, agent or office; bots use bot, web, telegram, whatsapp, sms or"
        " ussd. No client is both.",
    ),
    "roles_conflict": FieldMessage(
        "Satu klien satu peran. Yang boleh digabung: kiosk dengan manager, manager dengan admin.",
        "A client has one role. These may go together: kiosk with manager, manager with admin.",
    ),
    "campaign_needed": FieldMessage(
        "Sebutkan kegiatannya, atau * untuk semua kegiatan.",
        "Name the campaigns that it works for, or * for every campaign.",
    ),
    "expires_in_past": FieldMessage("Waktu ini sudah lewat.", "This time is over."),
    "expires_too_late": FieldMessage(
        "Masa berlaku token ini terlalu lama untuk perannya.", "A token of this role may not live that long."
    ),
    "last_day_earlier": FieldMessage(
        "Hari terakhir hanya bisa diundur.", "The last day can only be moved later."
    ),
    "accepts_until_over": FieldMessage(
        "Tanggal ini sudah lewat; perangkat mungkin masih menyimpan data pendaftaran.",
        "This day is over, and devices may still hold captures.",
    ),
    "sponsor_unknown": FieldMessage(
        "Pilih sponsor dari kegiatan ini.", "Choose one of this campaign's sponsors."
    ),
    "sponsor_not_payer": FieldMessage(
        "Sebutkan sponsor hanya jika sponsor yang membayar.", "Name a sponsor only where a sponsor pays."
    ),
    "sponsor_removed": FieldMessage(
        "Sponsor tidak bisa dihapus; isi kuota 0 untuk menutupnya.",
        "No sponsor can be removed; a quota of 0 ends it.",
    ),
    "nik_length": FieldMessage("NIK harus 16 angka.", "A NIK has 16 digits."),
    "nik_province": FieldMessage("Kode provinsi pada NIK salah.", "The NIK's province code is unknown."),
    "nik_birth_date": FieldMessage("Tanggal lahir pada NIK salah.", "The NIK's birth date is impossible."),
    "nik_serial": FieldMessage("Nomor urut pada NIK salah.", "The NIK's serial number is impossible."),
    "phone_malformed": FieldMessage("Nomor HP salah tulis.", "This is not a phone number."),
    "number_from_spreadsheet": FieldMessage(
        "Angka ini diubah oleh Excel (misalnya berakhiran .0 atau E+15). Ketik ulang seluruh angkanya.",
        "A spreadsheet has changed this number (for example, it ends in .0 or E+15). Type it again in full.",
    ),
    "text_blank": FieldMessage("Wajib diisi, tidak boleh kosong.", "This is required; it is blank."),
    "text_characters": FieldMessage(
        "Tulis dalam satu baris, tanpa karakter tersembunyi.",
        "Write it on one line, without invisible characters.",
    ),
    "text_has_number": FieldMessage(
        "Jangan tulis NIK atau nomor HP di sini.", "Write no NIK and no phone number here."
    ),
    "field_deleted": FieldMessage(
        "Isian ini sudah dihapus dari data kami setelah iuran dibayar.",
        "This field was deleted here after the payment.",
    ),
    "text_not_for_sms": FieldMessage(
        "Jangan pakai tautan, kata seperti OTP atau PIN, atau nomor panjang: SMS-nya bisa diblokir operator.",
        "Use no link, no word such as OTP or PIN, and no long number: networks block SMS that hold them.",
    ),
    "id_looks_personal": FieldMessage(
        "Jangan pakai NIK atau nomor HP sebagai ID.", "Do not use a NIK or a phone number as an id."
    ),
    "phone_not_mobile": FieldMessage("Harus nomor HP, bukan telepon rumah.", "This is not a mobile number."),
    "phone_foreign": FieldMessage("Harus nomor HP Indonesia.", "This is not an Indonesian number."),
    "captured_in_future": FieldMessage("Jam perangkat terlalu cepat.", "The device's clock is ahead."),
    "captured_outside_campaign": FieldMessage(
        "Di luar tanggal kegiatan.", "This is not a day of the campaign."
    ),
    "consent_in_future": FieldMessage("Waktu persetujuan di masa depan.", "The consent is in the future."),
    "consent_too_old": FieldMessage(
        "Persetujuan diberikan sebelum berlakunya UU 27/2022.",
        "The consent was given before the law that it follows (UU 27/2022).",
    ),
    "paid_in_future": FieldMessage("Waktu pembayaran di masa depan.", "The payment is in the future."),
    "paid_before_capture": FieldMessage(
        "Pembayaran terjadi lebih dari sebulan sebelum pekerja didata.",
        "The payment was made more than a month before the worker was captured.",
    ),
    "payment_code_expired": FieldMessage(
        "Kode bayar sudah kedaluwarsa.", "The payment code has expired already."
    ),
    "payment_code_too_long": FieldMessage(
        "Kode bayar berlaku lebih dari lima tahun.", "The payment code is good for more than five years."
    ),
    "postal_code_malformed": FieldMessage("Kode pos harus 5 angka.", "A postal code has 5 digits."),
    "name_characters": FieldMessage(
        "Nama memuat karakter yang tidak dapat dipakai.", "The name has unusable characters."
    ),
    "name_empty": FieldMessage("Nama harus berisi huruf.", "The name has no letters."),
    "age_too_young": FieldMessage(
        "Usia belum cukup untuk mendaftar.", "The worker is too young to register."
    ),
    "age_too_old": FieldMessage("Usia sudah 65 tahun atau lebih.", "The worker is 65 or older."),
    "campaign_day_or_status": FieldMessage(
        "Sebutkan kegiatan dan tanggal, atau status.", "Name a campaign and a day, or a status."
    ),
    "subject_or_client": FieldMessage(
        "Sebutkan salah satu: subject atau client_id.", "Name one of the two: a subject or a client_id."
    ),
    "programmes_not_offered": FieldMessage(
        "Pilih JKK dan JKM, boleh ditambah JHT.", "Choose JKK and JKM, with or without JHT."
    ),
    "jht_required": FieldMessage(
        "Pekerja yang mempekerjakan orang lain wajib ikut JHT.",
        "A worker who employs others must also take JHT.",
    ),
    "occupation_unknown": FieldMessage(
        "Pekerjaan tidak ada dalam daftar.", "This occupation is not in the list."
    ),
    "month_too_late": FieldMessage(
        "Bulan mulai lebih dari lima tahun lagi.", "The first month is more than five years ahead."
    ),
    "month_without_rule": FieldMessage(
        "Belum ada ketentuan iuran untuk bulan ini.", "No contribution rule is known for this month."
    ),
    "birth_date_differs_from_nik": FieldMessage(
        "Tanggal lahir tidak sama dengan yang ada di NIK. Periksa KTP sekali lagi.",
        "The birth date is not the one in the NIK. Look at the identity card again.",
    ),
    "nik_place_unknown": FieldMessage(
        "Kode wilayah pada NIK tidak dikenal. Periksa KTP sekali lagi.",
        "The NIK's place code is unknown. Look at the identity card again.",
    ),
    "campaign_closed": FieldMessage("Kegiatan sudah ditutup.", "The campaign takes no more captures."),
}
