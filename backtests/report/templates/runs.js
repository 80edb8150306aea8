// The index of runs: columns by choice, rows found by words and choices, some chosen to be compared.
// What is searched, filtered, sorted and shown stands in the address; columns are remembered too.
(() => {
  "use strict";
  const table = document.querySelector("table.runs");
  if (!table) return;
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const KEPT = "runs.columns";
  const { most, separator } = byId("chosen").dataset;
  const rows = [...table.tBodies[0].rows];
  const head = table.tHead.rows[0];
  const choices = all("select[data-column]");
  const columns = all("#columns [data-column]");
  const nameOf = (element) => element.textContent.trim();
  const usualColumns = columns.filter((box) => box.defaultChecked);
  const usual = usualColumns.map(({ dataset }) => dataset.name).join();
  const kept = columns.filter((box) => !box.defaultChecked);
  const cells = new Map(); // row -> its cells by column, those not shown too
  let words = null;
  let limit = Number(table.closest("section").dataset.limit); // thousands of rows take a browser seconds

  // The cells of a row in the order of the columns; those not shown at first wait in its template.
  function cellsOf(row) {
    if (!cells.has(row)) {
      const others = [...row.querySelector("template").content.children];
      const found = { box: row.cells[0], 0: row.cells[1], last: row.cells[row.cells.length - 1] };
      usualColumns.forEach(({ dataset }, place) => { found[dataset.column] = row.cells[place + 2]; });
      kept.forEach(({ dataset }, place) => { found[dataset.column] = others[place]; });
      cells.set(row, found);
    }
    return cells.get(row);
  }

  const headings = { box: head.cells[0], 0: head.cells[1], last: head.cells[head.cells.length - 1] };
  usualColumns.forEach(({ dataset }, place) => { headings[dataset.column] = head.cells[place + 2]; });
  kept.forEach(({ dataset, parentElement }) => {
    const heading = headings[0].cloneNode(true);
    heading.classList.toggle("num", "number" in dataset);
    heading.firstElementChild.textContent = dataset.name;
    heading.firstElementChild.title = nameOf(parentElement.querySelector("small") ?? document.createElement("small"));
    headings[dataset.column] = heading;
  });

  // What a row shows, its warnings and its folder; not the facts behind its badges.
  function wordsOf(row) {
    const seen = [...row.cells].slice(0, -1).concat(...row.querySelectorAll(".basis, .warning"));
    return [row.dataset.run, ...seen.map((each) => each.textContent)].join(" ").toLowerCase();
  }

  function filter() {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length) words ??= new Map(rows.map((row) => [row, wordsOf(row)]));
    const asked = choices.filter(({ value }) => value);
    let found = 0;
    for (const row of table.tBodies[0].rows) {
      const isFound = wanted.every((word) => words.get(row).includes(word))
        && asked.every(({ value, dataset }) => cellsOf(row)[dataset.column].textContent === value);
      found += isFound;
      row.hidden = !isFound || found > limit;
    }
    byId("shown").textContent = `${found} of ${rows.length} runs${found > limit ? `, the first ${limit} shown` : ""}`;
    byId("rest").hidden = found <= limit;
  }

  let standing = usual;
  function showColumns() {
    if (chosenColumns() === standing) return;
    standing = chosenColumns();
    const places = columns.filter((box) => box.checked).map(({ dataset }) => dataset.column);
    const inOrder = (found) => ["box", "0", ...places, "last"].map((place) => found[place]);
    rows.forEach((row) => row.replaceChildren(...inOrder(cellsOf(row))));
    head.replaceChildren(...inOrder(headings));
    table.classList.toggle("other", standing !== usual);
  }

  const chosenColumns = () => columns.filter((box) => box.checked).map(({ dataset }) => dataset.name).join();

  function chooseColumns(names) {
    const wanted = new Set(names.split(","));
    columns.forEach((box) => { box.checked = wanted.has(box.dataset.name); });
    showColumns();
  }

  function choose() {
    const names = rows.filter((row) => row.cells[0].firstChild.checked).map((row) => row.dataset.run);
    const isFew = names.length <= Number(most);
    const asked = names.map((name) => `run=${encodeURIComponent(name)}`).join("&");
    const link = byId("open");
    link.href = `${link.href.split(separator)[0]}${separator}${asked}`;
    byId("open").hidden = !isFew;
    byId("many").textContent = isFew ? `${names.length} runs` : `${names.length} chosen; ${most} fit side by side`;
    const quoted = names.map((name) => `'${name.replaceAll("'", "'\\''")}'`).join(" ");
    byId("command").textContent = names.length > 1 && isFew ? `python -m backtests.compare ${quoted}` : "";
    byId("chosen").hidden = names.length < 2;
  }

  // The address: what was searched, chosen and sorted by, and columns other than the usual ones.
  function say() {
    const said = new URLSearchParams();
    const put = (name, value) => { if (value) said.set(name, value); };
    put("search", byId("search").value.trim());
    choices.forEach(({ value, dataset }) => put(dataset.name.toLowerCase(), value));
    const sorted = [...head.cells].find((heading) => heading.hasAttribute("aria-sort"));
    if (sorted) {
      put("sort", nameOf(sorted));
      put("order", sorted.getAttribute("aria-sort") === "descending" ? "down" : "");
    }
    put("columns", chosenColumns() === usual ? "" : chosenColumns());
    history.replaceState(null, "", String(said) ? `#${said}` : location.href.split("#")[0]);
  }

  function remember() {
    try {
      localStorage.setItem(KEPT, chosenColumns());
    } catch { /* a browser that keeps nothing of a file: the address still does */ }
  }

  function remembered() {
    try {
      return localStorage.getItem(KEPT);
    } catch {
      return null;
    }
  }

  function restore() {
    const said = new URLSearchParams(location.hash.slice(1));
    byId("search").value = said.get("search") ?? "";
    choices.forEach((choice) => {
      const value = said.get(choice.dataset.name.toLowerCase()) ?? "";
      choice.value = [...choice.options].some((option) => option.value === value) ? value : "";
    });
    chooseColumns(said.get("columns") ?? remembered() ?? usual);
    const heading = [...head.cells].find((each) => nameOf(each) === said.get("sort"));
    const order = said.get("order") === "down" ? "descending" : "ascending";
    for (let clicks = 0; heading && heading.getAttribute("aria-sort") !== order && clicks < 2; clicks += 1) {
      heading.querySelector("button").click();
    }
    filter();
  }

  byId("search").addEventListener("input", () => { filter(); say(); });
  choices.forEach((choice) => choice.addEventListener("change", () => { filter(); say(); }));
  columns.forEach((box) => box.addEventListener("change", () => { showColumns(); remember(); say(); }));
  byId("usual").addEventListener("click", () => { chooseColumns(usual); remember(); say(); });
  byId("none").addEventListener("click", () => {
    rows.forEach((row) => { row.cells[0].firstChild.checked = false; });
    choose();
  });
  table.addEventListener("change", choose);
  restore();
  choose();
  table.tHead.addEventListener("click", () => { filter(); say(); }); // after the table itself was sorted
  byId("rest").addEventListener("click", () => { limit = Infinity; filter(); });
  addEventListener("hashchange", restore);
})();
