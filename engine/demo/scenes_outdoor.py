"""Painters of the outdoor scenes. Each returns a Painting of 640x360; colours differ so that no two are mixed up."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw

from engine.demo.scene import HEIGHT_PX, WIDTH_PX, Mover, Painting, circling, crossing, standing
from engine.demo.sprite import Sprite, sprite_of

Colour = tuple[int, int, int]


def canvas(colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), colour)
    return image, ImageDraw.Draw(image)


def _sky(draw: ImageDraw.ImageDraw, top: Colour, bottom: Colour, height: int) -> None:
    for y in range(height):
        share = y / height
        draw.line(
            (0, y, WIDTH_PX, y),
            fill=tuple(round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True)),
        )


def blank(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA", (width, height))
    return image, ImageDraw.Draw(image)


def car(colour: Colour, faces_left: bool = False) -> Sprite:
    """A car from the side, 96x40."""
    image, draw = blank(96, 40)
    draw.polygon([(20, 16), (32, 2), (66, 2), (80, 16)], fill=(60, 80, 100))
    draw.rounded_rectangle((2, 14, 93, 32), 8, fill=colour)
    draw.line((49, 3, 49, 15), fill=colour, width=3)
    for x in (12, 66):
        draw.ellipse((x, 23, x + 16, 39), fill=(25, 25, 25))
        draw.ellipse((x + 5, 28, x + 11, 34), fill=(170, 170, 170))
    draw.rectangle((88, 18, 93, 23), fill=(255, 240, 160))
    draw.rectangle((2, 18, 6, 23), fill=(200, 30, 30))
    return sprite_of(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if faces_left else image)


def _parked_car(draw: ImageDraw.ImageDraw, left: int, top: int, colour: Colour) -> None:
    draw.rounded_rectangle((left, top, left + 44, top + 78), 10, fill=colour)
    draw.rectangle((left + 6, top + 18, left + 38, top + 30), fill=(50, 65, 80))
    draw.rectangle((left + 6, top + 58, left + 38, top + 66), fill=(50, 65, 80))


def car_park() -> Painting:
    image, draw = canvas((92, 94, 98))
    draw.rectangle((0, 24, WIDTH_PX, 60), fill=(46, 120, 52))
    rng = random.Random(1)
    for _ in range(120):
        x, y = rng.randrange(WIDTH_PX), rng.randrange(24, 58)
        draw.ellipse((x, y, x + 14, y + 10), fill=(30 + rng.randrange(40), 110 + rng.randrange(60), 50))
    for row in (70, 262):
        for place in range(11):
            draw.line((place * 60 + 8, row, place * 60 + 8, row + 88), fill=(225, 225, 220), width=3)
    for place, colour in (
        (0, (200, 200, 205)),
        (2, (30, 90, 170)),
        (3, (150, 20, 30)),
        (6, (240, 240, 240)),
        (9, (40, 40, 45)),
    ):
        _parked_car(draw, place * 60 + 16, 74, colour)
    for place, colour in ((1, (230, 180, 30)), (5, (70, 130, 80)), (8, (170, 170, 180))):
        _parked_car(draw, place * 60 + 16, 268, colour)
    draw.line((0, 212, WIDTH_PX, 212), fill=(230, 210, 90), width=3)
    return Painting(
        image,
        (
            Mover((car((200, 30, 40)),), crossing((-100, 218), (660, 218), 9, 4)),
            Mover((car((40, 80, 210), faces_left=True),), crossing((660, 166), (-110, 166), 7, 9)),
        ),
    )


def _arm(angle_deg: float) -> Sprite:
    """The barrier's arm, hinged at the lower left of a 220x180 patch."""
    image, draw = blank(220, 180)
    radians = math.radians(angle_deg)
    for stripe in range(10):
        begin, end = stripe * 21, stripe * 21 + 21
        draw.line(
            (
                6 + begin * math.cos(radians),
                168 - begin * math.sin(radians),
                6 + end * math.cos(radians),
                168 - end * math.sin(radians),
            ),
            fill=(220, 30, 30) if stripe % 2 else (250, 250, 250),
            width=9,
        )
    return sprite_of(image)


