"""Photos: what comes of one, in every form; what may be known of how it was taken; and what a buyer's copy holds."""

import io
import os
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from catalog import content, delivery, publishing
from catalog.intake import contents as originals
from catalog.intake import sniffing
from catalog.models import Upload, Work
from catalog.photography import metadata, photos
from members import clock
from members.models import Person
from tests import cast
from tests import photos as made

Send = Callable[..., Upload]
SIZES = (2_000, 1_250)


def picture_of(content: bytes | Path) -> Image.Image:
    """Return a picture that was decoded from these bytes."""
    with warnings.catch_warnings():
        # Pillow speaks of the second picture that is planted in a JPEG.
        warnings.simplefilter("ignore")
        picture = Image.open(io.BytesIO(content) if isinstance(content, bytes) else content)
        picture.load()
    return picture


def stored(store: Path, work: Work, kind: str) -> dict[str, Path]:
    """Return the files of a rendition by their names."""
    rendition = work.renditions.get(kind=kind)
    return {path.name: path for path in (store / rendition.prefix).iterdir()}


def colours(picture: Image.Image) -> list[str]:
    """Return what the corners are: of the scene as it was made, red, green, blue and white."""
    small = picture.convert("RGB").resize((16, 16), Image.Resampling.BOX)
    named = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}

    def nearest(place: tuple[int, int]) -> str:
        pixel = small.getpixel(place)
        return min(named, key=lambda name: sum(abs(a - b) for a, b in zip(named[name], pixel, strict=True)))

    return [nearest(place) for place in ((0, 0), (15, 0), (0, 15), (15, 15))]


def difference(one: Image.Image, other: Image.Image, box: tuple[int, int, int, int] | None = None) -> float:
    """Return how far two pictures are apart, 0..255, in the mean of a part of them."""
    size = min(one.size, other.size)
    pair = [picture.convert("RGB").resize(size) for picture in (one, other)]
    apart = ImageChops.difference(*(picture.crop(box) if box else picture for picture in pair))
    return sum(ImageStat.Stat(apart).mean) / 3


@pytest.mark.parametrize("form", made.FORMS)
def test_each_form_becomes_a_photo(form: str, take_in: Send, store: Path) -> None:
    upload = take_in(made.telling(form, size=SIZES), f"Evening_light.{made.ENDINGS[form]}")

    assert (upload.state, upload.reason, upload.kind) == ("ready", "", form.lower())
    work = upload.work
    assert (work.kind, work.title, work.state) == ("photo", "Evening light", "draft")
    assert (work.width, work.height, work.duration_ms, work.lossless) == (*SIZES, None, None)
    assert sorted(work.renditions.values_list("kind", flat=True)) == ["cover", "preview", "view"]
    assert upload.found["shown"] == made.ALLOWED
    assert (upload.found["place"], upload.found["one_camera"]) == (True, True)
    layouts = {rendition.kind: rendition.layout for rendition in work.renditions.all()}
    jpeg = {"content_type": "image/jpeg"}
    assert layouts["view"] == {"file": "view.jpg", "width": 2_000, "height": 1_250, **jpeg}
    assert layouts["cover"] == {"file": "cover.jpg", "width": 480, "height": 300, **jpeg}
    assert [(size["width"], size["height"]) for size in layouts["preview"]["sizes"]] == [
        *((480, 300), (960, 600), (1_600, 1_000)),
    ]
    for kind in ("view", "preview", "cover"):
        for name, path in stored(store, work, kind).items():
            shown = picture_of(path)
            assert (shown.format, shown.mode, name) == ("JPEG", "RGB", path.name)
            # The whole picture, and nothing of what came with it.
            assert colours(shown) == ["red", "green", "blue", "white"]
            assert (dict(shown.getexif()), set(shown.info) - {"jfif", "progressive"}) == (
                {},
                {"jfif_version", "jfif_unit", "jfif_density", "progression"} & set(shown.info),
            )


