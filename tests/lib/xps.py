"""Makes small valid XPS documents: what Windows prints to printers that take XPS (ECMA-388)."""

import io
import zipfile

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/"
XPS = "http://schemas.microsoft.com/xps/2005/06"
TYPES = {
    "rels": "application/vnd.openxmlformats-package.relationships+xml",
    "fdseq": "application/vnd.ms-package.xps-fixeddocumentsequence+xml",
    "fdoc": "application/vnd.ms-package.xps-fixeddocument+xml",
    "fpage": "application/vnd.ms-package.xps-fixedpage+xml",
    "ttf": "application/vnd.ms-opentype",
}


def _page(number, text):
    return (f'<FixedPage xmlns="{XPS}" Width="793.7" Height="1122.5" xml:lang="en">'
            '<Path Data="M 100,400 L 300,400 300,600 100,600 Z" Fill="#FF000000"/>'
            '<Glyphs FontUri="/Resources/font.ttf" FontRenderingEmSize="32" OriginX="100"'
            f' OriginY="200" UnicodeString="{text} {number}" Fill="#FF000000"/></FixedPage>')


def make(pages=1, text="page", padding=0):
    """The bytes of a document of A4 pages; padding: of a part that nothing refers to."""
    types = "".join(f'<Default Extension="{extension}" ContentType="{mime}"/>'
                    for extension, mime in TYPES.items())
    places = [f"Documents/1/Pages/{n}.fpage" for n in range(1, pages + 1)]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}content-types">{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}relationships"><Relationship Id="R0"'
                       f' Type="{XPS}/fixedrepresentation" Target="/Sequence.fdseq"/>'
                       '</Relationships>',
        "Sequence.fdseq": f'<FixedDocumentSequence xmlns="{XPS}"><DocumentReference'
                          ' Source="/Documents/1/Document.fdoc"/></FixedDocumentSequence>',
        "Documents/1/Document.fdoc": f'<FixedDocument xmlns="{XPS}">' + "".join(
            f'<PageContent Source="/{place}"/>' for place in places) + "</FixedDocument>",
        **{place: _page(n, text) for n, place in enumerate(places, 1)},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
        package.write(FONT, "Resources/font.ttf")
        if padding:
            package.writestr(zipfile.ZipInfo("Resources/padding.ttf"), bytes(padding))
    return out.getvalue()
