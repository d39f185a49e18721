"""Makes small valid PDFs: python3 pdf.py PAGES [BYTES] >FILE. With BYTES the file is padded to
about that size by an image-like stream of noise that nothing compresses and no page shows."""

import random
import sys


def make(pages=2, size=0, text="print-connector", seed=1):
    """The bytes of a PDF; the same arguments give the same bytes."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>",
               "<< /Type /Pages /Count %d /Kids [%s] >>" % (
                   pages, " ".join(f"{4 + 2 * n} 0 R" for n in range(pages))),
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    for n in range(pages):
        stream = f"BT /F1 24 Tf 72 720 Td ({text}, page {n + 1} of {pages}) Tj ET"
        objects.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
                       " /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * n))
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    parts = [one.encode() for one in objects]
    if size:
        noise = random.Random(seed).randbytes(size)
        parts.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (size, noise))
    return _whole(parts)


def _whole(parts):
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(parts) + 1, start)
    return bytes(out)


QUARTERS = {"tl": (60, 520), "tr": (360, 520), "bl": (60, 100), "br": (360, 100)}


def make_marked(marks, size=(595, 842)):
    """A PDF with a red bar in one quarter of each page ("tl", "tr", "bl", "br"), which an eye or a
    program finds again however the page is turned, scaled or put on another."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>",
               "<< /Type /Pages /Count %d /Kids [%s] >>" % (
                   len(marks), " ".join(f"{3 + 2 * n} 0 R" for n in range(len(marks))))]
    for n, mark in enumerate(marks):
        left, bottom = QUARTERS[mark]
        stream = f"1 0 0 rg {left} {bottom} 160 220 re f"
        objects.append("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R"
                       " /Resources << >> >>" % (*size, 4 + 2 * n))
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    return _whole([one.encode() for one in objects])


if __name__ == "__main__":
    sys.stdout.buffer.write(make(int(sys.argv[1]), int((sys.argv[2:] or [0])[0])))
