"""Small valid inputs of every reader and ways to spoil them, for the tests and the coverage-guided fuzzer.

A reader is a function of bytes. It may give a result or raise `PeroluxError`; anything else is a fault.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from perolux.errors import PeroluxError
from perolux.measured.decays import decay_from_bytes, facts_from_bytes, table_from_bytes
from perolux.measured.reading import read_bytes
from perolux.measured.records import SpectrumSet

AXIS = [400 + 5 * k for k in range(7)]
TWO = "\n".join(f"{x},{k * k}" for k, x in enumerate(AXIS))
WIDE = "\n".join(f"{x},{k},{2 * k},{-k}" for k, x in enumerate(AXIS))

TABLES = (
    TWO,
    "Wavelength (nm),PL\n" + TWO,
    "\ufeffWavelength (nm),30 s,60 s ,90 s reaction\n" + WIDE + "\n,Old: 5,,\n,,,\n",
    TWO.replace(",", ";").replace("\n", ",5\n"),
    TWO.replace(",", "\t"),
    "# comment\nEnergy (eV)  Abs\n" + "\n".join(f"{2 + k / 10:.2f}  {k / 7:.3e}" for k in range(7)),
    "Wavelength,A,B,C\nnm,counts,counts,\n" + WIDE,
    "a,,b,,\nWavelength (nm),Abs,Wavelength (nm),%T,\n"
    + "\n".join(f"{x},{k},{x + 1},{k}," for k, x in enumerate(AXIS))
    + "\n\na\nCollection Time: now\n",
    "\n".join(f"{x},{k / 9},{k / 6}" for k, x in enumerate(AXIS)),
    "\n".join(f"{20000 - 100 * k} {k} nan" for k in range(7)),
    '"nm";"Abs"\n' + "\n".join(f'"{x},5";"0,{k}"' for k, x in enumerate(AXIS)),
)
OCEAN = (
    "Data from a.txt Node\nDate: x\nSpectrometer: USB4\nXAxis mode: Wavelengths\n"
    ">>>>>Begin Spectral Data<<<<<\n" + TWO.replace(",", "\t") + "\n>>>>>End Spectral Data<<<<<\n",
    ">>>>>Begin Processed Spectral Data<<<<<\nW\tD\tS\tP\n" + WIDE.replace(",", "\t"),
)
EDINBURGH = (
    "Labels,s1,s2,s3,\nType,Emission Scan,Emission Scan,Excitation Scan,\nStart,400,400,400,\n"
    "Stop,430,430,430,\nStep,5,5,5,\nFixed/Offset,365,365,365,\nXaxis,Wavelength(nm),,,\nYaxis,Counts,Counts,Counts,\n\n"
    + WIDE,
    "Labels\ts1\nType\tTime Scan\nStart\t0\nStop\t7\nStep\t1\n\n" + TWO.replace(",", "\t"),
)
JCAMP_HEAD = (
    "##TITLE=t\n##JCAMP-DX=5.01\n##DATA TYPE=UV/VIS SPECTRUM\n##XUNITS=NANOMETERS\n##YUNITS=ABSORBANCE\n"
)
JCAMP_AXIS = "##FIRSTX=400\n##LASTX=430\n##NPOINTS=7\n##XFACTOR=1\n##YFACTOR=0.5\n"
JCAMP = (
    JCAMP_HEAD + JCAMP_AXIS + "##XYDATA=(X++(Y..Y))\n400 1 2 3\n415 4 5 6 7\n##END=\n",
    JCAMP_HEAD + JCAMP_AXIS + "##XYDATA=(X++(Y..Y))\n400A0JJS%K\n415@5Tj1\n##END=\n",
    "##TITLE=l\n##DATA TYPE=LINK\n##BLOCKS=1\n"
    + JCAMP_HEAD
    + "##XYPOINTS=(XY..XY)\n"
    + TWO
    + "\n##END=\n##END=\n",
)
DECAYS = (
    "tau (ns), counts\n" + "\n".join(f"{k / 10} {k}" for k in range(7)),
    "start_ns: 0\n\ntau, g2(tau)\n" + "\n".join(f"{k / 10:.3e} {k:.1e}" for k in (0, 1, 2, 6, 7)),
)
NUMERIC = ("a,b,c\n" + WIDE.replace(",0\n", ",1\n"), "time(s) \t\t\t n(AU)\n1e-3 2\n2e-3 3\n")
FACTS = ("cts: 12\ndtau_ns: 0.5\nname = dot 8\n", "a;b\nc\td\n")

READERS: dict[str, tuple[Callable[[bytes], object], tuple[str, ...]]] = {
    "table": (lambda data: read_bytes(data, "a.csv"), TABLES),
    "table-said": (lambda data: read_bytes(data, "a.csv", kind="pl", axis_unit="nm", delimiter=","), TABLES),
    "ocean-optics": (lambda data: read_bytes(data, "a.txt"), OCEAN),
    "edinburgh": (lambda data: read_bytes(data, "a.txt"), EDINBURGH),
    "jcamp-dx": (lambda data: read_bytes(data, "a.jdx"), JCAMP),
    "decay": (lambda data: decay_from_bytes(data, "a.txt"), DECAYS),
    "numeric-table": (lambda data: table_from_bytes(data, "a.csv"), NUMERIC),
    "facts": (lambda data: facts_from_bytes(data, "a.txt"), FACTS),
}

# What breaks parsers: delimiters, signs, words for no number, marks of the formats, encodings, large numbers.
_CHARACTERS = ",;\t \n\r.-+eE_#%\"'()/=:$@AJSs\x00\x1a\x1b\u00b5\u212b\u0661\uff11\u2028"
_NUMBERS = "nan inf - 1e999 1_0 -0 0 1e-320 99999999999999999999 1.2.3 1,2 9999999999999 ,,,,,,,, 1e5"
_NUMBERS += " 1e308 -1e308 1e-308"
_WORDS = "nm eV cm-1 Wavelength Abs PL %T time (ns) Error meV Labels, Type, Step, (X++(Y..Y)) (XY..XY)"
_MARKS = (
    "##TITLE=",
    "##END=",
    "##XYDATA=(X++(Y..Y))",
    "##NPOINTS=-1",
    ">>>>>Begin Spectral Data<<<<<",
    "\r\n",
)
TOKENS: tuple[bytes, ...] = (
    *(
        token.encode()
        for token in (*_CHARACTERS, *_NUMBERS.split(" "), *_WORDS.split(" "), *_MARKS, "\ufeff")
    ),
    *(b"\xff", b"\xff\xfe", b"\x80\x81", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"9" * 400, b"," * 300),
    *(b"\xed\xa0\x80", b"\n\n\n\n"),
)


def attempt(reader: str, data: bytes) -> bool:
    """Run a reader; True where it gave a result, False where it refused. Other exceptions come through."""
    try:
        result = READERS[reader][0](data)
    except PeroluxError as error:
        assert str(error), "an error needs a message"
        return False
    for spectrum in result if isinstance(result, SpectrumSet) else ():
        assert len(spectrum) >= 5 and np.isfinite(spectrum.values).all(), "a spectrum has numbers only"
        assert spectrum.wavelength_nm[0] >= 100.0 and spectrum.wavelength_nm[-1] <= 5000.001, "optical axis"
        assert spectrum.label and spectrum.label.isprintable(), "a label can be shown"
    return True


def spoiled(seed: bytes, edits: list[tuple[int, int, int]]) -> bytes:
    """The seed after some edits (what, where, how): tokens put in, bytes cut out, doubled, moved, changed."""
    data = seed
    for what, where, how in edits:
        at = where % (len(data) + 1)
        width = how % 24 + 1
        match what % 8:
            case 0 | 1:
                data = data[:at] + TOKENS[how % len(TOKENS)] + data[at:]
            case 2:
                data = data[:at] + TOKENS[how % len(TOKENS)] + data[at + width % 5 :]
            case 3:
                data = data[:at] + data[at + width :]
            case 4:
                data = data[: at + width] + data[at:]
            case 5:
                data = data[:at] + bytes([how % 256]) + data[at + 1 :]
            case 6:
                lines = data.split(b"\n")
                first, second = at % len(lines), how % len(lines)
                lines[first], lines[second] = lines[second], lines[first]
                data = b"\n".join(lines)
            case _:
                data = data.replace(b",", TOKENS[how % 8], width)
    return data
