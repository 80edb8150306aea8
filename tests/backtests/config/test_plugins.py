"""Plug-ins as a config names them: loaded, refused with a remedy, their parameters validated."""

import hashlib
import importlib.metadata
import shutil
import sys
import tomllib
from types import ModuleType

import pytest

from backtests.config.config import Config, load_config
from backtests.config.plugins import config_texts, load_plugin, ship
from backtests.records.run_files import own_code, own_sources
from feeds.errors import ConfigError
from strategies import registry

RECLAIM = """
from typing import Annotated
from pydantic import Field
from backtests import signal

@signal("reclaim")
def reclaim(index, *, window: Annotated[int, Field(ge=2)] = 200, share: float = 0.5):
    return index["close"] > index["close"].rolling(window).mean()
"""


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "my_rules.py"
    path.write_text(RECLAIM)
    return path


def config_of(plugin, *overrides):
    given = [f'plugins=["{plugin}"]', "rules.trigger=reclaim", *overrides]
    return load_config(None, overrides=given)


def refusal(plugin, *overrides):
    with pytest.raises(ConfigError) as caught:
        config_of(plugin, *overrides)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_plugin_that_is_missing_is_named(tmp_path):
    text = refusal(tmp_path / "none.py")
    assert f"`plugins` {tmp_path / 'none.py'}: No such file" in text
    assert "bring it back" in text


def test_plugin_in_the_folder_of_data_is_refused(tmp_path, plugin):
    text = refusal(plugin, f'data.data_dir="{tmp_path}"')
    assert "lies in a folder of data, from which no code is run" in text


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json"])
def test_plugin_in_a_folder_of_results_is_refused(plugin, name):
    (plugin.parent / name).write_text("{}")
    assert "lies in a folder of results" in refusal(plugin)


def test_plugin_that_fails_is_named_with_its_line(plugin):
    plugin.write_text("x = 1\n\ny = x / 0\n")
    assert "failed at line 3: ZeroDivisionError" in refusal(plugin)


def test_plugin_that_is_no_python_is_named_with_its_line(plugin):
    plugin.write_text("x = 1\ndef broken(:\n")
    assert "failed at line 2: SyntaxError" in refusal(plugin)


def test_plugin_that_registers_nothing_is_refused(plugin):
    plugin.write_text("x = 1\n")
    assert "registers nothing. Put a decorator above a function" in refusal(plugin)


def test_name_of_a_built_in_function_is_refused(plugin):
    plugin.write_text(RECLAIM.replace('"reclaim"', '"new_high"'))
    assert "the signal 'new_high'" in refusal(plugin)
    assert "from built in. Choose another name" in refusal(plugin)


def test_name_of_another_file_is_refused(tmp_path, plugin):
    other = tmp_path / "other.py"
    other.write_text(RECLAIM)
    config_of(plugin)
    assert f"is there already, from {plugin}" in refusal(other)


def test_plugin_is_read_again_after_a_change(plugin):
    before = config_of(plugin)
    assert before.signal.reclaim == {"window": 200, "share": 0.5}
    assert load_plugin(plugin) is load_plugin(plugin)
    plugin.write_text(RECLAIM.replace("200", "100"))
    assert config_of(plugin).signal.reclaim["window"] == 100
    assert before.short_hash != config_of(plugin).short_hash


def test_plugin_that_failed_is_back_once_it_is_mended(plugin):
    config_of(plugin)
    plugin.write_text("x = 1 / 0\n")
    refusal(plugin)
    plugin.write_text(RECLAIM)
    assert config_of(plugin).signal.reclaim["window"] == 200


def test_function_taken_out_of_a_plugin_is_forgotten(plugin):
    config_of(plugin)
    plugin.write_text(RECLAIM.replace('"reclaim"', '"regain"'))
    assert "The nearest is 'regain'" in refusal(plugin)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("signal.reclaim.window=1", "`signal.reclaim.window` must be"),
        ("signal.reclaim.window=2.5", "`signal.reclaim.window` must be"),
        ('signal.reclaim.share="much"', "`signal.reclaim.share` must be"),
        ("signal.reclaim.windw=9", "The nearest is `signal.reclaim.window`"),
        ("signal.reclam.window=9", "`signal.reclam`"),
    ],
)
def test_parameter_that_is_not_allowed_is_named(plugin, override, said):
    assert said in refusal(plugin, override)


def test_config_with_a_plugin_round_trips_with_its_defaults(plugin):
    config = config_of(plugin, "signal.reclaim.window=50")
    text = config.to_toml()
    assert tomllib.loads(text)["signal"]["reclaim"] == {"window": 50, "share": 0.5}
    again = Config.model_validate(tomllib.loads(text))
    assert again == config
    assert (again.short_hash, hash(again)) == (config.short_hash, hash(config))
    spelt = config_of(plugin, "signal.reclaim.window=50", "signal.reclaim.share=0.5")
    assert spelt.short_hash == config.short_hash


