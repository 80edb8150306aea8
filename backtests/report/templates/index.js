(() => {
  const byId = (id) => document.getElementById(id);
  const table = document.querySelector("table.runs");
  const rows = table ? [...table.tBodies[0].rows] : [];
  const words = rows.map((row) => row.textContent.toLowerCase());
  const choices = [...document.querySelectorAll("select[data-column]")];

  function filter() {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, place) => {
      const fits = wanted.every((word) => words[place].includes(word))
        && choices.every(({ value, dataset }) => !value || row.cells[dataset.column].textContent === value);
      row.hidden = !fits;
      shown += fits;
    });
    byId("shown").textContent = `${shown} of ${rows.length} runs`;
  }

  function choose() {
    const names = rows.filter((row) => row.querySelector("input").checked).map((row) => row.dataset.run);
    const quoted = names.map((name) => `'${name.replaceAll("'", "'\\''")}'`).join(" ");
    byId("command").textContent = names.length > 1 ? `python -m backtests.compare ${quoted}` : "";
    byId("chosen").hidden = names.length < 2;
    const link = byId("open");
    if (link) link.href = `compare?${names.map((name) => `run=${encodeURIComponent(name)}`).join("&")}`;
  }

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
  const label = () => { byId("theme").textContent = isDark() ? "Light" : "Dark"; };
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  label();
  SORT.listen();
  if (!table) return;
  byId("search").addEventListener("input", filter);
  choices.forEach((choice) => choice.addEventListener("change", filter));
  table.addEventListener("change", choose);
  filter();
  choose();
})();
