"""Draws pictures and PDF pages, in a process of its own: `python drawing.py TYPE FILE FOLDER`.

What strangers send is decoded here and nowhere else: no Django, no database, no secrets in the environment, and limits
on memory, time and what may be written that the kernel keeps. Whatever happens here, the worker only loses a preview.
Writes FOLDER/0 (small) and FOLDER/1 .. n (large) as WebP without any of the original's metadata, and says as JSON how
many pages there are and how large the small one is.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

MEMORY = 1536 * 1024 * 1024
CPU_S = 20
WRITTEN = 16 * 1024 * 1024
MOST_PIXELS = 50_000_000
MOST_PAGES = 10
SMALL = (480, 320)
LARGE = (1600, 1600)
PDF_WIDTH, PDF_HEIGHT = 1200, 1700


def limit() -> None:
    """From here on the kernel ends this process where it takes too much."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def draw(kind: str, file: Path, folder: Path) -> dict[str, int]:
    """Writes the pictures; returns pages, width and height. Raises whatever the decoder raises."""
    pages = _pdf_pages(file) if kind == "pdf" else iter([_picture(kind, file)])
    count, size = 0, (0, 0)
    for count, page in enumerate(pages, 1):
        if count == 1:
            small = page.copy()
            small.thumbnail(SMALL)
            size = small.size
            small.save(folder / "0", "WEBP", quality=80)
        page.thumbnail(LARGE)
        page.save(folder / str(count), "WEBP", quality=82)
    return {"pages": count, "width": size[0], "height": size[1]}


def _picture(kind: str, file: Path) -> Any:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    # Only the decoder that the first bytes promise.
    picture: Any = Image.open(file, formats=[kind.upper()])
    if picture.width * picture.height > MOST_PIXELS:
        raise ValueError("too many pixels")
    if kind == "jpeg":
        picture.draft("RGB", LARGE)
    picture.load()
    picture = ImageOps.exif_transpose(picture)
    return picture.convert("RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB")


def _pdf_pages(file: Path) -> Any:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(str(file))
    for number in range(min(len(pdf), MOST_PAGES)):
        page = pdf[number]
        width, height = page.get_size()
        # Points may be as many as a file likes: the picture is never larger than this.
        scale = min(PDF_WIDTH / max(width, 1), PDF_HEIGHT / max(height, 1))
        yield page.render(scale=scale).to_pil().convert("RGB")
        page.close()


def main() -> None:
    limit()
    kind, file, folder = sys.argv[1:]
    print(json.dumps(draw(kind, Path(file), Path(folder))))  # noqa: T201


if __name__ == "__main__":
    main()
