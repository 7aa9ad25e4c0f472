"""What a file is, by its own bytes. Names and claimed types decide nothing.

The kind found here is the demuxer that ffmpeg is held to, and the only reader that Pillow may use: a playlist that
calls itself a recording never reaches a reader that would follow its addresses, nor a drawing one that would run it.
Where a kind's first bytes say how long the file is, a shorter one is known to be incomplete before anything decodes it.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEAD_BYTES = 65_536
# The largest Ogg page: 27 bytes of header, 255 of lacing, 255 * 255 of sound.
OGG_PAGE_MOST = 65_307
ID3_HEADER_BYTES = 10
MPEG_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
MPEG_KBITS = {
    (3, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
KINDS_IN_WORDS = "FLAC, WAV, AIFF, ALAC, MP3, AAC, Ogg Vorbis and Opus"
PHOTOS_IN_WORDS = "JPEG, PNG, TIFF and WebP"


class Unreadable(Exception):
    """The file cannot become a work; its text says why to the person who sent it."""


@dataclass(frozen=True)
class Form:
    """A container that may come in: ffmpeg's demuxer, and the kind of original each codec in it makes.

    `says_length` is True where the file's first bytes say how long its sound is; elsewhere a reader only estimates it.
    """

    demuxer: str
    name: str
    kinds: dict[str, str]
    says_length: bool = False


@dataclass(frozen=True)
class PhotoForm:
    """A form of photo that may come in: Pillow's only reader for it, its name for people, the kind of original."""

    reader: str
    name: str
    kind: str


FLAC = Form("flac", "FLAC", {"flac": "flac"}, says_length=True)
WAV = Form("wav", "WAV", {"pcm_": "wav"})
AIFF = Form("aiff", "AIFF", {"pcm_": "aiff"})
MP4 = Form("mov", "M4A", {"alac": "alac", "aac": "aac"}, says_length=True)
ADTS = Form("aac", "AAC", {"aac": "aac"})
MPEG = Form("mp3", "MP3", {"mp3": "mp3"})
# An MP3 whose first frame counts the others (Xing, LAME, VBRI).
COUNTED_MPEG = Form("mp3", "MP3", {"mp3": "mp3"}, says_length=True)
OGG = Form("ogg", "Ogg", {"vorbis": "vorbis", "opus": "opus", "flac": "flac"})

JPEG = PhotoForm("JPEG", "JPEG", "jpeg")
PNG = PhotoForm("PNG", "PNG", "png")
TIFF = PhotoForm("TIFF", "TIFF", "tiff")
WEBP = PhotoForm("WEBP", "WebP", "webp")
PHOTO_FORMS = {form.kind: form for form in (JPEG, PNG, TIFF, WEBP)}
PHOTO_MARKS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00", TIFF),
    (b"MM\x00+", TIFF),
)
# Pictures that are no photo, or packed in a way that not everybody can look at.
OTHER_PICTURES = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"IIRO", "a camera's raw file"),
    (b"IIU\x00", "a camera's raw file"),
    (b"FUJIFILMCCD-RAW", "a camera's raw file"),
)
# Recordings that few programs can read; the first kind loses nothing on its way into FLAC.
OTHER_LOSSLESS = (
    (b"MAC ", "Monkey's Audio"),
    (b"wvpk", "WavPack"),
    (b"tBaK", "TAK"),
    (b"TTA1", "True Audio"),
    (b"OFR ", "OptimFROG"),
)
OTHER_SOUND = (
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    (b"MP+", "Musepack"),
    (b"MPCK", "Musepack"),
    (b"caff", "Core Audio"),
    (b".snd", "Sun's audio"),
    (b"#!AMR", "AMR"),
    (b"ADIF", "AAC in the form ADIF"),
    (b"\x0b\x77", "Dolby Digital"),
)
PLAYLIST_MARKS = (b"#extm3u", b"#ext-x-", b"[playlist]", b"ffconcat", b"file '", b"<asx", b"<playlist", b"<smil")


