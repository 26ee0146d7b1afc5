"""Sheets of typed cells as an Office Open XML workbook (ISO/IEC 29500).

Text, numbers, money, shares and days are each what they are, and text is never a formula. The same sheets
give the same bytes.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from chalicelib.rollups.renderings.markup import Markup, element


class Rupiah(int):
    """An amount of money."""


class Share(float):
    """A part of a whole, shown in per cent."""


Value: TypeAlias = str | int | float | date | datetime | None


@dataclass(frozen=True)
class Sheet:
    """One sheet: what its columns are called, how wide they are in characters, and its rows."""

    name: str
    columns: Sequence[tuple[str, int]]
    rows: Sequence[Sequence[Value]]


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

# A zip has no earlier day than this.
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Days are counted from here: the format keeps a leap day that 1900 never had.
_DAY_NOUGHT = datetime(1899, 12, 30)  # noqa: DTZ001 - cells of workbooks know no zones
_ONE_DAY = timedelta(days=1)

# Styles are known by their place. How numbers of each type are shown, in the order of those that follow text.
_PLAIN, _HEADING, _NUMBER, _RUPIAH, _SHARE, _DAY, _MOMENT = range(7)
_FORMATS = ("#,##0", '"Rp"\\ #,##0', "0.0%", "yyyy-mm-dd", "yyyy-mm-dd hh:mm")
_STYLES: dict[type, int] = {
    int: _NUMBER,
    float: _NUMBER,
    Rupiah: _RUPIAH,
    Share: _SHARE,
    date: _DAY,
    datetime: _MOMENT,
}
_FIRST_OWN_FORMAT = 164

# XML has no way to write these.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def workbook(sheets: Sequence[Sheet]) -> bytes:
    """The file."""
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for name, part in _parts(sheets):
            entry = ZipInfo(name, _EPOCH)
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, f"{_DECLARATION}{part}", ZIP_DEFLATED)
    return packed.getvalue()


def _parts(sheets: Sequence[Sheet]) -> Iterator[tuple[str, Markup]]:
    numbered = list(enumerate(sheets, start=1))
    yield "[Content_Types].xml", _content_types(numbered)
    yield "_rels/.rels", _relationships([("officeDocument", "xl/workbook.xml")])
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number, _ in numbered]
    yield "xl/_rels/workbook.xml.rels", _relationships([*targets, ("styles", "styles.xml")])
    yield "xl/workbook.xml", _workbook(numbered)
    yield "xl/styles.xml", _styles()
    for number, sheet in numbered:
        yield f"xl/worksheets/sheet{number}.xml", _worksheet(sheet)


def _content_types(numbered: Sequence[tuple[int, Sheet]]) -> Markup:
    overrides = [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    overrides += [(f"/xl/worksheets/sheet{number}.xml", "worksheet") for number, _ in numbered]
    relationships = "application/vnd.openxmlformats-package.relationships+xml"
    return element(
        "Types",
        element("Default", Extension="rels", ContentType=relationships),
        element("Default", Extension="xml", ContentType="application/xml"),
        [element("Override", PartName=part, ContentType=f"{_KIND}.{kind}+xml") for part, kind in overrides],
        xmlns=f"{_PACKAGE}/content-types",
    )


def _relationships(targets: Sequence[tuple[str, str]]) -> Markup:
    return element(
        "Relationships",
        [
            element("Relationship", Id=f"rId{number}", Type=f"{_OFFICE}/{kind}", Target=target)
            for number, (kind, target) in enumerate(targets, start=1)
        ],
        xmlns=f"{_PACKAGE}/relationships",
    )


def _workbook(numbered: Sequence[tuple[int, Sheet]]) -> Markup:
    sheets = [
        element("sheet", name=_written(sheet.name), sheetId=number, **{"r:id": f"rId{number}"})
        for number, sheet in numbered
    ]
    return element("workbook", element("sheets", sheets), xmlns=_MAIN, **{"xmlns:r": _OFFICE})


def _styles() -> Markup:
    own = range(_FIRST_OWN_FORMAT, _FIRST_OWN_FORMAT + len(_FORMATS))
    formats = [
        element("numFmt", numFmtId=number, formatCode=code)
        for number, code in zip(own, _FORMATS, strict=True)
    ]
    plain_font = [element("sz", val=11), element("name", val="Calibri")]
    fills = [element("fill", element("patternFill", patternType=kind)) for kind in ("none", "gray125")]
    green = element("patternFill", element("fgColor", rgb="FFD9F2E3"), patternType="solid")
    border = [element(side) for side in ("left", "right", "top", "bottom", "diagonal")]
    styles = [
        element("xf", numFmtId=0, fontId=0, fillId=0, borderId=0, xfId=0),
        element("xf", numFmtId=0, fontId=1, fillId=2, borderId=0, xfId=0, applyFont=1, applyFill=1),
        *(
            element("xf", numFmtId=number, fontId=0, fillId=0, borderId=0, xfId=0, applyNumberFormat=1)
            for number in own
        ),
    ]
    return element(
        "styleSheet",
        element("numFmts", formats, count=len(formats)),
        element("fonts", element("font", plain_font), element("font", element("b"), plain_font), count=2),
        element("fills", fills, element("fill", green), count=3),
        element("borders", element("border", border), count=1),
        element("cellStyleXfs", element("xf", numFmtId=0, fontId=0, fillId=0, borderId=0), count=1),
        element("cellXfs", styles, count=len(styles)),
        element("cellStyles", element("cellStyle", name="Normal", xfId=0, builtinId=0), count=1),
        xmlns=_MAIN,
    )


def _worksheet(sheet: Sheet) -> Markup:
    """One sheet, its headings frozen and filterable."""
    widths = [
        element("col", min=at, max=at, width=width, customWidth=1)
        for at, (_, width) in enumerate(sheet.columns, start=1)
    ]
    headings = [_text(_place(1, at), heading, _HEADING) for at, (heading, _) in enumerate(sheet.columns)]
    rows = [
        element("row", [_cell(_place(number, at), value) for at, value in enumerate(row)], r=number)
        for number, row in enumerate(sheet.rows, start=2)
    ]
    everything = f"A1:{_place(len(sheet.rows) + 1, len(sheet.columns) - 1)}"
    pane = element("pane", ySplit=1, topLeftCell="A2", activePane="bottomLeft", state="frozen")
    return element(
        "worksheet",
        element("dimension", ref=everything),
        element("sheetViews", element("sheetView", pane, workbookViewId=0)),
        element("sheetFormatPr", defaultRowHeight=15),
        element("cols", widths),
        element("sheetData", element("row", headings, r=1), rows),
        element("autoFilter", ref=everything),
        xmlns=_MAIN,
    )


def _place(row: int, column: int) -> str:
    """`B3`. Our sheets have fewer columns than the alphabet has letters."""
    return f"{chr(ord('A') + column)}{row}"


def _cell(place: str, value: Value) -> Markup | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _text(place, value, _PLAIN)
    return element("c", element("v", _written_number(value)), r=place, s=_STYLES[type(value)])


def _written_number(value: float | date) -> str:
    if isinstance(value, datetime):
        return repr((value.replace(tzinfo=None) - _DAY_NOUGHT) / _ONE_DAY)
    if isinstance(value, date):
        return repr((datetime.combine(value, time()) - _DAY_NOUGHT).days)
    return repr(value)


def _text(place: str, text: str, style: int) -> Markup:
    words = element("t", _written(text), **{"xml:space": "preserve"})
    return element("c", element("is", words), r=place, s=style, t="inlineStr")


def _written(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
