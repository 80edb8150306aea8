(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const { figures, dark } = JSON.parse(byId("charts").textContent);
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const CONFIG = { responsive: true, displayModeBar: false };
  const NARROW = 600;
  const ROOM_FOR_A_NUMBER = 48;
  let printing = false;

  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return !printing && (chosen ? chosen === "dark" : prefersDark.matches);
  };

  // Figures come in light colours; a trailing pair of digits is their opacity.
  function coloured(name) {
    const text = JSON.stringify(figures[name]);
    if (!isDark()) return JSON.parse(text);
    const swap = (whole, colour, alpha) => (colour in dark ? `"${dark[colour]}${alpha ?? ""}"` : whole);
    return JSON.parse(text.replace(/"(#[0-9a-f]{6})([0-9a-f]{2})?"/g, swap));
  }

  function prepared(div, name) {
    const { data, layout } = coloured(name);
    layout.autosize = true;
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // a finger scrolls the page
    if (div.clientWidth < NARROW && data[0].type !== "parcoords") {
      layout.margin = { ...layout.margin, l: 8, r: 8 };
      layout.yaxis.automargin = true;
    }
    const columns = data[0].type === "heatmap" ? data[0].x.length : 0;
    if (columns && (div.clientWidth - 100) / columns < ROOM_FOR_A_NUMBER) delete data[0].texttemplate;
    return [data, layout];
  }

  async function draw(div) {
    const name = div.dataset.chart ?? `${div.dataset.heat}|${byId("pair").value}`;
    if (!div.clientWidth) return; // not shown on a screen this narrow
    try {
      await Plotly.react(div, ...prepared(div, name), CONFIG);
    } catch (error) {
      div.textContent = `Not drawn. ${error.message}`;
    }
  }

  const redraw = (selector) => Promise.all(all(selector).map(draw));
  const CHARTS = "[data-chart], [data-heat]";

  function labelTheme() {
    if (byId("theme")) byId("theme").textContent = isDark() ? "Light" : "Dark";
  }

  function changeTheme() {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    labelTheme();
    redraw(CHARTS);
  }

  // The command that runs a trial again names the one that was chosen last.
  function choose(button) {
    byId("chosen").textContent = button.dataset.trial;
    byId("copy").textContent = "Copy";
    all("table.best tr").forEach((row) => row.classList.toggle("chosen", row.contains(button)));
  }

  async function copy() {
    getSelection().selectAllChildren(byId("again"));
    try {
      await navigator.clipboard.writeText(byId("again").textContent);
      byId("copy").textContent = "Copied";
    } catch {
      byId("copy").textContent = "Selected"; // a browser that hands out no clipboard
    }
  }

  function print(isStarting) {
    printing = isStarting;
    all(CHARTS).forEach((div) => { div.style.width = isStarting && !div.closest(".two") ? "680px" : ""; });
    redraw(CHARTS);
  }

  function listen() {
    byId("theme")?.addEventListener("click", changeTheme);
    prefersDark.addEventListener("change", () => { labelTheme(); redraw(CHARTS); });
    matchMedia(`(max-width: ${NARROW + 40}px)`).addEventListener("change", () => redraw(CHARTS));
    byId("pair")?.addEventListener("change", () => redraw("[data-heat]"));
    byId("copy")?.addEventListener("click", copy);
    all("[data-trial]").forEach((button) => button.addEventListener("click", () => choose(button)));
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
    if (typeof SORT !== "undefined") SORT.listen();
  }

  async function loadPlotly() {
    const packed = Uint8Array.from(atob(byId("plotly").textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  async function start() {
    labelTheme();
    listen();
    try {
      await loadPlotly();
    } catch (error) {
      const said = byId("chart-failure");
      if (said) {
        said.textContent = `The charts cannot be drawn in this browser (${error.message}). All figures and tables stand.`;
        said.hidden = false;
      }
      return;
    }
    redraw(CHARTS);
  }

  start();
})();
