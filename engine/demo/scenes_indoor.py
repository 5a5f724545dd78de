"""Painters of the indoor scenes: loading dock, corridor, warehouse, reception, server room."""

from __future__ import annotations

import random

from PIL import Image

from engine.demo.scene import HEIGHT_PX, WIDTH_PX, Mover, Painting, Place, pacing, standing
from engine.demo.scenes_outdoor import Colour, blank, canvas
from engine.demo.sprite import Sprite, sprite_of


def _person_image(coat: Colour, step: int, scale: float = 1.0) -> Image.Image:
    """A walking figure, 40x100 at scale 1; `step` 0 or 1 moves the legs."""
    image, draw = blank(40, 100)
    stride = 8 if step else 2
    draw.line((18, 62, 18 - stride, 98), fill=(40, 42, 60), width=8)
    draw.line((22, 62, 22 + stride, 98), fill=(40, 42, 60), width=8)
    draw.rounded_rectangle((9, 22, 31, 66), 7, fill=coat)
    draw.line((11, 28, 11 - stride // 2, 56), fill=coat, width=6)
    draw.line((29, 28, 29 + stride // 2, 56), fill=coat, width=6)
    draw.ellipse((12, 2, 28, 22), fill=(226, 180, 150))
    draw.pieslice((12, 1, 28, 19), 180, 360, fill=(70, 45, 30))
    if scale != 1.0:
        image = image.resize(
            (max(2, round(40 * scale)), max(2, round(100 * scale))), Image.Resampling.LANCZOS
        )
    return image


def walkers(coat: Colour) -> tuple[Sprite, ...]:
    """Appearances for `pacing`: two steps, each facing both ways."""
    first, second = sprite_of(_person_image(coat, 0)), sprite_of(_person_image(coat, 1))
    return first, first, second, second


def _forklift(faces_left: bool) -> Sprite:
    image, draw = blank(130, 100)
    draw.rectangle((84, 4, 92, 92), fill=(50, 50, 50))
    draw.rectangle((92, 84, 126, 90), fill=(50, 50, 50))
    draw.rectangle((94, 48, 126, 84), fill=(170, 120, 60))
    draw.rectangle((20, 50, 84, 84), fill=(245, 190, 20))
    draw.rectangle((26, 12, 70, 16), fill=(40, 40, 40))
    draw.line((28, 14, 24, 52), fill=(40, 40, 40), width=4)
    draw.line((68, 14, 78, 52), fill=(40, 40, 40), width=4)
    draw.ellipse((40, 22, 56, 38), fill=(226, 180, 150))
    for x in (22, 64):
        draw.ellipse((x, 74, x + 24, 98), fill=(20, 20, 20))
    return sprite_of(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if faces_left else image)


def loading_dock() -> Painting:
    image, draw = canvas((176, 132, 92))
    draw.rectangle((0, 24, WIDTH_PX, 200), fill=(150, 84, 52))
    for y in range(30, 200, 16):
        draw.line((0, y, WIDTH_PX, y), fill=(126, 68, 42), width=1)
    for number, left in enumerate((50, 250, 450)):
        draw.rectangle((left, 60, left + 140, 210), fill=(210, 214, 218))
        for y in range(76, 210, 18):
            draw.line((left, y, left + 140, y), fill=(160, 166, 172), width=2)
        draw.rectangle((left + 52, 34, left + 88, 56), fill=(250, 220, 40))
        draw.text((left + 65, 36), str(number + 1), fill=(0, 0, 0))
    for x in range(0, WIDTH_PX, 40):
        draw.polygon([(x, 214), (x + 20, 214), (x + 10, 226), (x - 10, 226)], fill=(245, 200, 20))
    for left, top in ((12, 250), (12, 300), (590, 270)):
        draw.rectangle((left, top, left + 40, top + 40), fill=(190, 140, 76), outline=(120, 84, 40))
    return Painting(
        image,
        (
            Mover(walkers((240, 120, 20)), pacing((70, 196), (560, 196), 21)),
            Mover((_forklift(False), _forklift(True)), pacing((40, 244), (470, 244), 13)),
        ),
    )


def _approaching(period_s: float, sizes: int) -> Place:
    """Down the corridor towards the camera, then back: appearance = size."""

    def place(seconds: float) -> tuple[int, float, float]:
        share = seconds % (2 * period_s) / period_s
        depth = share if share < 1 else 2 - share
        size = round(depth * (sizes - 1))
        scale = 0.35 + 1.65 * size / (sizes - 1)
        return (
            size * 2 + int(seconds * 4) % 2,
            320 - 20 * scale + 40 * depth,
            148 + 196 * depth - 50 * scale - 40 * depth,
        )

    return place


def corridor() -> Painting:
    image, draw = canvas((222, 206, 176))
    draw.polygon([(0, HEIGHT_PX), (WIDTH_PX, HEIGHT_PX), (370, 200), (270, 200)], fill=(130, 92, 66))
    draw.polygon([(0, 24), (WIDTH_PX, 24), (370, 110), (270, 110)], fill=(244, 240, 230))
    draw.rectangle((270, 110, 370, 200), fill=(180, 190, 200))
    draw.rectangle((304, 130, 336, 200), fill=(90, 120, 90))
    for share in (0.0, 0.42, 0.72):
        for side in (-1, 1):
            x = 320 + side * (320 - 270 * share)
            inner = 320 + side * (320 - 270 * (share + 0.18))
            top, inner_top = 50 + 74 * share, 50 + 74 * (share + 0.18)
            bottom, inner_bottom = HEIGHT_PX - 160 * share, HEIGHT_PX - 160 * (share + 0.18)
            draw.polygon(
                [(x, top + 30), (inner, inner_top + 26), (inner, inner_bottom), (x, bottom)],
                fill=(150, 60, 60),
            )
    for share in (0.1, 0.5, 0.8):
        width, y = 70 - 50 * share, 34 + 70 * share
        draw.rectangle((320 - width, y, 320 + width, y + 8 - 4 * share), fill=(255, 255, 245))
    sizes = 14
    figures = tuple(
        sprite_of(_person_image((60, 60, 190), step, 0.35 + 1.65 * size / (sizes - 1)))
        for size in range(sizes)
        for step in (0, 1)
    )
    return Painting(image, (Mover(figures, _approaching(11, sizes)),))


def _carrier(faces_left: bool) -> Sprite:
    image, draw = blank(100, 70)
    draw.rectangle((10, 0, 90, 40), fill=(200, 150, 80), outline=(120, 84, 40))
    draw.rounded_rectangle((0, 42, 99, 62), 6, fill=(250, 110, 20))
    draw.rectangle((0 if faces_left else 86, 46, 12 if faces_left else 98, 54), fill=(120, 255, 120))
    for x in (12, 70):
        draw.ellipse((x, 52, x + 18, 69), fill=(20, 20, 20))
    return sprite_of(image)


def warehouse() -> Painting:
    image, draw = canvas((58, 62, 110))
    draw.rectangle((0, 280, WIDTH_PX, HEIGHT_PX), fill=(120, 124, 150))
    rng = random.Random(3)
    for rack in range(4):
        left = 16 + rack * 158
        for shelf in range(3):
            top = 60 + shelf * 70
            for box in range(3):
                if rng.random() < 0.8:
                    shade = rng.randrange(130, 220)
                    draw.rectangle(
                        (left + 6 + box * 42, top + 20, left + 42 + box * 42, top + 58),
                        fill=(shade, shade * 3 // 4, shade // 3),
                        outline=(90, 60, 30),
                    )
            draw.rectangle((left, top + 58, left + 134, top + 64), fill=(230, 120, 30))
        for x in (left, left + 128):
            draw.rectangle((x, 50, x + 6, 280), fill=(40, 80, 190))
    draw.line((0, 326, WIDTH_PX, 326), fill=(250, 230, 60), width=4)
    return Painting(
        image,
        (
            Mover((_carrier(False), _carrier(True)), pacing((-20, 262), (560, 262), 15)),
            Mover(walkers((80, 200, 90)), pacing((600, 238), (10, 238), 25)),
        ),
    )


def reception() -> Painting:
    image, draw = canvas((44, 140, 136))
    draw.rectangle((0, 270, WIDTH_PX, HEIGHT_PX), fill=(214, 210, 200))
    for x in range(-200, WIDTH_PX, 80):
        draw.line((x, HEIGHT_PX, x + 120, 270), fill=(190, 186, 176), width=2)
    draw.rectangle((40, 60, 200, 180), fill=(190, 224, 250))
    draw.line((120, 60, 120, 180), fill=(255, 255, 255), width=4)
    draw.ellipse((300, 60, 380, 140), fill=(240, 220, 90))
    draw.text((322, 92), "LOBBY", fill=(60, 50, 20))
    draw.rectangle((420, 190, 620, 290), fill=(120, 74, 44))
    draw.rectangle((410, 180, 630, 192), fill=(80, 48, 28))
    draw.rectangle((510, 150, 560, 180), fill=(30, 30, 34))
    draw.rectangle((16, 200, 44, 276), fill=(150, 90, 60))
    for leaf in range(-3, 4):
        draw.ellipse((16 + leaf * 8, 150 + abs(leaf) * 9, 44 + leaf * 8, 210), fill=(40, 150 + leaf * 8, 60))
    return Painting(
        image,
        (
            Mover(walkers((230, 60, 140)), pacing((-30, 214), (400, 240), 12)),
            Mover(walkers((250, 250, 250)), pacing((640, 244), (60, 250), 19)),
        ),
    )


def _lamps(rng: random.Random) -> Sprite:
    """Blinking lights of one rack."""
    image, draw = blank(84, 200)
    for y in range(8, 196, 14):
        for x in range(8, 78, 10):
            lit = rng.random()
            colour = (60, 255, 90) if lit < 0.55 else (255, 170, 30) if lit < 0.7 else (20, 60, 30)
            draw.rectangle((x, y, x + 5, y + 5), fill=colour)
    return sprite_of(image)


def server_room() -> Painting:
    image, draw = canvas((20, 22, 30))
    draw.rectangle((0, 290, WIDTH_PX, HEIGHT_PX), fill=(70, 74, 86))
    for x in range(0, WIDTH_PX, 64):
        draw.line((x, 290, x - 40, HEIGHT_PX), fill=(50, 54, 64), width=2)
    rng = random.Random(5)
    movers: list[Mover] = []
    for rack in range(5):
        left = 24 + rack * 124
        draw.rectangle((left, 54, left + 100, 292), fill=(36, 40, 52), outline=(110, 116, 130))
        for y in range(70, 286, 14):
            draw.line((left + 6, y, left + 94, y), fill=(56, 60, 74))
        movers.append(Mover(tuple(_lamps(rng) for _ in range(3)), standing((left + 8, 70), 0.7 + rack / 10)))
    movers.append(Mover(walkers((150, 110, 230)), pacing((20, 236), (590, 244), 16)))
    return Painting(image, tuple(movers), has_night=False)