def sniff(path: Path) -> Form | PhotoForm:
    """Return the form of the file at `path`, or raise Unreadable with a sentence for its sender."""
    size = path.stat().st_size
    if size == 0:
        raise Unreadable("The file is empty. Send it again, or look whether it opens on your own machine.")
    with path.open("rb") as file:
        photo = _photo(file.read(32))
        if photo is not None:
            return photo
        start = _after_id3(file)
        file.seek(start)
        head = file.read(HEAD_BYTES)
        form = _form(head, tagged=start > 0, whole=start + len(head) == size)
        if form is OGG:
            _check_ogg_end(file, size)
        elif form in (WAV, AIFF):
            _check_chunks(file, start, size, big_endian=form is AIFF)
    return form


def _photo(head: bytes) -> PhotoForm | None:
    """Return the form of photo that begins with `head`, or None. Raises Unreadable for other pictures."""
    for mark, form in PHOTO_MARKS:
        if head.startswith(mark):
            # Canon's raw files are TIFF with a mark of their own behind the first offset.
            if form is TIFF and head[8:10] == b"CR":
                raise other_picture("a camera's raw file")
            return form
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis"):
        raise other_picture("AVIF" if head[8:11] == b"avi" else "HEIC")
    if head[4:8] == b"ftyp" and head[8:12] == b"crx ":
        raise other_picture("a camera's raw file")
    for mark, name in OTHER_PICTURES:
        # Two letters alone are no mark: a BMP says its own length behind them, of which the highest byte is nought.
        if head.startswith(mark) and (mark != b"BM" or head[6:10] == bytes(4)):
            raise other_picture(name)
    return None


def other_picture(name: str) -> Unreadable:
    """Return the refusal of a picture of another form."""
    return Unreadable(f"This is {name}. Photos can be taken in as {PHOTOS_IN_WORDS}: save it as one of them.")


def _after_id3(file: BinaryIO) -> int:
    """Return where the file goes on after the ID3v2 tags in front of it, which any kind may carry."""
    start = 0
    for _ in range(4):
        file.seek(start)
        header = file.read(ID3_HEADER_BYTES)
        if len(header) < ID3_HEADER_BYTES or header[:3] != b"ID3" or any(byte & 0x80 for byte in header[6:10]):
            break
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        start += ID3_HEADER_BYTES + size + (ID3_HEADER_BYTES if header[5] & 0x10 else 0)
    return start


def _form(head: bytes, *, tagged: bool, whole: bool) -> Form:
    for mark, form in ((b"fLaC", FLAC), (b"OggS", OGG)):
        if head.startswith(mark):
            return form
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return AIFF
    _refuse_what_is_known(head)
    if head[4:8] == b"ftyp":
        return MP4
    frames = _first_frames(head, whole=whole)
    if frames is not None:
        return frames
    if head:
        _refuse_words(head)
    if tagged:
        raise Unreadable("The file has tags, but no recording that could be read follows them: it is not complete.")
    raise Unreadable(
        f"What kind of file this is was not recognised. What can be taken in: recordings as {KINDS_IN_WORDS};"
        f" photos as {PHOTOS_IN_WORDS}."
    )


