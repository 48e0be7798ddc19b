"""A logo is written again from what is harmless; what could act is an error that names it."""

import pytest

from gateway.domain.errors import Refusal
from receipts.logo import SVG, cleaned, logo_bytes_max

HEAD = f'<svg xmlns="{SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"'


def test_what_is_harmless_stays_and_what_editors_write_goes() -> None:
    made = cleaned(
        f'{HEAD} xmlns:i="urn:i" i:version="1"><!-- x --><metadata>me</metadata><i:note/>'
        '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient></defs>'
        '<g style="fill:url(#a); -inkscape-x:1"><path class="c" d="M0 0h9v9z"/></g></svg>'.encode()
    )

    assert '<path d="M0 0h9v9z" />' in made
    assert 'fill="url(#a)"' in made
    assert not any(x in made for x in ("metadata", "note", "class", "inkscape", "x -->", "urn:i"))


@pytest.mark.parametrize(
    ("svg", "why"),
    [
        (f"{HEAD}><script>alert(1)</script></svg>", "<script>"),
        (f"{HEAD}><foreignObject/></svg>", "<foreignObject>"),
        (f'{HEAD}><image xlink:href="http://x/y.png"/></svg>', "<image>"),
        (f'{HEAD}><g xlink:href="#a"/></svg>', "href"),
        (f'{HEAD} onload="x()"><g/></svg>', "onload"),
        (f'{HEAD}><rect fill="url(http://x/y)"/></svg>', "leads elsewhere"),
        (f"{HEAD}><rect style=\"fill:URL( '//x' )\"/></svg>", "leads elsewhere"),
        (f'<!DOCTYPE svg [<!ENTITY a "b">]>{HEAD}><g/></svg>', "DOCTYPE"),
        (f"{HEAD}>{'<g>' * 20}{'</g>' * 20}</svg>", "deep"),
        (f"{HEAD}>{'<g/>' * 401}</svg>", "elements"),
        (f"{HEAD}>{' ' * logo_bytes_max}</svg>", "too large"),
        ("<svg", "not XML"),
        ("<html/>", "not an SVG"),
    ],
)
def test_what_could_act_is_an_error(svg: str, why: str) -> None:
    with pytest.raises(Refusal) as found:
        cleaned(svg.encode())
    assert why in found.value.detail
