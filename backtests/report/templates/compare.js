// Runs side by side in a page without a server: those that the address names (#run=...&run=...) are
// taken from all that the page carries, before the charts are drawn.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const { runs, holds, figures, settings, filters, words, styles, most, minus, undefined: unknown } =
    JSON.parse(byId("chosen-from").textContent);
  const WEEK = 7 * 86_400_000;
  const FEWEST_WEEKS = 26;
  const names = new Set(new URLSearchParams(location.hash.slice(1)).getAll("run"));
  const places = runs.map((_, place) => place).filter((place) => names.has(runs[place].name)).slice(0, most);
  const chosen = places.map((place) => runs[place]);
  addEventListener("hashchange", () => location.reload());
  byId("few").hidden = chosen.length > 1;
  byId("told").hidden = chosen.length < 2;
  if (chosen.length < 2) return;

  const isMixed = (values) => new Set(values).size > 1;
  // a setting's values come once each, and every run says which is its own
  const valuesOf = ({ texts, of }) => places.map((place) => texts[of[place]]);
  const differing = settings.filter(({ of }) => isMixed(places.map((place) => of[place])));
  // a filter that some lack is one row; its settings are folded
  const some = filters.filter((filter) => valuesOf(filter).includes(words.noFilter));
  const ownerOf = ({ name }) => some.find((filter) => name.startsWith(`${filter.name}.`));
  const shown = [...new Set(differing.map((setting) => ownerOf(setting) ?? setting))];
  const labels = labelled();

  // The name its maker gave a run, or its asset and what tells runs of one asset apart; no two alike.
  function labelled() {
    const split = ({ of }, peers) => peers.map((place) => peers.findIndex((other) => of[other] === of[place])).join();
    const naming = shown.filter(({ short }) => short);
    const telling = (place) => {
      const peers = places.filter((other) => runs[other].asset === runs[place].asset);
      const mixed = naming.filter(({ of }) => isMixed(peers.map((other) => of[other])));
      const own = mixed.filter((setting, row) =>
        mixed.findIndex((other) => split(other, peers) === split(setting, peers)) === row);
      return own.slice(0, words.most);
    };
    const named = (setting, place) => {
      const text = valuesOf(setting)[place];
      if (!some.includes(setting)) return `${setting.short} ${text}`;
      if (text === words.noFilter) return `no ${setting.short}`;
      return text.endsWith(words.atRelease) ? text.slice(0, -words.atRelease.length) : text;
    };
    const cut = (text) => (text.length > words.longest ? `${text.slice(0, words.longest)}...` : text);
    let found = chosen.map(({ title, asset }, place) =>
      cut(title || [asset || "?", ...telling(places[place]).map((setting) => named(setting, place))].join(", ")));
    for (const more of ["made", "name"]) {
      const often = found.filter((label, place) => found.indexOf(label) !== place);
      found = found.map((label, place) => (often.includes(label) ? `${label}, ${chosen[place][more]}` : label));
    }
    return found;
  }

  function element(name, text, style) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (style) made.className = style;
    return made;
  }

  function fill(section, headings, rows, isNumber) {
    const table = element("table");
    const head = table.createTHead().insertRow();
    headings.forEach((text, place) => {
      const cell = element("th", text, isNumber && place ? "num" : "");
      cell.scope = "col";
      head.append(cell);
    });
    const body = table.createTBody();
    for (const [label, ...cells] of rows) {
      const row = body.insertRow();
      const first = element("th", label);
      first.scope = "row";
      row.append(first);
      cells.forEach(([text, style]) => row.append(element("td", text, `${isNumber ? "num" : ""} ${style ?? ""}`.trim())));
    }
    document.querySelector(`#${section} .scroll`).replaceChildren(table);
  }

  const numberOf = (text) => parseFloat(text.replace(minus, "-").replaceAll(",", ""));

  // Cells of which the best is marked, unless all that is written is the same.
  function marked(texts, better) {
    const known = texts.map(numberOf).filter((value) => !Number.isNaN(value));
    if (!better || known.length < 2 || !isMixed(texts)) return texts.map((text) => [text]);
    const best = better === "max" ? Math.max(...known) : Math.min(...known);
    return texts.map((text) => [text, numberOf(text) === best ? "best" : ""]);
  }

  function signed([text, style]) {
    const sign = numberOf(text) > 0 ? "gain" : numberOf(text) < 0 ? "loss" : "";
    return [text, `${sign} ${style ?? ""}`.trim()];
  }

  const weeksOf = ({ first, packed }) => {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const values = [...new Float32Array(bytes.buffer)];
    return values.every((value) => value >= 0 && value < Infinity) ? { start: Date.parse(first), values } : null;
  };

  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const line = (name, { start, values }, style, hovertemplate) => ({
    type: "scatter", mode: "lines", name: plain(name), x0: new Date(start).toISOString().slice(0, 10),
    dx: WEEK, y: values, line: style, hovertemplate,
  });

  function below({ start, values }) {
    let peak = -Infinity;
    return { start, values: values.map((value) => { peak = Math.max(peak, value); return 100 * (value / peak - 1); }) };
  }

  function logTicks(values) {
    const decades = Math.log10(Math.max(...values) / Math.min(...values));
    if (decades < 0.7) return {};
    return { dtick: decades <= 5 ? "D2" : Math.ceil(decades / 5) };
  }

  function drawCurves(curves) {
    const charts = JSON.parse(byId("charts").textContent);
    const { equity, underwater } = charts.figures;
    const longest = new Map();
    chosen.forEach(({ hold }) => {
      if (hold === null) return;
      const { asset, packed } = holds[hold];
      if (!(longest.get(asset)?.packed.length >= packed.length)) longest.set(asset, holds[hold]);
    });
    equity.data = curves.map((curve, place) => line(labels[place], curve, styles[place], words.hover));
    [...longest].sort().forEach(([asset, hold]) => {
      const weeks = weeksOf(hold);
      if (weeks) equity.data.push(line(`Hold ${asset}`, weeks, words.hold, words.hover));
    });
    underwater.data = curves.map((curve, place) => line(labels[place], below(curve), styles[place], "%{y}"));
    const starts = curves.map(({ start }) => start);
    const ends = curves.map(({ start, values }) => start + values.length * WEEK);
    const range = [Math.min(...starts), Math.max(...ends)].map((time) => new Date(time).toISOString().slice(0, 16).replace("T", " "));
    [equity, underwater].forEach(({ layout }) => { layout.xaxis.range = range; });
    Object.assign(equity.layout.yaxis, logTicks(curves.flatMap(({ values }) => values.filter((value) => value > 0))));
    byId("charts").textContent = JSON.stringify(charts);
  }

  // Pearson's correlation of weekly returns, over the weeks that both cover.
  function correlation(one, other) {
    const start = Math.max(one.start, other.start);
    const end = Math.min(one.start + one.values.length * WEEK, other.start + other.values.length * WEEK);
    const count = Math.round((end - start) / WEEK);
    const part = ({ start: first, values }) => {
      const from = Math.round((start - first) / WEEK);
      const seen = values.slice(from, from + Math.max(count, 0));
      return seen.slice(1).map((value, place) => value / seen[place] - 1);
    };
    const [x, y] = [part(one), part(other)];
    if (x.length < FEWEST_WEEKS) return NaN;
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [middleX, middleY] = [mean(x), mean(y)];
    const sum = (of) => x.reduce((total, _, place) => total + of(x[place] - middleX, y[place] - middleY), 0);
    return sum((a, b) => a * b) / Math.sqrt(sum((a) => a * a) * sum((_, b) => b * b));
  }

  const written = (value) =>
    (Number.isFinite(value) ? (value + 0).toFixed(2).replace(/^-0\.00$/, "0.00").replace("-", minus) : unknown);

  function tellYears() {
    const held = [...new Set(chosen.map(({ hold }) => hold))].filter((hold) => hold !== null);
    const byAsset = new Map(held.map((hold) => [holds[hold].asset, holds[hold]]));
    const others = [...byAsset].sort().map(([asset, { years }]) => [`Hold ${asset}`, years]);
    const years = [...new Set(chosen.flatMap((run) => Object.keys(run.years)))].sort().reverse();
    const rows = years.map((year) => [
      year,
      ...marked(chosen.map((run) => run.years[year] ?? unknown), "max").map(signed),
      ...others.map(([, made]) => signed([made[year] ?? unknown])),
    ]);
    fill("years", ["Year", ...labels, ...others.map(([name]) => name)], rows, true);
  }

  const breakless = (text) => text.replaceAll(" %", "\u00a0%");
  byId("legend").replaceChildren(...chosen.map(({ link, simulated }, place) => {
    const entry = element("li");
    const anchor = element("a", labels[place]);
    anchor.href = link;
    entry.append(anchor, simulated ? ", simulated" : "");
    return entry;
  }));
  document.querySelector("#verdicts dl").replaceChildren(...chosen.flatMap(({ verdict }, place) =>
    [element("dt", labels[place]), element("dd", breakless(verdict))]));
  byId("simulated").hidden = !chosen.some(({ simulated }) => simulated);
  byId("unlike").hidden = !isMixed(chosen.map(({ covers }) => covers));
  const rowOf = (setting) => [setting.name, ...valuesOf(setting).map((text) => [text])];
  const told = shown.map(rowOf);
  const folded = differing.filter(ownerOf).map(rowOf);
  if (folded.length) fill("folded", ["Setting", ...labels], folded, false);
  byId("folded").hidden = !folded.length;
  if (told.length) fill("differences", ["Setting", ...labels], told, false);
  else document.querySelector("#differences .scroll").textContent = "Nothing: configs and bars are the same.";
  fill("figures", ["Figure", ...labels], figures.map(({ label, better }, row) =>
    [label, ...marked(chosen.map((run) => run.figures[row]), better)]), true);

  const curves = chosen.map((run) => run.course && weeksOf(run.course));
  if (curves.every(Boolean)) {
    drawCurves(curves);
    tellYears();
    fill("correlation", ["Run", ...labels], curves.map((one, place) =>
      [labels[place], ...curves.map((other) => [written(correlation(one, other))])]), true);
  } else {
    const without = labels.filter((_, place) => !curves[place]).join("; ");
    ["equity", "underwater", "years", "correlation"].forEach((section) => {
      const reason = element("p", `Not kept week by week by an older run (${without}). python -m backtests.compare with the names of the folders reads their equity day by day.`, "empty");
      byId(section).replaceChildren(byId(section).querySelector("h2"), reason);
    });
  }
})();
