"""Pictures of fictional business papers and screens: the same bytes each run."""

import io
import random
from pathlib import Path

import reportlab  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .papers import Rows, Signature, strokes

_FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"  # travels with the package


def screen(title: str, rows: Rows, accent: str, note: str) -> bytes:
    """A PNG picture of a window of a business system."""
    picture = Image.new("RGB", (960, 150 + 44 * len(rows)), "#f4f6fa")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, 960, 56), fill=accent)
    pen.text((24, 16), title, font=_font(22), fill="white")
    for number, (label, value) in enumerate(rows):
        top = 76 + 44 * number
        pen.rectangle((24, top, 936, top + 38), fill="white", outline="#d5dbe6")
        pen.text((40, top + 9), label, font=_font(17), fill="#5a6475")
        pen.text((330, top + 9), value, font=_font(17), fill="#14213d")
    pen.text((24, picture.height - 52), note, font=_font(15), fill="#5a6475")
    return _saved(picture.quantize(64), "PNG", optimize=True)


def signature_card(name: str, rows: Rows) -> bytes:
    """A PNG scan of a card with a specimen signature."""
    picture = Image.new("L", (900, 460), 250)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((20, 20, 880, 440), outline=90, width=2)
    pen.text((50, 44), "SIGNATURE CARD", font=_font(26), fill=20)
    for number, (label, value) in enumerate(rows):
        pen.text((50, 100 + 34 * number), f"{label}:  {value}", font=_font(19), fill=40)
    pen.line((50, 390, 560, 390), fill=120)
    pen.text((50, 400), "Specimen", font=_font(15), fill=110)
    _draw_strokes(pen, name, (60, 292), 3)
    return _saved(picture.quantize(32), "PNG", optimize=True)


def photographed_form(title: str, rows: Rows, signature: Signature) -> bytes:
    """A JPEG photograph of a filled-in and signed form, a little askew and grainy."""
    paper = Image.new("RGB", (1000, 1300), "#fbfaf5")
    pen = ImageDraw.Draw(paper)
    pen.text((80, 80), title, font=_font(36), fill="#202020")
    pen.line((80, 140, 920, 140), fill="#404040", width=3)
    for number, (label, value) in enumerate(rows):
        top = 190 + 84 * number
        pen.text((80, top), label, font=_font(19), fill="#606060")
        pen.text((80, top + 26), value, font=_font(25), fill="#1b2a6b")
        pen.line((80, top + 64, 920, top + 64), fill="#b0b0b0")
    pen.text(
        (80, 1180), f"{signature.name}, {signature.role}, {signature.date}", font=_font(20), fill="#303030"
    )
    pen.line((80, 1170, 620, 1170), fill="#404040")
    _draw_strokes(pen, signature.name, (90, 1060), 3)
    desk = Image.new("RGB", (1120, 1420), "#8a7b66")
    desk.paste(paper, (60, 60))
    askew = desk.rotate(1.3, resample=Image.Resampling.BICUBIC, fillcolor="#8a7b66")
    return _saved(_grainy(askew).filter(ImageFilter.GaussianBlur(0.6)), "JPEG", quality=62)


def _grainy(picture: Image.Image) -> Image.Image:
    dice = random.Random(7)
    small = Image.frombytes("L", (140, 178), dice.randbytes(140 * 178))
    noise = small.resize(picture.size, Image.Resampling.BILINEAR).convert("RGB")
    return Image.blend(picture, noise, 0.035)


def _saved(picture: Image.Image, kind: str, *, quality: int = 75, optimize: bool = False) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, quality=quality, optimize=optimize)
    return out.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FONT, size, layout_engine=ImageFont.Layout.BASIC)  # the same on any machine


def _draw_strokes(pen: ImageDraw.ImageDraw, name: str, at: tuple[int, int], width: int) -> None:
    points = strokes(name, 340, 90)
    curve: list[tuple[float, float]] = []
    for start in range(0, len(points) - 3, 3):
        curve += [_bezier(points[start : start + 4], step / 14) for step in range(15)]
    pen.line(
        [(at[0] + x, at[1] + y) for x, y in curve], fill="#22359b" if pen.mode == "RGB" else 60, width=width
    )


def _bezier(points: list[tuple[float, float]], t: float) -> tuple[float, float]:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x = sum(weight * point[0] for weight, point in zip(weights, points, strict=True))
    y = sum(weight * point[1] for weight, point in zip(weights, points, strict=True))
    return x, y