def test_the_preview_is_marked_and_the_view_is_not(take_in: Send, store: Path) -> None:
    work = take_in(made.plain("PNG", made.scene(*SIZES)), "plain.png").work
    original = made.scene(*SIZES)

    view = picture_of(stored(store, work, "view")["view.jpg"])
    preview = picture_of(stored(store, work, "preview")["preview-1600.jpg"])

    assert difference(view, original) < 3
    # In the middle, where the mark is, and beside it.
    assert difference(preview, original, box=(500, 380, 1_100, 620)) > 8
    assert difference(preview, original, box=(100, 800, 500, 950)) < 3


def test_a_photo_is_turned_upright(take_in: Send, store: Path) -> None:
    """As it was held: its top left corner is where the camera says it is."""
    for orientation, corners in {3: ["white", "blue", "green", "red"], 6: ["blue", "red", "white", "green"]}.items():
        for form in made.FORMS:
            folder = store / f"{form}-{orientation}"
            folder.mkdir()
            (folder / "original").write_bytes(made.telling(form, orientation=orientation, size=(400, 240)))
            size = (240, 400) if orientation == 6 else (400, 240)

            photo = photos.inspect(folder, sniffing.PHOTO_FORMS[form.lower()], beat=lambda: None)
            assert (photo.width, photo.height) == size
            if form in ("JPEG", "TIFF"):
                made_of_it = photos.render(
                    folder, sniffing.PHOTO_FORMS[form.lower()], creator_name="Ana", beat=lambda: None
                )
                assert (made_of_it.view, colours(picture_of(folder / "view.jpg"))) == (size, corners)


