"""The photographs that edited copies are measured with: which, from where, and what shows the same.

They come out of packages of Debian and PyPI. Every one belongs to a *scene*: pictures that show the
same thing (stereo pairs, neighbours in a panorama, tiles of one photograph) are of one scene, and a
match between them is no false match. The scenes are divided into DEV, on which the fingerprint's
tables and thresholds were learned, and TEST, which tuned nothing.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from PIL import Image

from benchmarks import packages, scenes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.results import Settings

TILE: Final = 480
"""The least side of a tile, in pixels: 512 would leave fewer than 1,000 pictures in TEST."""
TILE_FROM: Final = 1000
"""Photographs with a longer side of at least this many pixels are also cut into tiles."""
TEST_SHARE: Final = 0.70
MOST_SIDE: Final = 1600
"""Pictures are measured at this longer side at the most, as platforms keep them."""

_SKY: Final = "sky"
_OPENCV: Final = """
plant scenetext0? scenetext_segmented_word0[1245] fruits baboon text_defocus leuvenA squirrel_cls
home aloeL board starry_night basketball1 orange chicky_512 stuff licenseplate_motion rubberwhale1
messi5 ela_original graf1 left right aero1 apple butterfly building box_in_scene aero3
feature_building 227943776_1 gst_input 230501201_1 fusion_mertens person_multi_det demo
inpaint_result Background_Subtraction_Tutorial_frame text_det_test_results 4_barcodes
detect_test[12] border ambush_5_left exposures studentsSample_input budapest
HDRtoneMapping_candleSample HDRtoneMapping_memorialSample lena retina_TreeHdr_retina
motion_original affinepano houghlines3 tf_mobilenet_opencv_test_res
Threshold_inRange_Tutorial_Result_input space_shuttle cat_det camshift_result handSrc opticalfb
Template_Matching_Image_Result bus_det Basic_Linear_Transform_Tutorial_gamma_correction memorial
astra_color reconstructed_fastVSbest retina_TreeHdr_small newspaper fusion yolo
pexels_double_decker_bus singlemarkersoriginal result corridor_fld orapple diamondmarkers pose_1
screen_charuco calib_result
Pyramids_Tutorial_Original_Image cards ml box WindowsQtContextMenu tree 11_demo realsense
02_single_image_view ldr_debevec period_input sudoku asymetricalPattern gboriginal
"""
_PLASMA: Final = """
Autumn BytheWater Canopee Cascade ColorfulCups DarkestHour EveningGlow FallenLeaf Grey OneStandsOut
summer_1am Elarun ColdRipple
"""
_SKIMAGE: Final = """
astronaut.png coffee.png chelsea.png rocket.jpg camera.png motorcycle_left.png brick.png gravel.png
grass.png coins.png hubble_deep_field.jpg ihc.png retina.jpg moon.png
"""
_GCOMPRIS: Final = """
explore_ erase details categorization babyshapes lang clickgame gravity photo_hunter
"""


class Origin(NamedTuple):
    """One package: how it is unpacked, and the paths below its root that are taken and left."""

    package: str
    unpack: Callable[[str, Path], Path]
    licence: str
    take: tuple[str, ...]
    leave: tuple[str, ...] = ()


ORIGINS: Final = (
    Origin("mate-backgrounds", packages.debian, "GPL-2+ and CC-BY-SA", ("*/nature/*.jpg",)),
    Origin("lomiri-wallpapers-16.04", packages.debian, "CC-BY-SA", ("*.jpg",),
           ("*analogpattern*",)),
    Origin("lomiri-wallpapers-20.04", packages.debian, "CC-BY-SA",
           ("*Kleiber*", "*Infinite-Sea*")),
    Origin("plasma-workspace-wallpapers", packages.debian, "LGPL-3 and CC-BY-SA",
           tuple(f"*/{name}/contents/images/*" for name in _PLASMA.split())),
    Origin("libjs-jquery-backstretch", packages.debian, "MIT", ("*/examples/*.jpg",)),
    Origin("palapeli-data", packages.debian, "GPL-2+ and CC-BY-SA",
           ("*/collection/*.jpg", "*/backgrounds/*.jpg")),
    Origin("labelme-examples", packages.debian, "GPL-3",
           ("*/data_annotated/*.jpg", "*/tutorial/apc2016_obj3.jpg")),
    Origin("fotoxx-common", packages.debian, "GPL-3+",
           tuple(f"*/images/{name}.jpg"
                 for name in ("unbend2", "stack-paint2", "make-waves", "warps", "unbend3"))),
    Origin("stellarium-data", packages.debian, "GPL-2+",
           ("*/landscapes/*.jpg", "*/Sterngarten_Wien_innerArea/*.jpg",
            "*TX_Stellarium-Testscene/*.jpg"), ("*overview*",)),
    Origin("gcompris-qt-data", packages.qt_resources, "GPL-3+ and CC-BY-SA",
           tuple(f"/{name}*" for name in _GCOMPRIS.split())),
    Origin("opencv-doc", packages.debian, "Apache-2.0 and BSD-3",
           tuple(f"*/{name}.{suffix}" for name in _OPENCV.split()
                 for suffix in ("jpg", "png", "jpeg")), ("*/stitching/*",)),
    Origin("scikit-image", packages.wheel, "public domain, CC0 and BSD-3",
           tuple(f"*/data/{name}" for name in _SKIMAGE.split())),
    Origin("scikit-learn", packages.wheel, "CC-BY and BSD-3", ("*/images/*.jpg",)),
    Origin("gradio", packages.wheel, "Apache-2.0",
           ("*/media_assets/images/*.jpg", "*/test_data/*.jpg", "*/test_data/*.png",
            "*/media_assets/images/*.jpeg")),
    Origin("perception", packages.wheel, "Apache-2.0", ("*/testing/images/*.jpg",)),
)  # fmt: skip
SKY: Final = Origin("stellarium-data", packages.debian, "GPL-2+, CC-BY and free",
                    ("*/nebulae/default/*.png", "*/nebulae/default/*.jpg"))  # fmt: skip
SAME: Final = ("*/html/orapple.jpg", "*/html/pose_1.jpg", "*/html/screen_charuco.jpg",
               "*details-b973a69611.webp", "*/html/memorial.png")  # fmt: skip
"""Pictures that show what another one shows and that geometry did not tell: one composed of others,
the same board, castle or church photographed again. Found by looking at the first runs' matches."""

