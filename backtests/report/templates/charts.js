(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const { figures, dark } = JSON.parse(byId("charts").textContent);
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const DAY = 86_400_000;
  const CONFIG = { responsive: true, displayModeBar: false, doubleClick: "reset" };

  const drawn = new Set();
  const scales = {};
  let zoom = null; // [first, last] in milliseconds; null shows all
  let linking = false;
  let printing = false;

  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return !printing && (chosen ? chosen === "dark" : prefersDark.matches);
  };
  const isTime = (name) => figures[name].layout.xaxis.type === "date";
  const millis = (value) =>
    typeof value === "number" ? value : Date.parse(`${value.replace(" ", "T").slice(0, 23)}Z`);

  // Figures come in light colours; a trailing pair of digits is their opacity.
  function coloured(name) {
    const text = JSON.stringify(figures[name]);
    if (!isDark()) return JSON.parse(text);
    const swap = (whole, colour, alpha) => (colour in dark ? `"${dark[colour]}${alpha ?? ""}"` : whole);
    return JSON.parse(text.replace(/"(#[0-9a-f]{6})([0-9a-f]{2})?"/g, swap));
  }

  function prepared(div) {
    const name = div.dataset.chart;
    const { data, layout } = coloured(name);
    // states arrive as [how many, text]
    data.filter((trace) => trace.meta?.runs).forEach((trace) => {
      trace.text = trace.meta.runs.flatMap(([count, text]) => Array(count).fill(text));
    });
    layout.autosize = true;
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
    if (div.clientWidth < 600) {
      layout.margin = { ...layout.margin, l: 8, r: 8 };
      layout.legend = { ...layout.legend, font: { size: 11 } };
      const entries = data.length + (layout.shapes ?? []).filter((shape) => shape.showlegend).length;
      layout.height += 13 * Math.max(0, entries - 2); // the legend takes a row an entry
      layout.yaxis.automargin = true;
      delete layout.yaxis.title;
      (layout.annotations ?? []).forEach((note) => { note.ax = 0; note.ay = -18; });
    }
    if (scales[name] === "linear") Object.assign(layout.yaxis, { type: "linear", dtick: null });
    if (zoom && isTime(name)) layout.xaxis.range = zoom.map((time) => new Date(time).toISOString());
    return [data, layout];
  }

  async function draw(div) {
    const again = drawn.has(div);
    drawn.add(div);
    try {
      await Plotly.react(div, ...prepared(div), CONFIG);
      if (zoom) fit(div);
      if (!again && isTime(div.dataset.chart)) div.on("plotly_relayout", (change) => follow(div, change));
    } catch (error) {
      div.textContent = `Not drawn. ${error.message}`;
    }
  }

  // Plotly keeps the value axis when time is zoomed; what is in sight should fill the panel.
  function fit(div) {
    const name = div.dataset.chart;
    if (!isTime(name) || figures[name].layout.yaxis.range) return undefined;
    if (!zoom) {
      const ticks = div.layout.yaxis.type === "log" ? figures[name].layout.yaxis.dtick ?? null : null;
      return Plotly.relayout(div, { "yaxis.autorange": true, "yaxis.dtick": ticks });
    }
    const seen = div.calcdata.flat().filter((p) => p.x >= zoom[0] && p.x <= zoom[1] && Number.isFinite(p.y));
    if (!seen.length) return undefined;
    const isLog = div.layout.yaxis.type === "log";
    const values = seen.map((p) => p.y).filter((y) => !isLog || y > 0).map((y) => (isLog ? Math.log10(y) : y));
    let low = values.reduce((a, b) => Math.min(a, b), Infinity);
    let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (div.data.some((trace) => trace.fill === "tozeroy")) high = Math.max(high, 0);
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    const ticks = isLog && high - low > 0.7 ? figures[name].layout.yaxis.dtick ?? null : null;
    return Plotly.relayout(div, { "yaxis.range": [low - room, high + room], "yaxis.dtick": ticks });
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

  const span = () => figures.equity.layout.xaxis.range.map(millis);

  async function show(range, source = null) {
    zoom = range;
    linking = true;
    if (source) press("[data-years]", (button) => !range && button.dataset.years === "0");
    const sight = (range ?? span()).map((time) => new Date(time).toISOString());
    try {
      for (const div of drawn) {
        if (!isTime(div.dataset.chart)) continue;
        if (div !== source || !range) await Plotly.relayout(div, { "xaxis.range": sight });
        await fit(div);
      }
    } finally {
      linking = false;
    }
  }

  function press(selector, isOn) {
    all(selector).forEach((button) => button.setAttribute("aria-pressed", String(Boolean(isOn(button)))));
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

  function labelTheme() {
    byId("theme").textContent = isDark() ? "Light" : "Dark";
  }

  function listen() {
    byId("theme").addEventListener("click", () => {
      document.documentElement.dataset.theme = isDark() ? "light" : "dark";
      labelTheme();
      redraw();
    });
    prefersDark.addEventListener("change", () => { labelTheme(); redraw(); });
    all("[data-scale]").forEach((button) => button.addEventListener("click", () => rescale(button)));
    all("[data-years]").forEach((button) => button.addEventListener("click", () => {
      const years = Number(button.dataset.years);
      const [start, end] = span();
      press("[data-years]", (other) => other === button);
      show(years ? [Math.max(start, end - years * 365.25 * DAY), end] : null);
    }));
    SORT.listen();
  }

  async function loadPlotly() {
    const packed = Uint8Array.from(atob(byId("plotly").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  // What is in sight is drawn at once, the rest when the browser has nothing else to do.
  function drawInTurn(divs) {
    const sight = new IntersectionObserver((entries) => entries.forEach(({ isIntersecting, target }) => {
      if (isIntersecting && !drawn.has(target)) draw(target);
    }), { rootMargin: "200px" });
    divs.forEach((div) => sight.observe(div));
    const idle = window.requestIdleCallback ?? ((task) => setTimeout(task, 50));
    const next = () => {
      const div = divs.find((waiting) => !drawn.has(waiting));
      if (div) draw(div).then(() => idle(next));
    };
    idle(next);
  }

  async function print(isStarting) {
    printing = isStarting;
    all("[data-chart]").forEach((div) => {
      div.style.width = isStarting ? "680px" : "";
      draw(div);
    });
  }

  async function start() {
    labelTheme();
    listen();
    try {
      await loadPlotly();
    } catch (error) {
      byId("chart-failure").textContent =
        `The charts cannot be drawn in this browser (${error.message}). All figures and tables stand.`;
      byId("chart-failure").hidden = false;
      return;
    }
    // a browser that only prints has no time to wait for what is out of sight
    if (location.hash === "#print") print(true);
    else drawInTurn(all("[data-chart]"));
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
  }

  start();
})();
