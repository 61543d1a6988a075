"""Streak images of Hamamatsu's HPD-TA and HiPic (.img, the ITEX layout): one image with its two scales.

Bytes, little endian: "IM", then int16 length of the comment, width, height, x and y offset, type (0: 8 bit,
2: 16 bit, 3: 32 bit), int32 images, int16 channels, int16 channel number, float64 time stamp, 4 bytes, 30
bytes; the comment at 64; the pixels behind it, line by line, a line a time. The comment has sections in
brackets; [Scaling] says ScalingXType, ScalingXUnit, ScalingXScalingFile="#position,count" (float32 table in
the file) or ScalingXScale (linear), the same for Y. Type 1 of the y axis is a camera whose sweep is off: no
axis of time. Layout as public readers of it agree on it (rosettasciio, hedp: read); tried on files written
by this layout alone, as no file with a licence is at hand.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError

__all__ = ["ImgFile", "read_img"]

FloatArray = npt.NDArray[np.float64]

_HEAD = struct.Struct("<2s6hi2hd4s30s")
_PIXELS = {0: "<u1", 2: "<u2", 3: "<u4"}
_TABLE = 2


@dataclass(frozen=True, eq=False)
class ImgFile:
    """counts (lines, columns); x, y: values and unit of the scales; None for a y axis that is no time."""

    counts: FloatArray
    x: FloatArray
    x_unit: str
    y: FloatArray | None
    y_unit: str
    comment: str


def read_img(content: bytes, where: str) -> ImgFile:
    """The one image of an .img file. Raises `InputError` for other layouts and files cut short."""
    if len(content) < _HEAD.size or content[:2] != b"IM":
        raise InputError("no .img file: it does not begin with IM", where=where)
    _, length, width, height, _, _, kind, images, channels, *_ = _HEAD.unpack_from(content)
    if kind not in _PIXELS or width < 1 or height < 1 or length < 0:
        raise InputError(
            f"an .img file of type {kind}, {width} x {height}", where=where, allowed="8, 16 or 32 bit a pixel"
        )
    if images > 1 or channels > 0:
        raise InputError(
            f"{images} images and {channels} more channels", where=where, allowed="one image",
            fix="export the image alone",
        )  # fmt: skip
    dtype = np.dtype(_PIXELS[kind])
    start = _HEAD.size + length
    if len(content) < start + width * height * dtype.itemsize:
        raise InputError("the .img file ends before its pixels do", where=where, fix="copy it again")
    comment = content[_HEAD.size : start].decode("latin-1").replace("\x00", "")
    pixels = np.frombuffer(content, dtype, width * height, start).reshape(height, width).astype(float)
    scaling = _section(comment, "Scaling")
    x, x_unit = _scale(scaling, "X", width, content, where)
    y, y_unit = _scale(scaling, "Y", height, content, where)
    if x is None:
        raise InputError("no axis of wavelengths in [Scaling]", where=where, fix="export with its scales")
    return ImgFile(pixels, x, x_unit, y, y_unit, comment)


def _section(comment: str, name: str) -> dict[str, str]:
    """key -> value of a section, in quotes or up to the next comma."""
    found = re.search(rf"\[{name}\],?(.*?)(?:\r?\n\[|\[[A-Z]|$)", comment, re.DOTALL)
    if found is None:
        return {}
    parts = re.findall(r'([A-Za-z][\w .]*)=(?:"([^"]*)"|([^,\r\n]*))', found.group(1))
    return {key.strip(): quoted or plain for key, quoted, plain in parts}


def _scale(
    scaling: dict[str, str], axis: str, count: int, content: bytes, where: str
) -> tuple[FloatArray | None, str]:
    unit = scaling.get(f"Scaling{axis}Unit", "").strip()
    table = scaling.get(f"Scaling{axis}ScalingFile", "")
    kind = scaling.get(f"Scaling{axis}Type", "")
    if kind.strip() == str(_TABLE) and table.startswith("#"):
        try:
            position, size = (int(part) for part in table[1:].split(","))
        except ValueError:
            raise InputError(
                f"Scaling{axis}ScalingFile={table!r}", where=where, allowed="#position,count"
            ) from None
        if size != count or position < 0 or position + 4 * size > len(content):
            raise InputError(
                f"the table of the {axis.lower()} axis has {size} values for {count} pixels", where=where
            )
        return np.frombuffer(content, "<f4", size, position).astype(float), unit
    try:
        step = float(scaling.get(f"Scaling{axis}Scale", ""))
    except ValueError:
        return None, unit
    # a linear scale of 1 without a unit is the number of the pixel
    if not unit or unit.lower() in ("px", "pixel", "no unit") or step <= 0.0:
        return None, unit
    return step * np.arange(count, dtype=float), unit
