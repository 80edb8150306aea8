"""The process that draws pyfolio's sheets: JSON in on stdin, JSON with PNGs out on stdout."""

import base64
import gc
import io
import json
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

# pyfolio and what it draws with import these for functions that are not called here: as much
# time as all the rest
UNUSED: Final = {
    "sklearn": {"linear_model": None},
    "IPython": {},
    "IPython.display": {"display": None, "HTML": None, "Markdown": None},
    "mpl_toolkits.mplot3d": {"Axes3D": None},
    "numpy.f2py": {},
    "scipy.cluster": {"hierarchy": None},
    "scipy.optimize": {},
    "scipy.stats": dict.fromkeys(("gaussian_kde", "kurtosis", "skew")),
}
for _name, _members in UNUSED.items():
    _module = types.ModuleType(_name)
    _module.__dict__.update(_members)
    sys.modules[_name] = _module
sys.modules.update(dict.fromkeys(("pyarrow", "yfinance")))  # type: ignore[arg-type]
gc.disable()  # the process ends when it has drawn

import numpy as np  # noqa: E402

np.f2py = sys.modules["numpy.f2py"]  # numpy looks for it in itself

import empyrical  # noqa: E402
import matplotlib as mpl  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import pandas as pd  # noqa: E402
import pyfolio  # noqa: E402
import seaborn  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from PIL import Image  # noqa: E402
from scipy import special  # noqa: E402

for _name in UNUSED:  # matplotlib asks later whether it runs inside IPython
    del sys.modules[_name]

DAYS_PER_YEAR: Final = 365
HALF_YEAR: Final = 182
DPI: Final = 80
COLOURS: Final = 64
WIDTH: Final = 11.0

Request = dict[str, Any]


class NothingToDrawError(Exception):
    """A sheet has no data; the message says which."""


def draw_all(request: Request) -> dict[str, dict[str, str]]:
    """Return for each sheet its PNG in base64, or the reason it could not be drawn."""
    with annualise(DAYS_PER_YEAR), pyfolio.plotting.plotting_context("paper", font_scale=1.0):
        return {name: _guard(draw, request) for name, draw in DRAWINGS.items()}


@contextmanager
def annualise(days: int) -> Iterator[None]:
    """Have pyfolio and empyrical count `days` periods a year, which they fix at 252."""
    factors = {**empyrical.stats.ANNUALIZATION_FACTORS, "daily": days}
    with (
        mock.patch.dict(empyrical.stats.ANNUALIZATION_FACTORS, factors),
        mock.patch.object(pyfolio.timeseries, "APPROX_BDAYS_PER_YEAR", days),
    ):
        yield


def _guard(draw: Callable[[Request], Figure], request: Request) -> dict[str, str]:
    try:
        with pyfolio.plotting.axes_style("whitegrid"):
            return {"png": _png(draw(request))}
    except NothingToDrawError as error:
        return {"reason": str(error)}
    except Exception as error:  # noqa: BLE001 - the page still stands
        return {"reason": f"{type(error).__name__}: {error}"}
    finally:
        plt.close("all")


def _png(figure: Figure) -> str:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    buffer = io.BytesIO()
    # a palette makes a third of the bytes, and Pillow writes neither date nor version
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    picture = Image.fromarray(pixels[..., :3])
    picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
        buffer, format="PNG"
    )
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _axes(layout: str, *, height: float) -> tuple[Figure, dict[str, Axes]]:
    figure, axes = plt.subplot_mosaic(layout, figsize=(WIDTH, height), dpi=DPI)
    # fixed margins: fitting them to the labels would draw every sheet twice
    figure.subplots_adjust(
        left=0.07, right=0.98, top=1 - 0.35 / height, bottom=0.45 / height, hspace=0.3, wspace=0.16
    )
    return figure, axes