@cache
def swapped_profile() -> bytes:
    """Return a colour profile in which red is blue and blue is red."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12):
        name = bytes(profile[at : at + 4])
        profile[at : at + 4] = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}.get(name, name)
    return bytes(profile)


def with_alpha() -> Image.Image:
    picture = made.scene(mode="RGBA").copy()
    picture.putalpha(0)
    return picture


MODES = {
    "CMYK JPEG": (lambda: made.plain("JPEG", made.scene(mode="CMYK")), None),
    "grey JPEG": (lambda: made.plain("JPEG", made.scene(mode="L")), None),
    "progressive JPEG": (lambda: made.plain("JPEG", progressive=True), ["red", "green", "blue", "white"]),
    "16-bit grey PNG": (
        lambda: made.plain("PNG", Image.linear_gradient("L").convert("I;16").point(lambda v: v * 257)),
        None,
    ),
    "palette PNG": (lambda: made.plain("PNG", made.scene().quantize(64)), ["red", "green", "blue", "white"]),
    "transparent palette": (lambda: made.plain("PNG", made.scene().quantize(64), transparency=0), None),
    "transparent PNG": (lambda: made.plain("PNG", with_alpha()), ["white"] * 4),
    "transparent WebP": (lambda: made.plain("WEBP", with_alpha(), lossless=True, exact=True), ["white"] * 4),
    "bilevel PNG": (lambda: made.plain("PNG", made.scene(mode="1")), None),
    "LA PNG": (lambda: made.plain("PNG", made.scene(mode="LA")), None),
    "CMYK TIFF": (lambda: made.plain("TIFF", made.scene(mode="CMYK")), None),
    "LAB TIFF": (lambda: made.plain("TIFF", made.scene(mode="L").convert("RGB"), compression="tiff_lzw"), None),
    "deflated TIFF": (lambda: made.plain("TIFF", compression="tiff_adobe_deflate"), ["red", "green", "blue", "white"]),
    "JPEG in TIFF": (lambda: made.plain("TIFF", compression="jpeg"), ["red", "green", "blue", "white"]),
    "other colours": (lambda: made.plain("JPEG", icc_profile=swapped_profile()), ["blue", "green", "red", "white"]),
    "broken profile": (lambda: made.plain("JPEG", icc_profile=b"no profile" * 20), ["red", "green", "blue", "white"]),
}


@pytest.mark.parametrize("name", MODES)
def test_every_kind_of_pixel_becomes_srgb(name: str, tmp_path: Path) -> None:
    content_of, corners = MODES[name]
    (tmp_path / "original").write_bytes(content_of())
    form = sniffing.sniff(tmp_path / "original")

    photos.render(tmp_path, form, creator_name="Ana", beat=lambda: None)

    view = picture_of(tmp_path / "view.jpg")
    assert (view.mode, "icc_profile" in view.info) == ("RGB", False)
    if corners:
        assert colours(view) == corners
    # Neither black nor blank, as a depth that was read wrongly would be.
    if name not in {"transparent PNG", "transparent WebP"}:
        low, high = view.convert("L").getextrema()
        assert (low < 100, high > 150) == (True, True)


@pytest.mark.parametrize("form", made.FORMS)
def test_a_buyers_copy_has_the_same_pixels_and_only_what_is_allowed(form: str, tmp_path: Path) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.write_bytes(made.telling(form))

    kind = metadata.cleaned(original, copy)

    content_of_it = copy.read_bytes()
    assert kind == form.lower()
    assert [word for word in made.PLANTED if word in content_of_it] == []
    assert (picture_of(copy).format, picture_of(copy).tobytes()) == (form, picture_of(original).tobytes())
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "original").write_bytes(content_of_it)
    again = photos.inspect(folder, sniffing.PHOTO_FORMS[kind], beat=lambda: None)
    assert (again.shown, again.place, again.one_camera, again.notes) == (made.ALLOWED, False, False, [])


def test_the_picture_of_a_jpeg_is_cut_out_and_not_compressed_again(tmp_path: Path) -> None:
    plain, telling = made.plain("JPEG", quality=92), made.telling("JPEG")
    (tmp_path / "original").write_bytes(telling)

    metadata.cleaned(tmp_path / "original", tmp_path / "copy")

    tables_and_scans = plain[plain.index(b"\xff\xdb") : -2]
    assert tables_and_scans in (tmp_path / "copy").read_bytes()


def test_a_profile_of_colours_stays_in_a_buyers_copy(tmp_path: Path) -> None:
    for form in made.FORMS:
        (tmp_path / "original").write_bytes(made.plain(form, icc_profile=swapped_profile()))
        metadata.cleaned(tmp_path / "original", tmp_path / "copy")
        assert picture_of(tmp_path / "copy").info["icc_profile"] == swapped_profile()


def test_sixteen_bits_stay_in_a_buyers_copy(tmp_path: Path) -> None:
    deep = Image.linear_gradient("L").convert("I;16").point(lambda value: value * 257)
    for form in ("PNG", "TIFF"):
        (tmp_path / "original").write_bytes(made.plain(form, deep))
        metadata.cleaned(tmp_path / "original", tmp_path / "copy")
        copy = picture_of(tmp_path / "copy")
        assert (copy.mode, copy.tobytes()) == ("I;16", deep.tobytes())


@pytest.mark.parametrize("form", made.FORMS)
def test_nothing_served_tells_the_place_or_the_camera(form: str, take_in: Send, store: Path, client) -> None:
    """Every byte that a stranger, a listener or a buyer may be sent is searched for what was planted."""
    upload = take_in(made.telling(form), "telling.bin")
    assert upload.state == "ready"
    original = (store / upload.original_key).read_bytes()
    # Else the test would look for what is not there.
    assert sum(word in original for word in made.PLANTED) >= 8

    served = [
        path.read_bytes() for kind in ("view", "preview", "cover") for path in stored(store, upload.work, kind).values()
    ]
    metadata.cleaned(store / upload.original_key, store / "download")
    served.append((store / "download").read_bytes())
    Work.objects.filter(id=upload.work_id).update(state="published", published_at=clock.now())
    for address in (f"/api/v1/works/{upload.work_id}", "/api/v1/works", "/"):
        answer = client.get(address)
        assert answer.status_code == 200
        served.append(answer.content)

    assert [word for word in made.PLANTED for content_of_it in served if word in content_of_it] == []


def test_addresses_of_a_photo_open_its_files(take_in: Send, store: Path, client) -> None:
    work = take_in(made.plain("JPEG", made.scene(*SIZES)), "photo.jpg").work
    now = clock.now()

    sources = delivery.preview_sources(work.id, now=now)
    assert [width for _, width in sources] == [480, 960, 1_600]
    for address in (delivery.preview_url(work.id, now=now, width=900), *(source for source, _ in sources)):
        answer = client.get(address.partition("8000")[2] or address)
        assert (answer.status_code, answer["Content-Type"], answer["X-Content-Type-Options"]) == (
            *(200, "image/jpeg", "nosniff"),
        )
        assert picture_of(b"".join(answer.streaming_content)).format == "JPEG"


def test_sixty_megapixels_leave_the_worker_small(tmp_path: Path) -> None:
    """A progressive JPEG, the worst there is: all its coefficients are held at once, by the sandbox's process alone."""
    width, height = 9_500, 6_400
    made.scene(950, 640).resize((width, height)).save(tmp_path / "original", "JPEG", quality=80, progressive=True)
    resident = []

    def beat() -> None:
        pages = Path("/proc/self/statm").read_text().split()[1]
        resident.append(int(pages) * os.sysconf("SC_PAGE_SIZE"))

    beat()
    form = sniffing.sniff(tmp_path / "original")
    photo = photos.inspect(tmp_path, form, beat=beat)
    rendered = photos.render(tmp_path, form, creator_name="Ana", beat=beat)

    assert (photo.width, photo.height, rendered.view) == (width, height, (width, height))
    assert len(resident) > 3
    assert max(resident) - resident[0] < 20_000_000