SAME_SCENES: Final = (("*/explore_monuments-fc0d45ec5a.webp", "*/details-9c2796c2a4.webp"),
                      ("*/images/stack-paint2.jpg", "*/images/unbend3.jpg"))  # fmt: skip
"""Pairs that stay and are one scene, which geometry did not tell either: a mausoleum from two
places, a living room. Judged by eye, after they had matched one another."""


class Split(StrEnum):
    """What the pictures may be used for: DEV for tuning, TEST for measuring alone."""

    DEV = "dev"
    TEST = "test"


@dataclass(frozen=True)
class Picture:
    """A photograph, a tile of one, or a picture of the sky.

    Attributes:
        id: `p017`, or `p017-3` for its fourth tile.
        path: the file, relative to the cache.
        parent: the package and the path below its root.
        scene: the parent after which all pictures of this scene are called, or `sky`.
        box: left, top, right, bottom of a tile in pixels of the file; None for the whole.
    """

    id: str
    path: str
    package: str
    licence: str
    parent: str
    scene: str
    split: Split
    box: tuple[int, int, int, int] | None = None

    @property
    def whole(self) -> bool:
        """Whether it is a whole photograph: no tile, and not of the sky."""
        return self.box is None and self.scene != _SKY


class _Found(NamedTuple):
    path: str
    origin: Origin
    parent: str
    size: tuple[int, int]
    sky: bool


def pictures(settings: Settings, split: Split) -> list[Picture]:
    """All pictures of `split`, in a stable order; packages are fetched when they are not there."""
    file = settings.cache / f"corpus-{recipe()}.json"
    if not file.exists():
        found = _collect(settings.cache)
        file.write_text(json.dumps([asdict(each) for each in found], indent=1), encoding="utf-8")
    read = [_read(record) for record in json.loads(file.read_text(encoding="utf-8"))]
    for pair in SAME_SCENES:
        one, other = (
            next(each.scene for each in read if fnmatch.fnmatch(each.parent, pattern))
            for pattern in pair
        )
        read = [replace(each, scene=one) if each.scene == other else each for each in read]
    return [picture for picture in read if picture.split == split]


def queried(settings: Settings, split: Split) -> list[Picture]:
    """One whole photograph of each scene of `split`: what is edited and looked up."""
    first: dict[str, Picture] = {}
    for picture in pictures(settings, split):
        if picture.whole:
            first.setdefault(picture.scene, picture)
    return list(first.values())


def load(settings: Settings, picture: Picture, most: int = MOST_SIDE) -> Image.Image:
    """`picture` in RGB, its longer side `most` pixels or less."""
    image = _opened(str(settings.cache / picture.path))
    if picture.box:
        image = image.crop(picture.box)
    if max(image.size) > most:
        scale = most / max(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.LANCZOS)
    return image.copy()


@lru_cache(2)
def _opened(path: str) -> Image.Image:
    # The wallpapers are larger than Pillow takes from strangers.
    most, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    finally:
        Image.MAX_IMAGE_PIXELS = most


