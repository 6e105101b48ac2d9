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

// Draws the charts; each place holds its description until then, and keeps it if drawing fails.
(function () {
  if (typeof vegaEmbed === "undefined") return;
  const config = {
    font: getComputedStyle(document.body).getPropertyValue("--sans"),
    axis: { labelFontSize: 11, titleFontSize: 11.5, titleFontWeight: 500, titlePadding: 8, gridDash: [2, 3], labelFlush: true },
    axisX: { grid: false },
    legend: { labelFontSize: 11.5, symbolType: "square", symbolOpacity: 1, symbolStrokeWidth: 0, columnPadding: 16, labelLimit: 220 },
  };
  for (const place of document.querySelectorAll(".chart")) {
    const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
    const canvas = document.createElement("div");
    canvas.style.width = "100%";
    place.append(canvas);
    vegaEmbed(canvas, spec, { mode: "vega-lite", renderer: "svg", actions: false, config, tooltip: { theme: "page" } })
      .then(() => place.querySelector(".fallback").remove())
      .catch((error) => {
        canvas.remove();
        place.querySelector(".fallback").append(" (The chart could not be drawn: " + error.message + ")");
      });
  }
})();
