// Register an invented worker with generated types: `node register_worker.js CAMPAIGN_ID NIK`.
import { randomUUID } from "node:crypto";

import createClient from "openapi-fetch";

import type { components, paths } from "./daftar.js";

type Capture = components["schemas"]["SubmitRegistration"];

const [campaign_id, nik] = process.argv.slice(2);

const capture: Capture = {
  capture_id: randomUUID(),
  campaign_id,
  captured_at: "2024-10-09T09:12:00+07:00",
  officer: "ofc-12",
  worker: {
    nik,
    name: "Melati Kusumawati",
    birth_date: "1985-04-12",
    phone: "0824-5559-1002",
    address: "Jalan Contoh 7",
    postal_code: "10250",
    language: "id",
  },
  work: { occupations: ["porter"], place: "Blok A", monthly_income: 2_500_000, employs_others: false },
  coverage: { programmes: ["JKK", "JKM"], months: 3, payer: "self" },
  consent: { text_version: "2024-10", given_at: "2024-10-09T09:11:30+07:00", method: "tick" },
};

const client = createClient<paths>({
  baseUrl: process.env.DAFTAR_URL,
  headers: { Authorization: `Bearer ${process.env.DAFTAR_TOKEN}` },
});
const { data, error } = await client.POST("/v1/registrations", {
  params: { header: { "Accept-Language": "en" } },
  body: capture,
});
if (error) {
  console.log(JSON.stringify({ code: error.code, errors: error.errors ?? [] }));
  process.exitCode = 1;
} else if ("reference" in data) {
  console.log(JSON.stringify({ outcome: data.outcome, reference: data.reference, status: data.status }));
} else {
  console.log(JSON.stringify({ outcome: data.outcome }));
}
