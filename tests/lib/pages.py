"""What came out of a printer, as pages that can be looked at: PDF (pdftoppm), PostScript
(ghostscript), and PCL 3 to 5 and PWG raster (decoded here)."""

import pathlib
import re
import struct
import subprocess
import tempfile

DPI = 36
PCL_SIZES = {1: (184.2, 266.7), 2: (215.9, 279.4), 3: (215.9, 355.6), 6: (279.4, 431.8),
             25: (148, 210), 26: (210, 297), 27: (297, 420)}


class Page:
    """width and height in millimetres; ink: darkness (0 to 1) of the four quarters, by name;
    box: (left, top, right, bottom) of all ink, as parts of width and height."""

    def __init__(self, width, height, rows, colour=False, **more):
        self.width = width
        self.height = height
        self.colour = colour
        self.more = more  # what else the language says
        self.rows = rows  # bytes of darkness, 0 white to 255 black

    @property
    def ink(self):
        """Quarters that have something on them: "tl", "tr", "bl", "br"."""
        tall, wide = len(self.rows), len(self.rows[0]) if self.rows else 0
        found = set()
        for name, (top, left) in {"tl": (0, 0), "tr": (0, 1), "bl": (1, 0), "br": (1, 1)}.items():
            part = [row[left * wide // 2:(left + 1) * wide // 2]
                    for row in self.rows[top * tall // 2:(top + 1) * tall // 2]]
            dark = sum(sum(1 for one in row if one > 40) for row in part)
            if dark > 0.01 * sum(len(row) for row in part):
                found.add(name)
        return found

    @property
    def box(self):
        """Where the ink is."""
        tall, wide = len(self.rows), max(len(row) for row in self.rows)
        lines = [n for n, row in enumerate(self.rows) if any(one > 40 for one in row)]
        columns = [n for n in range(wide)
                   if any(n < len(row) and row[n] > 40 for row in self.rows)]
        if not lines:
            return None
        return (columns[0] / wide, lines[0] / tall, (columns[-1] + 1) / wide,
                (lines[-1] + 1) / tall)

    def __repr__(self):
        return f"<{self.width:.0f}x{self.height:.0f} {sorted(self.ink)} colour={self.colour}" \
               f" {self.more}>"


def _read_ppm(path):
    data = path.read_bytes()
    fields = re.match(rb"P6\s+(?:#[^\n]*\n)*(\d+)\s+(\d+)\s+255\s", data)
    wide, tall = int(fields.group(1)), int(fields.group(2))
    pixels = data[fields.end():]
    colour, rows = False, []
    for y in range(tall):
        line = pixels[3 * wide * y:3 * wide * (y + 1)]
        red, green, blue = line[0::3], line[1::3], line[2::3]
        colour = colour or any(max(p) - min(p) > 40 for p in zip(red, green, blue))
        rows.append(bytes(255 - (r + g + b) // 3 for r, g, b in zip(red, green, blue)))
    return Page(wide / DPI * 25.4, tall / DPI * 25.4, rows, colour)


def _render(argv, folder):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, timeout=60)
    return [_read_ppm(path) for path in sorted(pathlib.Path(folder).glob("page*.ppm"))]


def from_pdf(path):
    """Pages of a PDF."""
    with tempfile.TemporaryDirectory(prefix="pc-") as folder:
        return _render(["pdftoppm", "-r", str(DPI), path, f"{folder}/page"], folder)


def from_postscript(path):
    """Pages of PostScript, whatever job language stands around it."""
    data = pathlib.Path(path).read_bytes()
    data = data[data.index(b"%!PS"):]
    with tempfile.TemporaryDirectory(prefix="pc-") as folder:
        (pathlib.Path(folder) / "in.ps").write_bytes(data)
        return _render(["gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=ppmraw",
                        f"-r{DPI}", f"-sOutputFile={folder}/page%03d.ppm", f"{folder}/in.ps"],
                       folder)


# ---- PCL --------------------------------------------------------------------------------------

def _packbits(data):
    out, at = bytearray(), 0
    while at < len(data):
        head = data[at]
        if head < 128:
            out += data[at + 1:at + 2 + head]
            at += 2 + head
        elif head > 128:
            out += data[at + 1:at + 2] * (257 - head)
            at += 2
        else:
            at += 1
    return bytes(out)


def _runs(data):
    return b"".join(bytes([data[n + 1]]) * (data[n] + 1) for n in range(0, len(data) - 1, 2))


def _delta(data, seed):
    out, at, place = bytearray(seed), 0, 0
    while at < len(data):
        head = data[at]
        at += 1
        count, offset = (head >> 5) + 1, head & 31
        place += offset
        while offset == 31 or offset == 255:
            offset = data[at]
            at += 1
            place += offset
            if offset != 255:
                break
        out += bytes(max(0, place + count - len(out)))
        out[place:place + count] = data[at:at + count]
        place += count
        at += count
    return bytes(out)


DOTS = bytes(bin(n).count("1") for n in range(256))
WITH_DATA = {(b"*b", b"W"), (b"*b", b"V"), (b"*g", b"W"), (b"*v", b"W"), (b"(s", b"W"),
             (b")s", b"W"), (b"&p", b"X")}


class _Pcl:
    """Follows the commands; a form feed or reset ends a page."""

    def __init__(self):
        self.pages = []
        self.setup = {}  # of the job
        self.dpi = 300
        self.planes = 1
        self._begin()

    def _begin(self):
        self.mode = 0
        self.rows = []
        self.plane = []
        self.seeds = {}
        self.colour = False

    def _row(self, data, last):
        index = len(self.plane)
        seed = self.seeds.get(index, b"")
        row = {0: lambda: data, 1: lambda: _runs(data), 2: lambda: _packbits(data),
               3: lambda: _delta(data, seed)}[self.mode]()
        self.seeds[index] = row
        self.plane.append(row)
        if not last:
            return
        if len({bytes(p).rstrip(b"\0") for p in self.plane[-3:]}) > 1:
            self.colour = True
        longest = max(len(p) for p in self.plane)
        merged = bytearray(longest)
        for part in self.plane:
            for n, byte in enumerate(part):
                merged[n] |= byte
        self.rows.append(bytes(merged))
        self.plane = []

    def end_page(self):
        """Scales what there is down to about DPI; each cell is as dark as it has dots."""
        if any(row.strip(b"\0") for row in self.rows):
            size = PCL_SIZES.get(self.setup.get("l.A"), (215.9, 279.4))
            cell = max(1, self.dpi // (8 * DPI))  # bytes
            wide = int(size[0] / 25.4 * self.dpi) // (8 * cell)
            tall = int(size[1] / 25.4 * self.dpi)
            cells = []
            for y in range(0, tall, 8 * cell):
                dots = [0] * wide
                for row in self.rows[y:y + 8 * cell]:
                    for x, bits in enumerate(row.translate(DOTS)[:wide * cell]):
                        dots[x // cell] += bits
                cells.append(bytes(min(255, 255 * n // (64 * cell * cell)) for n in dots))
            self.pages.append(Page(*size, cells, self.colour, dpi=self.dpi, **self.setup))
        self._begin()

    def command(self, group, value, letter, data):
        """One command; those that say how to print are kept as "l.A" and the like."""
        number = int(float(value or b"0"))
        name = (group + b"." + letter).decode()
        if name == "*b.M":
            self.mode = number
        elif name in ("*b.W", "*b.V"):
            self._row(data, name == "*b.W")
        elif name == "*b.Y":
            self.rows += [b""] * number
            self.seeds = {}
        elif name == "*t.R":
            self.dpi = number
        elif name in ("*r.A", "*r.B", "*r.C"):
            self.seeds = {}
        elif name == "*r.U":
            self.planes = abs(number)
        elif name == "&a.G" and number == 2:  # the sheet's other side
            self.end_page()
        elif name == "*p.Y" and number > len(self.rows):
            self.rows += [b""] * (number - len(self.rows))
        elif group == b"&l":
            self.setup[name[1:]] = number


def from_pcl(path):
    """Pages of PCL raster; more: dpi and the commands of ESC & l by letter ("l.X" copies, "l.S"
    sides, "l.A" size, "l.H" tray, "l.O" orientation)."""
    data = pathlib.Path(path).read_bytes()
    pcl, at = _Pcl(), 0
    command = re.compile(rb"\x1b([&*()][a-z]?)((?:[-+]?[\d.]*[a-z])*[-+]?[\d.]*[A-Z@])")
    while at < len(data):
        if data[at] == 12:
            pcl.end_page()
            at += 1
            continue
        if data[at] != 27:
            at += 1
            continue
        found = command.match(data, at)
        if not found:
            if data[at + 1:at + 2] == b"E":
                pcl.end_page()
            at += 2
            continue
        at = found.end()
        for value, letter in re.findall(rb"([-+]?[\d.]*)([a-zA-Z@])", found.group(2)):
            payload = b""
            if (found.group(1), letter.upper()) in WITH_DATA:
                count = int(value or b"0")
                payload = data[at:at + count]
                at += count
            pcl.command(found.group(1), value, letter.upper(), payload)
    pcl.end_page()
    return pcl.pages


# ---- PWG raster (PWG 5102.4) --------------------------------------------------------------------

PWG_HEADER = 1796


def _pwg_line(data, at, width, pixel):
    """One line of so many bytes, and where the next begins."""
    line = bytearray()
    while len(line) < width:
        head = data[at]
        at += 1
        if head < 128:
            line += data[at:at + pixel] * (head + 1)
            at += pixel
        elif head > 128:
            line += data[at:at + pixel * (257 - head)]
            at += pixel * (257 - head)
        else:  # white to the end
            line += b"\xff" * (width - len(line))
    return bytes(line), at


def _pwg_dark(line, pixel, cell):
    """Darkness of every cell-th pixel, and whether any has a colour."""
    step = pixel * cell
    if pixel == 1:
        return bytes(255 - one for one in line[::step]), False
    red, green, blue = line[::step], line[1::step], line[2::step]
    return (bytes(255 - (r + g + b) // 3 for r, g, b in zip(red, green, blue)),
            any(max(p) - min(p) > 40 for p in zip(red, green, blue)))


def from_pwg(path):
    """Pages of PWG raster of 8 bits per colour; more: dpi, duplex and tumble."""
    data = pathlib.Path(path).read_bytes()
    assert data[:4] == b"RaS2", data[:4]
    pages, at = [], 4
    while at < len(data):
        duplex, dpi = struct.unpack(">II", data[at + 272:at + 280])
        tumble, wide, tall = struct.unpack(">III", data[at + 368:at + 380])
        pixel = struct.unpack(">I", data[at + 388:at + 392])[0] // 8
        cell, rows, colour, done = max(1, dpi // DPI), [], False, 0
        at += PWG_HEADER
        while done < tall:
            times = data[at] + 1
            line, at = _pwg_line(data, at + 1, wide * pixel, pixel)
            dark, has_colour = _pwg_dark(line, pixel, cell)
            colour = colour or has_colour
            rows += [dark] * ((done + times - 1) // cell - (done - 1) // cell)
            done += times
        pages.append(Page(wide / dpi * 25.4, tall / dpi * 25.4, rows, colour, dpi=dpi,
                          duplex=bool(duplex), tumble=bool(tumble)))
    return pages
