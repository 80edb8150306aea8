"""What all pages share: escaping templates, inlined scripts, and charts as safe JSON."""

import base64
import contextlib
import gzip
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from backtests.report.charts import figure_dicts
from backtests.report.pages import page_parts
from backtests.report.pages.page_parts import Banner, Panel
from backtests.report.words import notation as written
from feeds.folders import derived_folder, write_whole

if TYPE_CHECKING:
    from backtests.config.config import Config

TEMPLATES: Final = files("backtests.report").joinpath("templates")
LIBRARY_FILE: Final = "plotly.min.js"
PAGES_FOLDER: Final = "pages"
# what the macro of tables asks of headings, rows and cells
CELL_HELPERS: Final = (
    page_parts.heading,
    page_parts.numeric,
    page_parts.label_cells,
    page_parts.align_cells,
)
# as the macro of sections writes its heading
SECTION: Final = re.compile(
    r'<section id="([^"]+)">\s*<details class="part"[^>]*>\s*<summary><h2>(.*?)</h2>', re.DOTALL
)
FEWEST_SECTIONS: Final = 4  # with fewer the page is seen at a glance
NO_BANNER: Final = Banner()
NO_PANELS: Final[Mapping[str, Panel]] = {}
UNSAFE_IN_SCRIPT: Final = "<>&\u2028\u2029"


def render(
    template: str,
    content: Mapping[str, object],
    *,
    banner: Banner = NO_BANNER,
    panels: Mapping[str, Panel] = NO_PANELS,
    library_file: str = "",
) -> str:
    """Return a page; every value of `content` is escaped unless it is markup of our own.

    The page carries plotly's library if any of its `panels` is drawn, unless `library_file`
    says which file beside it holds `plotly_library()`.
    """
    is_drawn = any(panel.spec for panel in panels.values())
    page: str = (
        _environment()
        .get_template(template)
        .render(
            **content,
            kind=template.partition(".")[0],
            banner=banner,
            panels=panels,
            charts=charts_json(panels),
            plotly=plotly_payload() if is_drawn and not library_file else "",
            library_file=library_file if is_drawn else "",
        )
    )
    return page


def outline(content: str) -> list[tuple[str, Markup]]:
    """Return (id, heading) of each section of a page's content; none where they are few."""
    # the headings were escaped when the content was written
    found = [(name, Markup(title)) for name, title in SECTION.findall(content)]  # noqa: S704
    return found if len(found) >= FEWEST_SECTIONS else []


@cache
def plotly_library() -> str:
    """Return plotly's browser library, for a file beside many pages."""
    return files("plotly").joinpath(f"package_data/{LIBRARY_FILE}").read_text(encoding="utf-8")


@cache
def plotly_payload() -> Markup:
    """Return plotly's browser library, compressed: plain it would be 4.8 MB of every page."""

    def packed() -> str:
        plain = plotly_library().encode()
        return base64.b64encode(gzip.compress(plain, compresslevel=6, mtime=0)).decode("ascii")

    text = _keep(f"plotly-{version('plotly')}.gz.base64", packed)
    return Markup(text)  # noqa: S704 - base64 holds no markup


def _keep(name: str, work_out: Callable[[], str]) -> str:
    """Return a text that was worked out before, or work it out for this command and the next."""
    folder = derived_folder(PAGES_FOLDER)
    if folder is None:
        return work_out()
    with contextlib.suppress(OSError):
        return (folder / name).read_text(encoding="utf-8")
    text = work_out()
    with contextlib.suppress(OSError):
        write_whole(folder / name, text.encode())
    return text


def script_json(value: object) -> Markup:
    """Return JSON that cannot end the script element it stands in, whatever text it holds."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for character in UNSAFE_IN_SCRIPT:  # much faster than to translate text of megabytes
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing unsafe is left


def charts_json(panels: Mapping[str, Panel]) -> Markup:
    """Return the charts that could be drawn, and their colours on a dark page."""
    specs = {name: panel.spec for name, panel in panels.items() if panel.spec}
    return script_json({"figures": specs, "dark": figure_dicts.dark_for_light()})


def mailable(config: "Config") -> "Config":
    """Return the config with only the names of its folders and files, as pages are mailed."""
    places = {
        name: short_place(folder)
        for name in ("data_dir", "cache_dir")
        if (folder := getattr(config.data, name))
    }
    files = {
        "plugins": config.plugins and tuple(map(short_place, config.plugins)),
        "strategy": config.strategy and short_place(config.strategy),
    }
    return config.model_copy(update={"data": config.data.model_copy(update=places), **files})


def short_place(place: str) -> str:
    """Return of an absolute path only its last name."""
    path = PurePath(place)
    return f".../{path.name}" if path.is_absolute() else place


def unbroken(text: str) -> str:
    """Return text in which no line can break between a number and its percent sign."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


@cache
def _environment() -> Any:
    import jinja2

    def own(name: str) -> Markup:
        # our own files, not input: the only text that is not escaped
        return Markup(_read(name))  # noqa: S704

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_read),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.bytecode_cache = _template_cache(environment)
    environment.globals.update(
        own=own, outline=outline, written=written, light=figure_dicts.LIGHT, dark=figure_dicts.DARK
    )
    environment.globals.update({one.__name__: one for one in CELL_HELPERS})
    environment.filters.update(unbroken=unbroken)
    return environment


def _template_cache(environment: Any) -> Any:
    """Return where compiled templates are kept, by text and by all else that decides them.

    None where nothing can be kept.
    """
    import jinja2

    class CompiledTemplates(jinja2.FileSystemBytecodeCache):
        def dump_bytecode(self, bucket: Any) -> None:
            with contextlib.suppress(OSError):  # what cannot be kept must not stop a page
                super().dump_bytecode(bucket)

    syntax = f"{jinja2.__version__} {environment.trim_blocks} {environment.lstrip_blocks}"
    digest = hashlib.sha256(syntax.encode()).hexdigest()[:16]
    folder = derived_folder(f"{PAGES_FOLDER}/{digest}")
    return folder and CompiledTemplates(str(folder))


def _read(name: str) -> str:
    return TEMPLATES.joinpath(name).read_text(encoding="utf-8")
