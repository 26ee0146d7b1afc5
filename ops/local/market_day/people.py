"""The people of the example market day: occupations, places, and the shapes of NIKs, phones and names."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class OccupationProfile:
    """The frequency of an occupation, and the range of its monthly incomes in rupiah."""

    weight: int
    lowest_income: int
    highest_income: int
    may_employ: bool = False


OCCUPATIONS = {
    "porter": OccupationProfile(32, 800_000, 2_600_000),
    "market_trader": OccupationProfile(24, 1_500_000, 6_000_000, may_employ=True),
    "street_vendor": OccupationProfile(10, 1_000_000, 3_000_000),
    "food_vendor": OccupationProfile(9, 1_200_000, 4_200_000, may_employ=True),
    "shop_owner": OccupationProfile(5, 2_500_000, 6_000_000, may_employ=True),
    "ojek_driver": OccupationProfile(6, 1_500_000, 4_000_000),
    "angkot_driver": OccupationProfile(3, 1_800_000, 3_600_000),
    "courier": OccupationProfile(3, 1_800_000, 4_000_000),
    "parking_attendant": OccupationProfile(3, 1_000_000, 2_400_000),
    "tailor": OccupationProfile(4, 1_500_000, 4_500_000, may_employ=True),
    "waste_picker": OccupationProfile(2, 800_000, 1_500_000),
    "odd_jobs": OccupationProfile(3, 800_000, 1_800_000),
}

PLACES = {
    "Blok A": 18, "Blok B": 15, "Blok C": 4, "Blok D": 4, "Blok E": 4, "Blok F": 12, "Blok G": 13,
    "Jalan Jatibaru": 8, "Jalan Kebon Jati": 4, "Jalan Fachrudin": 4, "Stasiun Tanah Abang": 6,
    "Jembatan Penghubung": 4,
}  # fmt: skip

# Neighbourhoods near the market and their postal codes; other addresses are random.
NEIGHBOURHOODS = {
    "Bendungan Hilir": "10210", "Karet Tengsin": "10220", "Kebon Melati": "10230", "Kebon Kacang": "10240",
    "Kampung Bali": "10250", "Petamburan": "10260", "Gelora": "10270", "Palmerah": "11480",
    "Manggarai": "12850",
}  # fmt: skip

# The province codes of NIKs (civil registry, not the statistics office: 65 and 91 to 96 differ) and the
# frequency of each among this market's workers.
PROVINCES = {
    "11": 2, "12": 5, "13": 9, "14": 1, "15": 1, "16": 3, "17": 1, "18": 4, "19": 1, "21": 1,
    "31": 90, "32": 46, "33": 44, "34": 5, "35": 22, "36": 28, "51": 1, "52": 2, "53": 2,
    "61": 1, "62": 1, "63": 1, "64": 1, "65": 1, "71": 1, "72": 1, "73": 3, "74": 1, "75": 1, "76": 1,
    "81": 1, "82": 1, "91": 1, "92": 1, "93": 1, "94": 1, "95": 1, "96": 1,
}  # fmt: skip

JAKARTA = "31"

NO_PROVINCE = "39"

# No operator holds these blocks of mobile numbers, and no registry reaches such a serial for one birthday in
# one district: the numbers are valid in form and belong to nobody.
UNASSIGNED_MOBILE_PREFIXES = ("824", "825", "826", "834", "835", "836", "837", "854")

LOWEST_INVENTED_SERIAL, HIGHEST_SERIAL = 6001, 9999

PHONE_SHAPES = {
    "0{0}-{1}-{2}": 28, "0{0}{1}{2}": 26, "0{0} {1} {2}": 16, "+62 {0} {1} {2}": 9, "+62{0}{1}{2}": 6,
    "62{0}{1}{2}": 7, "+62 {0}-{1}-{2}": 4, "{0}{1}{2}": 2, "+62 0{0} {1} {2}": 2,
}  # fmt: skip

NIK_SHAPES = {"{0}{1}{2}{3}": 92, "{0} {1} {2} {3}": 5, "{0}.{1}.{2}.{3}": 2, "{0}-{1}-{2}-{3}": 1}

# Faker's Indonesian names have no apostrophes, real ones do. Some tablets type the curly one, which GSM-7
# lacks.
NAMES_WITH_APOSTROPHE = {
    "M": ("Nu'man", "Mas'ud", "Syafi'i", "Ma'mun", "Ri\u2019fat"),
    "F": ("Nur'aini", "Sa'diyah", "Mu'minah", "Isti'anah", "Ni\u2019mah"),
}

NAME_SHAPES = {"one": 19, "two": 58, "three": 10, "long": 2, "apostrophe": 5, "title": 4, "degree": 2}

TITLES = {"M": ("H.", "R.", "Tgk.", "Sutan"), "F": ("Hj.", "R.A.", "Cut", "Puti")}

FEMALE_DAYS = 40

OLDEST_BIRTH, YOUNGEST_BIRTH = date(1959, 10, 11), date(2007, 10, 9)
"""Workers are 17 to 64 on both days: the oldest turns 65 the day after, the youngest 17 on Wednesday."""