def _refuse_what_is_known(head: bytes) -> None:
    # A picture with the tags of a recording in front of it is none that anything would show.
    if _photo(head[:32]) is not None:
        raise Unreadable("This is a photo with the tags of a recording in front of it. Save it anew and send that.")
    avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    if avi or head.startswith((b"\x1aE\xdf\xa3", b"FLV\x01", b"\x00\x00\x01\xba")):
        raise Unreadable(f"This is a film. Only sound can be taken in: {KINDS_IN_WORDS}.")
    if head.startswith((b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        raise Unreadable("This is an archive of files. Unpack it and send each recording or photo by itself.")
    for mark, name in OTHER_LOSSLESS:
        if head.startswith(mark):
            raise Unreadable(f"This is {name}. Turn it into FLAC, which keeps every bit of it, and send that.")
    for mark, name in OTHER_SOUND:
        if head.startswith(mark):
            raise Unreadable(f"This is {name}. What can be taken in: {KINDS_IN_WORDS}. FLAC keeps the most of it.")
    if head.startswith(b"MThd"):
        raise Unreadable("This is MIDI: notes for an instrument, and no sound. Send a recording of it.")


def _refuse_words(head: bytes) -> None:
    text = head.lstrip(b"\xef\xbb\xbf").lower()
    if any(mark in text[:1024] for mark in PLAYLIST_MARKS):
        raise Unreadable("This is a playlist: a list of where recordings are. Send the recordings themselves.")
    if text.lstrip().startswith(b"%pdf-"):
        raise Unreadable(f"This is a PDF. Photos can be taken in as {PHOTOS_IN_WORDS}.")
    if b"<svg" in text[:4096]:
        raise Unreadable(f"This is a drawing (SVG), which is a program for a browser. Save it as {PHOTOS_IN_WORDS}.")
    if b"<html" in text[:1024] or b"<!doctype html" in text[:1024]:
        raise Unreadable("This is a page of the web, whatever its name says.")
    letters = sum(32 <= byte < 127 or byte in (9, 10, 12, 13) for byte in head)
    control = sum(byte < 32 for byte in head) - sum(head.count(byte) for byte in (9, 10, 12, 13, 27))
    if control == 0 and (letters * 2 > len(head) or _is_utf8(head)):
        raise Unreadable("This is text, not a recording or a photo, whatever its name says.")


def _is_utf8(head: bytes) -> bool:
    """Return whether it is text in any script; the last letter may be cut."""
    try:
        return len(head[:-3].decode()) > 0
    except UnicodeDecodeError:
        return False


def _first_frames(head: bytes, *, whole: bool) -> Form | None:
    """Return MPEG or ADTS if three frames follow one another, each where the one before says; else None.

    With `whole` the head is all of the file, and fewer frames are enough if the last of them ends where it does.
    """
    at = head.find(b"\xff")
    while 0 <= at < len(head) - 4:
        form, place, frames = None, at, 0
        while frames < 3 and (found := _frame(head[place : place + 7])) is not None and form in (None, found[0]):
            form, place, frames = found[0], place + found[1], frames + 1
        if form is not None and (frames == 3 or (whole and place == len(head))):
            counted = form is MPEG and any(mark in head[at : at + 256] for mark in (b"Xing", b"Info", b"VBRI"))
            return COUNTED_MPEG if counted else form
        at = head.find(b"\xff", at + 1)
    return None


def _frame(header: bytes) -> tuple[Form, int] | None:
    """Return the form and length of the frame that begins with `header`, or None if none does."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    if layer == 0:
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        return (ADTS, length) if header[1] & 0xF6 == 0xF0 and length > 7 else None
    bits, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return None
    kbits = MPEG_KBITS[(3 if version == 3 else 2, layer)][bits - 1]
    hertz, padding = MPEG_RATES[version][rate], header[2] >> 1 & 1
    if layer == 3:
        return MPEG, (12_000 * kbits // hertz + padding) * 4
    samples = 72_000 if layer == 1 and version != 3 else 144_000
    return MPEG, samples * kbits // hertz + padding


def _check_ogg_end(file: BinaryIO, size: int) -> None:
    """Raise Unreadable if the last page begins and does not end: whoever sent it stopped half way."""
    tail_from = max(0, size - 2 * OGG_PAGE_MOST)
    file.seek(tail_from)
    tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return
    page = tail[at:]
    complete = len(page) >= 27 and len(page) >= 27 + page[26]
    if not complete or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        raise Unreadable("The file is not complete: it stops in the middle of the recording. Send it again.")


def _check_chunks(file: BinaryIO, start: int, size: int, *, big_endian: bool) -> None:
    """Raise Unreadable if the chunk that holds the sound is longer than what is left of the file.

    A recorder that was switched off, or wrote to a pipe, leaves 0 or the largest number: then the file's end counts.
    """
    order, sound, at = (">", b"SSND", start + 12) if big_endian else ("<", b"data", start + 12)
    for _ in range(10_000):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            raise Unreadable("The file ends before its sound begins: it is not complete. Send it again.")
        name, length = header[:4], struct.unpack(order + "I", header[4:])[0]
        if name == sound:
            missing = at + 8 + length - size
            # Some recorders count a byte of padding that they never wrote.
            if missing > 1 and length < 0xFFFF_FF00:
                raise Unreadable(
                    f"The file is not complete: {missing:,} of its {length:,} bytes are missing. Send it again."
                )
            return
        at += 8 + length + length % 2
    raise Unreadable("The file has more parts than any recording, and no sound in them.")
