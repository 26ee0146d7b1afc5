// Texts of the receipt and of what the server says about a capture.

/** @type {import("./translate.js").Texts} */
export const RECEIPT_TEXTS = {
  "receipt.heading": { id: "Tanda terima", en: "Receipt" },
  "receipt.saved": { id: "✓ Tersimpan di perangkat ini.", en: "✓ Saved on this device." },
  "receipt.gone": {
    id: "Tanda terima ini hanya dapat ditampilkan sampai halaman ditutup. Berikan nomor pendaftarannya.",
    en: "This receipt is shown only until the page is closed. Hand over the reference.",
  },
  "receipt.title": { id: "Tanda Terima Pendaftaran", en: "Registration receipt" },
  "receipt.not_health": { id: "bukan BPJS Kesehatan", en: "not BPJS Kesehatan (health)" },
  "receipt.code": { id: "Kode", en: "Code" },
  "receipt.name": { id: "Nama", en: "Name" },
  "receipt.when": { id: "Waktu", en: "Time" },
  "receipt.programmes": { id: "Program", en: "Programmes" },
  "receipt.months": { id: "Lama", en: "For" },
  "receipt.total": { id: "Iuran", en: "Contribution" },
  "receipt.not_protected": { id: "Belum terlindungi sebelum iuran dibayar.", en: "Not protected until the contribution is paid." },
  "receipt.how_to_pay": {
    id: "Cara bayar: tunggu SMS berisi kode bayar, lalu bayar di bank, minimarket atau dompet digital.",
    en: "How to pay: wait for the SMS with the payment code, then pay at a bank, a minimarket or by e-wallet.",
  },
  "receipt.how_to_pay_without_phone": {
    id: "Cara bayar: tunjukkan kode ini kepada petugas atau kantor cabang untuk meminta kode bayar.",
    en: "How to pay: show this code to an officer or the branch office to get the payment code.",
  },
  "receipt.ask": { id: "Tanya: telepon 175 atau kantor cabang {branch}.", en: "Questions: call 175, or the branch office {branch}." },
  "receipt.print": { id: "Cetak {width} mm", en: "Print {width} mm" },
  "receipt.to_start": { id: "Ke daftar", en: "To the list" },

  "news.reference": { id: "Nomor pendaftaran", en: "Reference" },
  "news.payment_code": { id: "Kode bayar {code}: {amount}, sampai {day}.", en: "Payment code {code}: {amount}, until {day}." },
  "news.no_payment_code": { id: "Kode bayar belum ada; dikirim lewat SMS.", en: "There is no payment code yet; it comes by SMS." },
  "news.send_sms": { id: "Kirim SMS lagi", en: "Send the SMS again" },
  "news.sending": { id: "Mengirim …", en: "Sending …" },
  "news.sent": { id: "SMS dikirim.", en: "The SMS is on its way." },
};
