"use strict";
(async () => {
  const byId = (id) => document.getElementById(id);
  const { figures, dark } = JSON.parse(byId("charts").textContent);
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const CONFIG = { responsive: true, displayModeBar: false };

  function coloured(name) {
    const text = JSON.stringify(figures[name]);
    const swap = (whole, colour) => (colour in dark ? `"${dark[colour]}"` : whole);
    return JSON.parse(prefersDark.matches ? text.replace(/"(#[0-9a-f]{6})"/g, swap) : text);
  }

  async function draw(div, name) {
    try {
      const { data, layout } = coloured(name);
      await Plotly.react(div, data, { ...layout, autosize: true }, CONFIG);
    } catch (error) {
      div.textContent = `Not drawn. ${error.message}`;
    }
  }

  const heat = () => byId("heatmap") && draw(byId("heatmap"), `${byId("statistic").value}|${byId("pair").value}`);
  const others = () => document.querySelectorAll("[data-chart]").forEach((div) => draw(div, div.dataset.chart));

  const packed = Uint8Array.from(atob(byId("plotly").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);

  for (const id of ["pair", "statistic"]) byId(id)?.addEventListener("change", heat);
  prefersDark.addEventListener("change", () => { heat(); others(); });
  heat();
  others();
})();