# --- publishing ---


def draft(take_in: Send, *, edge: int) -> Work:
    return take_in(made.plain("JPEG", made.scene(edge, edge // 2)), "photo.jpg").work


def test_a_small_photo_is_not_published(take_in: Send, ana: Person) -> None:
    work = draft(take_in, edge=1_599)
    publishing.change(work_id=work.id, person_id=ana.id, now=clock.now(), alternative_text="A gradient.")

    with pytest.raises(content.CannotPublish, match="at least 1600 pixels") as refusal:
        publishing.publish(work_id=work.id, person_id=ana.id, now=clock.now())

    assert (refusal.value.extra["rule"], refusal.value.extra["policy_version"]) == ("photo_edge_min", 1)
    work.refresh_from_db()
    assert work.state == "draft"


def test_a_photo_says_in_words_what_is_to_be_seen(take_in: Send, ana: Person) -> None:
    work = draft(take_in, edge=1_600)

    with pytest.raises(content.CannotPublish, match="what is to be seen") as refusal:
        publishing.publish(work_id=work.id, person_id=ana.id, now=clock.now())
    assert refusal.value.extra == {"rule": "alternative-text"}

    publishing.change(work_id=work.id, person_id=ana.id, now=clock.now(), alternative_text="A gradient.")
    assert publishing.publish(work_id=work.id, person_id=ana.id, now=clock.now()).state == "published"

    with pytest.raises(content.CannotPublish):
        publishing.change(work_id=work.id, person_id=ana.id, now=clock.now(), alternative_text="")


def test_what_may_be_shown_of_how_it_was_taken(take_in: Send) -> None:
    work = take_in(made.telling("JPEG"), "telling.jpg").work

    assert photos.shown_of(work.id) == made.ALLOWED
    assert photos.shown_of(cast.track(work.creator).id) == {}


def test_a_track_and_a_photo_find_the_same_words(tmp_path: Path) -> None:
    """What releases are made of is there for both kinds."""
    (tmp_path / "original").write_bytes(made.telling("JPEG"))

    _, found = originals.find(tmp_path, beat=lambda: None)

    assert {"title", "artist", "album", "track", "date", "licence", "notes"} <= set(found)
    assert (found["artist"], found["date"], found["album"]) == ("Ana Ærø", "2018-05-01T12:30:00", "")
