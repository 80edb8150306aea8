(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  let printing = false;

  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return !printing && (chosen ? chosen === "dark" : prefersDark.matches);
  };

  const press = (selector, isOn) =>
    all(selector).forEach((button) => button.setAttribute("aria-pressed", String(Boolean(isOn(button)))));

  // What the report writes: a true minus sign, commas, units, and a dash for what is undefined.
  const sayable = (text) => (text.trim() === "\u2013" ? "" : text.trim());
  const numberOf = (text) => Number(text.replace("\u2212", "-").replace(/,|\s*(%|x)$/g, ""));

  // Every heading of a sortable table sorts it; cells that say nothing stay at the end.
  function sort(table, heading) {
    const headings = [...heading.parentElement.children];
    const column = headings.indexOf(heading);
    const descending = heading.getAttribute("aria-sort") === "ascending";
    const key = (row) => row.cells[column].dataset.sort ?? sayable(row.cells[column].textContent);
    const order = ([one], [two]) => {
      if (one === "" || two === "") return (one === "") - (two === "");
      const gap = numberOf(one) - numberOf(two);
      const compared = Number.isNaN(gap) ? one.localeCompare(two) : gap;
      return descending ? -compared : compared;
    };
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]).sort(order);
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }

  function listenToTables() {
    all("table.sortable").forEach((table) => table.tHead.addEventListener("click", (event) => {
      const heading = event.target.closest("th");
      if (heading?.querySelector("button")) sort(table, heading);
    }));
  }

  // Charts: drawn in the page's colours, those in time zoomed together.
  const { figures, dark } = JSON.parse(byId("charts")?.textContent ?? '{"figures": {}, "dark": {}}');
  const CONFIG = { responsive: true, displayModeBar: false, doubleClick: "reset" };
  const DAY = 86_400_000;
  const WEEKS_AROUND = 26;
  const HALF_WIDTH = 600;
  const PHONE_WIDTH = 480;
  const FEW_ENTRIES = 3;
  const ROOM_FOR_A_NUMBER = 48;
  const drawn = new Set();
  const scales = {};
  let zoom = null; // [first, last] in milliseconds; null shows all
  let view = null; // the last years alone: figures of their own, equity from the same cash again
  const views = JSON.parse(byId("views")?.textContent ?? "{}");
  const rowsOf = {}; // of the whole run, by the table's name
  const whole = {}; // what stood in tiles and figures at first
  let moment = null; // the time a replay stands at, in milliseconds
  let linking = 0; // how many changes are being passed on to all panels
  const span = () => figures.equity.layout.xaxis.range.map(millis);
  const nameOf = ({ dataset }) => dataset.chart ?? `${dataset.heat}|${byId("pair").value}`;
  const isLinked = (name) => {
    const { type, range } = figures[name].layout.xaxis;
    return type === "date" && Boolean(range);
  };
  const millis = (value) =>
    typeof value === "number" ? value : Date.parse(`${value.replace(" ", "T").slice(0, 23)}Z`);

  // Figures come in light colours; a trailing pair of digits is their opacity.
  function coloured(name) {
    const text = JSON.stringify(figures[name]);
    if (!isDark()) return JSON.parse(text);
    const swap = (whole, colour, alpha) => (colour in dark ? `"${dark[colour]}${alpha ?? ""}"` : whole);
    return JSON.parse(text.replace(/"(#[0-9a-f]{6})([0-9a-f]{2})?"/g, swap));
  }

  // On a phone a long legend would be taller than its chart: it unfolds when asked for.
  function fold(div, layout, entries) {
    if (entries <= FEW_ENTRIES) return;
    let button = div.previousElementSibling;
    if (!button?.matches(".unfold")) {
      button = Object.assign(document.createElement("button"), { type: "button", className: "unfold" });
      button.addEventListener("click", () => {
        button.ariaExpanded = String(button.ariaExpanded !== "true");
        draw(div);
      });
      button.textContent = "Legend";
      button.ariaExpanded = "false";
      div.before(button);
    }
    layout.showlegend = button.ariaExpanded === "true";
  }

  function narrow(div, data, layout, width) {
    layout.margin = { ...layout.margin, l: 8, r: 8 };
    layout.yaxis.automargin = true;
    if (width >= PHONE_WIDTH) return;
    layout.legend = { ...layout.legend, font: { size: 11 } };
    const named = [...data, ...(layout.shapes ?? []).filter((shape) => shape.showlegend)];
    const entries = named.filter((one) => one.showlegend !== false).length;
    if (layout.showlegend !== false) fold(div, layout, entries);
    if (layout.showlegend !== false) layout.height += 13 * Math.max(0, entries - 2); // a row an entry
    if (!layout.xaxis.title) delete layout.yaxis.title; // of two titles neither can be spared
    else layout.xaxis.title.font = { size: 12 };
    (layout.annotations ?? []).filter((note) => note.showarrow !== false)
      .forEach((note) => { note.ax = 0; note.ay = -18; });
  }

  const decoded = ({ bdata }) =>
    new Float32Array(Uint8Array.from(atob(bdata), (c) => c.charCodeAt(0)).buffer);
  const firstSeen = ({ x0 }) => Math.max(0, Math.round((view.from - DAY - millis(x0)) / DAY));

  // Equity of the view: each line from the base at the end of the day before it opens.
  function rebase(data, layout) {
    const { base } = layout.meta;
    data.forEach((trace) => {
      const values = decoded(trace.y);
      let place = firstSeen(trace);
      while (place > 0 && Number.isNaN(values[place])) place -= 1; // a missing day
      const start = values[place];
      trace.y = [...values].map((value) => (value / start) * base);
    });
    layout.yaxis.title.text = `From ${view.cash}, ${scales.equity ?? "log"} scale`;
  }

  // Underwater of the view: peaks count from its opening, as in its figures.
  function sinkAgain(data, layout) {
    data.forEach((trace) => {
      const equity = figures.equity.data.find((one) => one.name === trace.name);
      const first = firstSeen(equity);
      let peak = 0;
      trace.y = [...decoded(equity.y)].map((value, place) => {
        if (place < first || Number.isNaN(value)) return null;
        peak = Math.max(peak, value);
        return 100 * (value / peak - 1);
      });
    });
    layout.annotations = [];
  }

  const upright = (time) => ({
    type: "line", x0: time, x1: time, y0: 0, y1: 1, yref: "paper",
    line: { color: isDark() ? "#ffffff" : "#000000", width: 1.2, dash: "dot" },
  });
  // A replay's moment is marked in all panels over time, with the weeks around it.
  const withMoment = ({ shapes }) => [...(shapes ?? []), upright(moment)];
  function showMoment(time) {
    moment = time;
    return show([time - WEEKS_AROUND * 7 * DAY, time + WEEKS_AROUND * 7 * DAY]);
  }

  const RESTARTED = { equity: rebase, underwater: sinkAgain };

  function prepared(div, name) {
    const { data, layout } = coloured(name);
    if (view) RESTARTED[name]?.(data, layout);
    if (moment && isLinked(name)) layout.shapes = withMoment(layout);
    // states arrive as [how many, text]
    data.filter((trace) => trace.meta?.runs).forEach((trace) => {
      trace.text = trace.meta.runs.flatMap(([count, text]) => Array(count).fill(text));
    });
    layout.autosize = true;
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
    const width = div.clientWidth;
    if (width < HALF_WIDTH && data[0].type !== "parcoords") narrow(div, data, layout, width);
    const columns = data[0].type === "heatmap" ? data[0].x.length : 0;
    if (columns && (width - 100) / columns < ROOM_FOR_A_NUMBER) delete data[0].texttemplate;
    if (scales[name] === "linear") Object.assign(layout.yaxis, { type: "linear", dtick: null });
    if (zoom && isLinked(name)) layout.xaxis.range = zoom.map((time) => new Date(time).toISOString());
    return [data, layout];
  }

  async function draw(div) {
    if (!div.clientWidth) return; // in a closed section, or not shown on a screen this narrow
    const again = drawn.has(div);
    drawn.add(div);
    const name = nameOf(div);
    try {
      await Plotly.react(div, ...prepared(div, name), CONFIG);
      if (zoom && isLinked(name)) await Plotly.relayout(div, fitted(div));
      if (!again && isLinked(name)) listenToPanel(div, name);
    } catch (error) {
      div.textContent = `Not drawn. ${error.message}`;
    }
  }

  // Plotly keeps the value axis when time is zoomed; what is in sight should fill the panel.
  function fitted(div) {
    const name = nameOf(div);
    if (!isLinked(name) || figures[name].layout.yaxis.range) return {};
    if (!zoom) {
      const ticks = div.layout.yaxis.type === "log" ? figures[name].layout.yaxis.dtick ?? null : null;
      return { "yaxis.autorange": true, "yaxis.dtick": ticks };
    }
    const seen = div.calcdata.flat().filter((p) => p.x >= zoom[0] && p.x <= zoom[1] && Number.isFinite(p.y));
    if (!seen.length) return {};
    const isLog = div.layout.yaxis.type === "log";
    const values = seen.map((p) => p.y).filter((y) => !isLog || y > 0).map((y) => (isLog ? Math.log10(y) : y));
    const floor = div.data.some((trace) => trace.fill === "tozeroy") ? 0 : -Infinity;
    const low = values.reduce((a, b) => Math.min(a, b), Infinity);
    const high = values.reduce((a, b) => Math.max(a, b), floor);
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    const ticks = isLog && high - low > 0.7 ? figures[name].layout.yaxis.dtick ?? null : null;
    return { "yaxis.range": [low - room, high + room], "yaxis.dtick": ticks };
  }

  // Panels that belong together share the cursor.
  const PARTNERS = { equity: "underwater", underwater: "equity", index: "coin", coin: "index" };
  function listenToPanel(div, name) {
    div.on("plotly_relayout", (change) => follow(div, change));
    const partner = document.querySelector(`[data-chart="${PARTNERS[name]}"]`);
    const isShown = () => drawn.has(partner) && partner.clientWidth;
    div.on("plotly_hover", ({ xvals }) => {
      if (isShown()) Plotly.Fx.hover(partner, { xval: xvals[0] }, "xy", true);
    });
    div.on("plotly_unhover", () => { if (isShown()) partner._fullLayout._hoverlayer.selectAll("g").remove(); });
  }

  function follow(source, change) {
    if (linking) return;
    if (change["xaxis.autorange"]) return void show(null, source);
    const first = change["xaxis.range[0]"] ?? change["xaxis.range"]?.[0];
    const last = change["xaxis.range[1]"] ?? change["xaxis.range"]?.[1];
    if (first === undefined || last === undefined) return;
    const [start, end] = span();
    const range = [millis(first), millis(last)];
    show(range[0] <= start && range[1] >= end ? null : range, source);
  }

  async function show(range, source = null) {
    zoom = range;
    linking += 1;
    if (source) press("[data-years]", (button) => !range && button.dataset.years === "0");
    if (view && source && !range) await showView("0");
    const sight = (range ?? span()).map((time) => new Date(time).toISOString());
    try {
      for (const div of drawn) {
        const name = nameOf(div);
        if (!isLinked(name)) continue;
        // all at once: each change by itself would draw the panel again
        const change = div !== source || !range ? { "xaxis.range": sight } : {};
        if (moment) change.shapes = withMoment(coloured(name).layout);
        await Plotly.relayout(div, { ...change, ...fitted(div) });
      }
    } finally {
      linking -= 1;
    }
  }

  // Tiles and figures of a view, or of the whole run again.
  function write(texts, cells) {
    cells.forEach((cell, place) => { cell.textContent = texts.flat()[place]; });
  }

  // Rows of the tables that follow, or those of the whole run again.
  function showRows(years) {
    const kept = all("template[data-span]");
    for (const region of all(".scroll")) {
      const name = region.getAttribute("aria-label");
      const spans = kept.filter((each) => each.dataset.table === name);
      if (!spans.length) continue;
      const body = region.querySelector("tbody");
      rowsOf[name] ??= [...body.rows];
      const chosen = spans.find((each) => each.dataset.span === years);
      body.replaceChildren(...(chosen ? [chosen.content.cloneNode(true)] : rowsOf[name]));
    }
  }

  // Rows that began before the view opened are out of sight; a sentence says how many are left.
  function hideEarlier() {
    for (const said of all("[data-left-of]")) {
      const { leftOf, noun, more } = said.dataset;
      const rows = [...document.querySelectorAll(`[aria-label="${leftOf}"] [data-begins]`)];
      rows.forEach((row) => { row.hidden = Boolean(view && Number(row.dataset.begins) < view.from); });
      const left = rows.filter((row) => !row.hidden).length;
      said.hidden = left === rows.length;
      said.textContent = said.hidden ? "" :
        `${left || "None"} of ${rows.length} ${noun} began since ${view.since}; the others are not shown${more}.`;
    }
  }

  function showView(years) {
    const places = {
      tiles: all(".cards .own, .cards .other span"),
      rows: all("#comparison tbody td"),
    };
    Object.entries(places).forEach(([name, cells]) => {
      whole[name] ??= cells.map((cell) => cell.textContent);
      write(views[years]?.[name] ?? whole[name], cells);
    });
    showRows(years);
    view = views[years] ?? null;
    hideEarlier();
    byId("viewed").textContent = view?.said ?? "";
    byId("verdict").classList.toggle("in-part", Boolean(view));
    return Promise.all([...drawn].filter((div) => nameOf(div) in RESTARTED).map(draw));
  }

  async function rescale(button) {
    const { for: name, scale } = button.dataset;
    scales[name] = scale;
    figures[name].layout.yaxis.title.text =
      figures[name].layout.yaxis.title.text.replace(/(log|linear) scale/, `${scale} scale`);
    press(`[data-for="${name}"]`, (other) => other === button);
    const div = document.querySelector(`[data-chart="${name}"]`);
    if (drawn.has(div)) await draw(div);
  }

  const redraw = () => Promise.all([...drawn].map(draw));
  function showTheme() {
    byId("theme").textContent = isDark() ? "Light" : "Dark";
    redraw();
  }

  function listenToCharts() {
    document.addEventListener("moment", ({ detail }) => showMoment(detail));
    prefersDark.addEventListener("change", showTheme);
    matchMedia("(max-width: 640px)").addEventListener("change", redraw);
    byId("theme").addEventListener("click", () => {
      document.documentElement.dataset.theme = isDark() ? "light" : "dark";
      showTheme();
    });
    all("[data-scale]").forEach((button) => button.addEventListener("click", () => rescale(button)));
    all("[data-years]").forEach((button) => button.addEventListener("click", async () => {
      const { years } = button.dataset;
      const [start, end] = span();
      press("[data-years]", (other) => other === button);
      if (byId("views")) await showView(years);
      const first = view?.from ?? Math.max(start, end - years * 365.25 * DAY);
      show(Number(years) ? [first, end] : null);
    }));
    byId("pair")?.addEventListener("change", () => all("[data-heat]").forEach(draw));
  }

  // Plotly stands in the page, compressed, or in a file beside it.
  async function loadPlotly() {
    const { textContent, dataset } = byId("plotly");
    const script = document.createElement("script");
    if (dataset.file) {
      const missing = new Error(`${dataset.file} is not beside this page`);
      return new Promise((resolve, reject) => {
        Object.assign(script, { src: dataset.file, onload: resolve, onerror: () => reject(missing) });
        document.head.append(script);
      });
    }
    const packed = Uint8Array.from(atob(textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    script.textContent = await new Response(stream).text();
    return document.head.append(script);
  }

  // What is in sight is drawn at once, the rest when the browser has nothing else to do.
  function drawInTurn(divs) {
    const sight = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
      if (isIntersecting && !drawn.has(target)) draw(target);
    }), { rootMargin: "200px" });
    divs.forEach((div) => sight.observe(div));
    // a chart whose section was closed while the window or the colours changed
    all("details.part").forEach((part) => part.addEventListener("toggle", () => {
      if (part.open) divs.filter((div) => part.contains(div) && drawn.has(div)).forEach(draw);
    }));
    const idle = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));
    const next = () => {
      const div = divs.find((waiting) => waiting.clientWidth && !drawn.has(waiting));
      if (div) draw(div).then(() => idle(next));
    };
    idle(next);
  }

  function print(isStarting) {
    printing = isStarting;
    all("[data-chart], [data-heat]").forEach((div) => {
      if (!div.closest(".two")) div.style.width = isStarting ? "680px" : "";
      draw(div);
    });
  }

  function tellFailure({ message }) {
    byId("chart-failure").textContent =
      `The charts cannot be drawn in this browser (${message}). All figures and tables stand.`;
    byId("chart-failure").hidden = false;
  }

  function drawCharts() {
    // a browser that only prints has no time to wait for what is out of sight
    if (location.hash === "#print") print(true);
    else drawInTurn(all("[data-chart], [data-heat]"));
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
  }

  listenToTables();
  listenToCharts();
  showTheme();
  if (byId("plotly")) loadPlotly().then(drawCharts, tellFailure);

  // The best rows of a sweep: the command that runs a trial again names the one chosen last.
  function listenToTrials(trials) {
    async function copy() {
      getSelection().selectAllChildren(byId("again"));
      try {
        await navigator.clipboard.writeText(byId("again").textContent);
        byId("copy").textContent = "Copied";
      } catch {
        byId("copy").textContent = "Selected"; // a browser that hands out no clipboard
      }
    }
    trials.forEach((button) => button.addEventListener("click", () => {
      byId("trial").textContent = button.dataset.trial;
      byId("copy").textContent = "Copy";
      all("table.best tr").forEach((row) => row.classList.toggle("chosen", row.contains(button)));
    }));
    byId("copy")?.addEventListener("click", copy);
  }

  listenToTrials(all("[data-trial]"));
})();