def _read(record: dict[str, Any]) -> Picture:
    box = tuple(record["box"]) if record["box"] else None
    return Picture(**record | {"split": Split(record["split"]), "box": box})


def recipe() -> str:
    """A word that is another one whenever another choice of pictures would be made."""
    chosen = (TILE, TILE_FROM, TEST_SHARE, SAME, [(o.package, o.take, o.leave) for o in ORIGINS])
    return hashlib.sha256(repr(chosen).encode()).hexdigest()[:8]


def _collect(cache: Path) -> list[Picture]:
    found: list[_Found] = []
    planes: list[NDArray[np.uint8]] = []
    seen: set[bytes] = set()
    for origin in (*ORIGINS, SKY):
        for path, below in _files(origin, cache):
            image = _photograph(path)
            if image is None or (key := _look(image)) in seen:
                continue
            seen.add(key)
            parent = f"{origin.package}{below}"
            found.append(_Found(str(path.relative_to(cache)), origin, parent, image.size,
                                origin is SKY))  # fmt: skip
            image.thumbnail((640, 640), Image.Resampling.LANCZOS)
            planes.append(np.asarray(image.convert("L")))
    groups = scenes.group([plane for each, plane in zip(found, planes, strict=True)
                           if not each.sky])  # fmt: skip
    return list(_pictures(found, groups))


def _pictures(found: list[_Found], groups: scenes.Groups) -> Iterator[Picture]:
    for number, each in enumerate(found):
        known = number in groups.copies or any(fnmatch.fnmatch(each.path, one) for one in SAME)
        if known:
            continue
        # Pictures of the sky overlap: all of them are one scene, in DEV and in TEST.
        scene = _SKY if each.sky else found[groups.first[number]].parent
        split = _split(each.parent if each.sky else scene)
        name = f"p{number:03d}"
        whole = Picture(name, each.path, each.origin.package, each.origin.licence, each.parent,
                        scene, split)  # fmt: skip
        yield whole
        if not each.sky:
            for tile, box in enumerate(_tiles(*each.size)):
                yield Picture(**asdict(whole) | {"id": f"{name}-{tile}", "box": box})


def _files(origin: Origin, cache: Path) -> Iterator[tuple[Path, str]]:
    """The files that `origin` takes, largest first, with their paths below the package's root."""
    root = origin.unpack(origin.package, cache)
    files = [file for file in root.rglob("*") if file.is_file() and not file.is_symlink()]
    for file in sorted(files, key=lambda file: (-file.stat().st_size, str(file))):
        below = f"/{file.relative_to(root)}"
        taken = any(fnmatch.fnmatch(below, one) for one in origin.take)
        if taken and not any(fnmatch.fnmatch(below, one) for one in origin.leave):
            yield file, below


def _photograph(path: Path) -> Image.Image | None:
    """The picture, if it looks like a photograph: drawings have flat areas and few tones."""
    try:
        with Image.open(path) as opened:
            short, long = sorted(opened.size)
            if short < 300 or long / short > 3.2 or opened.mode == "P" or _see_through(opened):
                return None
        image = _opened(str(path))
    except (OSError, ValueError):
        return None
    small = image.resize((384, 384), Image.Resampling.BILINEAR).convert("L")
    grey = np.asarray(small).astype(int)
    level = (np.diff(grey, axis=1)[:-1] == 0) & (np.diff(grey, axis=0)[:, :-1] == 0)
    tones = (np.bincount(grey.ravel(), minlength=256) > 15).sum()
    return None if level.mean() > 0.40 or tones < 70 else image.copy()


def _see_through(image: Image.Image) -> bool:
    if "A" not in image.getbands():
        return False
    return bool(np.asarray(image.getchannel("A").resize((64, 64))).min() < 250)


def _look(image: Image.Image) -> bytes:
    """Equal for pictures that differ by little more than their compression."""
    thumb = np.asarray(image.resize((16, 16), Image.Resampling.BOX).convert("L"))
    return hashlib.sha256((thumb // 6).tobytes()).digest()


def _split(name: str) -> Split:
    """By the name alone, so that the split stays when pictures are added."""
    share = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32
    return Split.TEST if share < TEST_SHARE else Split.DEV


def _tiles(width: int, height: int) -> list[tuple[int, int, int, int]]:
    if max(width, height) < TILE_FROM:
        return []
    across, down = max(1, width // TILE), max(1, height // TILE)
    return [
        (x * width // across, y * height // down,
         (x + 1) * width // across, (y + 1) * height // down)
        for y in range(down)
        for x in range(across)
    ]  # fmt: skip