def _truck() -> Sprite:
    image, draw = blank(210, 100)
    draw.rectangle((0, 6, 140, 80), fill=(245, 245, 240))
    draw.rectangle((0, 34, 140, 50), fill=(20, 140, 150))
    draw.rounded_rectangle((144, 26, 206, 82), 8, fill=(20, 140, 150))
    draw.rectangle((176, 34, 202, 54), fill=(60, 80, 100))
    for x in (16, 46, 160):
        draw.ellipse((x, 70, x + 28, 98), fill=(25, 25, 25))
    return sprite_of(image)


def gate() -> Painting:
    image, draw = canvas((120, 116, 108))
    _sky(draw, (96, 160, 230), (190, 220, 250), 190)
    for x in range(0, WIDTH_PX, 14):
        draw.line((x, 120, x, 220), fill=(70, 76, 84), width=2)
    draw.line((0, 122, WIDTH_PX, 122), fill=(70, 76, 84), width=4)
    draw.rectangle((0, 220, WIDTH_PX, 232), fill=(90, 140, 70))
    draw.rectangle((40, 130, 150, 262), fill=(236, 226, 200))
    draw.rectangle((60, 150, 130, 200), fill=(80, 110, 140))
    draw.polygon([(30, 130), (95, 96), (160, 130)], fill=(160, 60, 40))
    draw.rectangle((176, 232, 192, 320), fill=(240, 200, 40))
    angles = [*range(0, 80, 8), *([80] * 20), *range(80, 0, -8), *([0] * 35)]
    return Painting(
        image,
        (
            Mover((_truck(),), crossing((660, 216), (-230, 216), 12, 3)),
            Mover(tuple(_arm(angle) for angle in angles), standing((180, 100), 5)),
        ),
    )


def _rotor(angle_deg: float) -> Sprite:
    image, draw = blank(150, 150)
    for blade in range(3):
        radians = math.radians(angle_deg + blade * 120)
        draw.line(
            (75, 75, 75 + 70 * math.cos(radians), 75 + 70 * math.sin(radians)), fill=(250, 250, 250), width=6
        )
    draw.ellipse((68, 68, 82, 82), fill=(200, 60, 50))
    return sprite_of(image)


def _bird(wings: int) -> Sprite:
    image, draw = blank(28, 16)
    draw.line((0, 8 - wings, 14, 8, 27, 8 - wings), fill=(30, 20, 40), width=3)
    return sprite_of(image)


def roof() -> Painting:
    image, draw = canvas((70, 60, 80))
    _sky(draw, (90, 50, 130), (250, 150, 70), 240)
    draw.ellipse((420, 150, 520, 250), fill=(255, 214, 120))
    for left, width, height in (
        (0, 120, 70),
        (110, 90, 120),
        (190, 140, 90),
        (320, 70, 150),
        (380, 160, 60),
        (530, 110, 110),
    ):
        draw.rectangle((left, 250 - height, left + width, 260), fill=(52, 40, 78))
        for x in range(left + 10, left + width - 10, 20):
            for y in range(260 - height, 245, 22):
                draw.rectangle((x, y, x + 7, y + 9), fill=(240, 200, 110))
    draw.rectangle((0, 252, WIDTH_PX, HEIGHT_PX), fill=(96, 86, 92))
    draw.polygon([(136, 330), (150, 130), (158, 130), (172, 330)], fill=(225, 225, 230))
    for x in range(250, 620, 90):
        draw.rectangle((x, 290, x + 60, 330), fill=(30, 50, 110))
        draw.line((x + 30, 290, x + 30, 330), fill=(120, 150, 210), width=2)
    return Painting(
        image,
        (
            Mover((_bird(4), _bird(0), _bird(-4)), circling((380, 90), (200, 34), 17)),
            Mover((_bird(0), _bird(-4), _bird(4)), circling((340, 110), (240, 44), 23)),
            Mover(tuple(_rotor(angle) for angle in range(0, 120, 12)), standing((80, 56), 10)),
        ),
    )