def test_plugin_is_found_beside_the_config_that_names_it(plugin, monkeypatch, tmp_path_factory):
    file = plugin.with_name("mine.toml")
    file.write_text('plugins = ["my_rules.py"]\n[rules]\ntrigger = "reclaim"\n')
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert load_config(file).plugins == (str(plugin),)


def test_installed_package_offers_its_functions(tmp_path, monkeypatch):
    (tmp_path / "offered_rules.py").write_text(RECLAIM)
    monkeypatch.syspath_prepend(str(tmp_path))
    point = importlib.metadata.EntryPoint("mine", "offered_rules", "russell_risk_on")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: [point])
    monkeypatch.setattr(registry, "_packages", [])
    config = load_config(None, trigger="reclaim")
    assert config.signal.reclaim["window"] == 200
    (entry,) = config.own_functions
    assert entry.origin.name == "offered_rules (offered_rules)"
    assert len(entry.origin.sha256) == 64


def test_config_without_plugins_writes_nothing_of_them():
    text = load_config(None).to_toml()
    assert "plugins" not in text
    assert "own" not in tomllib.loads(text)["signal"]


LEVELS = "from inner.numbers import WINDOW\n\ndef level(index):\n    return index['close']\n"
USES = """
from backtests import signal
from levels import WINDOW, level

@signal("above")
def above(index, *, window: int = WINDOW):
    return level(index) > level(index).rolling(window).mean()
"""


@pytest.fixture
def several(tmp_path):
    """A plug-in that imports a file and a package from beside it."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("")
    (tmp_path / "inner" / "numbers.py").write_text("WINDOW = 200\n")
    (tmp_path / "levels.py").write_text(LEVELS)
    (tmp_path / "several.py").write_text(USES)
    return tmp_path / "several.py"


def above(plugin):
    return load_config(None, overrides=[f'plugins=["{plugin}"]', "rules.trigger=above"])


def test_files_beside_a_plugin_are_part_of_it(several):
    config, folder = above(several), several.parent
    (code,) = own_code(config)
    assert list(code["files"]) == [
        str(file)
        for file in (
            several,
            folder / "levels.py",
            folder / "inner" / "__init__.py",
            folder / "inner" / "numbers.py",
        )
    ]
    digest = hashlib.sha256((folder / "levels.py").read_bytes()).hexdigest()
    assert code["files"][str(folder / "levels.py")] == digest
    assert own_sources(config)["plugin-levels.py.txt"] == LEVELS
    assert load_plugin(several) is load_plugin(several)


def test_change_of_a_file_beside_a_plugin_is_a_change_of_the_plugin(several):
    before = above(several)
    digest = own_code(before)[0]["sha256"]
    (several.parent / "inner" / "numbers.py").write_text("WINDOW = 50\n")
    after = above(several)
    assert (before.signal.above["window"], after.signal.above["window"]) == (200, 50)
    assert own_code(after)[0]["sha256"] != digest


def test_plugin_of_one_file_has_the_digest_of_that_file(plugin):
    (code,) = own_code(config_of(plugin))
    assert code["sha256"] == hashlib.sha256(plugin.read_bytes()).hexdigest()
    assert "files" not in code


def test_files_of_one_name_beside_two_plugins_are_kept_apart(several, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "second.py"
    other.write_text(USES.replace("above", "over"))
    (other.parent / "levels.py").write_text(
        LEVELS.replace("from inner.numbers import ", "").replace("WINDOW\n", "WINDOW = 7\n", 1)
    )
    config = load_config(
        None,
        overrides=[f'plugins=["{several}", "{other}"]', 'rules.trigger=["above", "over"]'],
    )
    assert (config.signal.above["window"], config.signal.over["window"]) == (200, 7)
    assert {"plugin-levels.py.txt", "plugin-levels.py-2.txt"} <= set(own_sources(config))


def test_module_that_somebody_imported_from_beside_stays_theirs(several, monkeypatch):
    theirs = ModuleType("levels")
    theirs.__file__ = str(several.parent / "levels.py")
    monkeypatch.setitem(sys.modules, "levels", theirs)
    assert above(several).signal.above["window"] == 200
    assert sys.modules["levels"] is theirs
    assert "inner" not in sys.modules


def test_failure_in_a_file_beside_a_plugin_is_named_with_its_line(several):
    (several.parent / "levels.py").write_text("\nx = 1 / 0\n")
    with pytest.raises(ConfigError, match=r"failed at line 2 of levels\.py: ZeroDivisionError"):
        above(several)
    (several.parent / "levels.py").write_text("\n\ndef broken(:\n")
    with pytest.raises(ConfigError, match=r"failed at line 3 of levels\.py: SyntaxError"):
        above(several)


def test_shipped_plugin_runs_without_the_files_beside_it(several):
    texts = config_texts(above(several))
    shutil.rmtree(several.parent / "inner")
    with pytest.raises(ConfigError, match=r"No module named 'inner'"):
        above(several)
    ship(texts)
    assert above(several).signal.above["window"] == 200
