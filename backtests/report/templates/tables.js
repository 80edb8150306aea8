"use strict";
// Every heading of a sortable table sorts it; cells that say nothing stay at the end.
const SORT = {
  by(table, heading) {
    const column = [...heading.parentElement.children].indexOf(heading);
    const descending = heading.getAttribute("aria-sort") === "ascending";
    const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
    const order = (a, b) => {
      const [one, two] = [a[0], b[0]];
      if (one === "" || two === "") return (one === "") - (two === "");
      const gap = Number(one) - Number(two);
      const compared = Number.isNaN(gap) ? one.localeCompare(two) : gap;
      return descending ? -compared : compared;
    };
    [...heading.parentElement.children].forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]).sort(order);
    table.tBodies[0].append(...rows.map(([, row]) => row));
  },
  listen() {
    document.querySelectorAll("table.sortable").forEach((table) => {
      table.tHead.addEventListener("click", (event) => {
        const heading = event.target.closest("th");
        if (heading?.querySelector("button")) SORT.by(table, heading);
      });
    });
  },
};