def _returns(request: Request, name: str = "returns") -> pd.Series:
    days = pd.DatetimeIndex(request["days"], tz="UTC")
    label = request["benchmark_name"] if name == "benchmark" else "Strategy"
    return pd.Series(request[name], index=days, name=label, dtype=np.float64)


def _returns_sheet(request: Request) -> Figure:
    figure, axes = _axes("c;v;s", height=8.0)
    returns, benchmark = _returns(request), _returns(request, "benchmark")
    pyfolio.plotting.plot_rolling_returns(returns, benchmark, logy=True, ax=axes["c"])
    axes["c"].set_title("Cumulative returns, log scale")
    for name, plot in (
        ("v", pyfolio.plotting.plot_rolling_volatility),
        ("s", pyfolio.plotting.plot_rolling_sharpe),
    ):
        plot(returns, benchmark, rolling_window=HALF_YEAR, ax=axes[name])
    return figure


def _drawdown_sheet(request: Request) -> Figure:
    figure, axes = _axes("p;u", height=6.0)
    returns = _returns(request)
    pyfolio.plotting.plot_drawdown_periods(returns, top=5, ax=axes["p"])
    pyfolio.plotting.plot_drawdown_underwater(returns, ax=axes["u"])
    return figure


def _month_sheet(request: Request) -> Figure:
    returns = _returns(request)
    figure, axes = _axes("hh;as", height=7.5)
    # seaborn would draw the whole sheet to see whether its labels overlap: a dozen months do not
    with mock.patch.object(seaborn.matrix, "_draw_figure"):
        pyfolio.plotting.plot_monthly_returns_heatmap(returns, ax=axes["h"])
    pyfolio.plotting.plot_annual_returns(returns, ax=axes["a"])
    pyfolio.plotting.plot_monthly_returns_dist(returns, ax=axes["s"])
    return figure


def _round_trip_sheet(request: Request) -> Figure:
    lots = pd.DataFrame(request["lots"], columns=["day", "symbol", "amount", "price"])
    if not (lots["amount"] < 0).any():
        raise NothingToDrawError("no trade was closed, so there is no round trip")
    transactions = lots.set_index(pd.DatetimeIndex(lots.pop("day"), tz="UTC"))
    trips = pyfolio.round_trips.extract_round_trips(transactions)
    figure, axes = _axes("l;o", height=5.0)
    pyfolio.plotting.plot_round_trip_lifetimes(trips, ax=axes["l"])
    axes["l"].set_title("Round trips")
    _odds(trips, axes["o"])
    return figure


@dataclass(frozen=True, slots=True)
class _Beta:
    """The beta distribution as far as pyfolio asks for it: `scipy.stats` takes a second to load."""

    gains: float
    losses: float

    def pdf(self, at: np.ndarray) -> np.ndarray:
        powers = special.xlogy(self.gains - 1, at) + special.xlog1py(self.losses - 1, -at)
        return np.asarray(np.exp(powers - special.betaln(self.gains, self.losses)))

    def ppf(self, probability: float) -> float:
        return float(special.betaincinv(self.gains, self.losses, probability))


BETA: Final = types.SimpleNamespace(beta=_Beta)


def _odds(trips: pd.DataFrame, axes: Axes) -> None:
    gains = int((trips["pnl"] > 0).sum())
    if 0 < gains < len(trips):
        with mock.patch.object(pyfolio.plotting, "sp", types.SimpleNamespace(stats=BETA)):
            pyfolio.plotting.plot_prob_profit_trade(trips, ax=axes)
        return
    axes.set_axis_off()
    axes.text(0.5, 0.5, "All trades went the same way: no odds to draw.", ha="center")


DRAWINGS: Final[dict[str, Callable[[Request], Figure]]] = {
    "returns": _returns_sheet,
    "drawdowns": _drawdown_sheet,
    "months": _month_sheet,
    "round_trips": _round_trip_sheet,
}


if __name__ == "__main__":
    mpl.use("Agg")
    sys.stdout.write(json.dumps(draw_all(json.load(sys.stdin))))
