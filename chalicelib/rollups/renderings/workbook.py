"""XlsxWriter's workbook with shared strings that every program reads back as they were written.

In a cell `_x0041_` means "A", so an underscore that begins such text is itself written as `_x005F_`.
XlsxWriter misses one that ends the text before it (`_x0041_x0042_`), and takes text between `<r>` and `</r>`
for its own markup.
"""

import re
from typing import Any

import xlsxwriter
from xlsxwriter.packager import Packager
from xlsxwriter.sharedstrings import SharedStrings

_ESCAPE_START = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


class Workbook(xlsxwriter.Workbook):
    """A workbook whose texts must be valid in XML."""

    def _get_packager(self) -> Packager:
        return _Packager()


class _Packager(Packager):
    """Writes the file's parts."""

    def _write_shared_strings_file(self) -> None:
        packager: Any = self  # XlsxWriter's own types say less.
        if packager.workbook.str_table.count:
            strings = _SharedStrings()
            strings.string_table = packager.workbook.str_table
            strings._set_xml_writer(packager._filename("xl/sharedStrings.xml"))
            strings._assemble_xml_file()


class _SharedStrings(SharedStrings):
    """Writes the texts of all cells."""

    def _write_si(self, string: Any) -> None:
        # All space is kept: between tags, a reader may drop it.
        self._xml_si_element(_ESCAPE_START.sub("_x005F_", string), [("xml:space", "preserve")])
