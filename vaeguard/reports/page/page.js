"use strict";
document.documentElement.classList.add("script");

// Shows the table prepared for the chosen way of counting draws and restarts.
(function () {
  const form = document.querySelector("form.protocol");
  if (!form) return;
  const tables = [...document.querySelectorAll("[data-protocol]")];
  const missing = document.getElementById("protocol-missing");
  const show = () => {
    const chosen = new FormData(form);
    const protocol = [chosen.get("aggregation"), chosen.get("restarts")].join("/");
    for (const table of tables) table.hidden = table.dataset.protocol !== protocol;
    missing.hidden = tables.some((table) => !table.hidden);
  };
  form.addEventListener("change", show);
  show();
})();

// Marks tables that go on to the right of what is shown.
(function () {
  const areas = [...document.querySelectorAll(".scroll")];
  const mark = (area) => area.classList.toggle("cut", area.scrollLeft + area.clientWidth < area.scrollWidth - 1);
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => mark(entry.target)));
  for (const area of areas) {
    area.addEventListener("scroll", () => mark(area), { passive: true });
    sizes.observe(area);
    mark(area);
  }
})();

// Rows of long tables can be filtered by word and sorted by number. Heads that span several rows are copied to each of
// them, and merged again over the rows that are shown, in their order.
(function () {
  const LONG = 24;
  const found = [...document.querySelectorAll("[data-protocol] > table")];
  if (!found.some((table) => table.tBodies[0].rows.length >= LONG)) return;
  const tables = found.map((table) => {
    const spans = [];
    const rows = [...table.tBodies[0].rows].map((row, position) => {
      const heads = [...row.querySelectorAll("th")];
      const first = spans.findIndex((span) => span.until <= position);
      if (first >= 0) spans.length = first;
      for (const head of heads) spans.push({ head, until: position + head.rowSpan });
      const own = spans.map(({ head }) => (head.parentNode === row ? head : head.cloneNode(true)));
      row.prepend(...own);
      return { row, position, heads: own, texts: [...row.cells].map((cell) => cell.textContent) };
    });
    return { body: table.tBodies[0], head: table.tHead.rows[0], rows, sorted: { column: -1, sign: 0 } };
  });
  const chosen = new Map();  // column -> text

  const value = (entry, column) => Number(entry.row.cells[column].dataset.value ?? NaN);
  const lay = ({ body, head, rows, sorted }) => {
    const { column, sign } = sorted;
    const order = [...rows].sort((a, b) => {
      if (sign === 0) return a.position - b.position;
      const [x, y] = [value(a, column), value(b, column)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.position - b.position;
      return sign * (x - y) || a.position - b.position;
    });
    let above = null;
    let runs = [];
    for (const entry of order) {
      body.append(entry.row);
      entry.row.hidden = [...chosen].some(([at, text]) => entry.texts[at] !== text);
      if (entry.row.hidden) continue;
      let merged = above !== null;
      entry.heads.forEach((cell, at) => {
        merged = merged && above.heads[at].textContent === cell.textContent;
        cell.hidden = merged;
        cell.rowSpan = 1;
        if (merged) runs[at].rowSpan += 1;
        else runs[at] = cell;
      });
      entry.row.classList.toggle("group", above !== null && !merged);
      above = entry;
    }
    [...head.cells].forEach((cell, at) => {
      if (sign !== 0 && at === column) cell.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
  };

  for (const table of tables) {
    [...table.head.cells].forEach((cell, column) => {
      if (!cell.classList.contains("number") || table.rows.every((entry) => Number.isNaN(value(entry, column)))) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...cell.childNodes);
      button.addEventListener("click", () => {
        const { sorted } = table;
        table.sorted = sorted.column !== column || sorted.sign === 0 ? { column, sign: -1 } : { column, sign: sorted.sign < 0 ? 1 : 0 };
        lay(table);
      });
      cell.append(button);
    });
  }

  const form = document.createElement("form");
  form.className = "filters";
  form.autocomplete = "off";
  [...tables[0].head.cells].forEach((cell, column) => {
    const texts = [...new Set(tables[0].rows.map((entry) => entry.texts[column]))];
    const words = !cell.classList.contains("number") || column < tables[0].rows[0].heads.length;
    if (!words || texts.length < 2) return;
    const select = document.createElement("select");
    select.append(new Option("all", ""), ...texts.map((text) => new Option(text, text)));
    select.addEventListener("change", () => {
      if (select.value) chosen.set(column, select.value);
      else chosen.delete(column);
      tables.forEach(lay);
    });
    const label = document.createElement("label");
    label.append(cell.textContent + " ", select);
    form.append(label);
  });
  tables[0].body.closest(".scroll").before(form);
  tables.forEach(lay);
})();

// Draws the charts one after the other, so that the page stays responsive; each place holds its description until then,
// and keeps it if drawing fails.
(function () {
  if (typeof vegaEmbed === "undefined") return;
  const config = {
    font: getComputedStyle(document.body).getPropertyValue("--sans"),
    axis: { labelFontSize: 11, titleFontSize: 11.5, titleFontWeight: 500, titlePadding: 8, gridDash: [2, 3], labelFlush: true },
    axisX: { grid: false },
    legend: { labelFontSize: 11.5, symbolType: "square", symbolOpacity: 1, symbolStrokeWidth: 0, columnPadding: 16, labelLimit: 220 },
  };
  const draw = (place) => {
    const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
    const canvas = document.createElement("div");
    canvas.style.width = "100%";
    place.append(canvas);
    return vegaEmbed(canvas, spec, { mode: "vega-lite", renderer: "svg", actions: false, config, tooltip: { theme: "page" } })
      .then(() => place.querySelector(".fallback").remove())
      .catch((error) => {
        canvas.remove();
        place.querySelector(".fallback").append(" (The chart could not be drawn: " + error.message + ")");
      });
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve));
  (async () => {
    for (const place of document.querySelectorAll(".chart")) {
      await draw(place);
      await pause();
    }
  })();
})();
