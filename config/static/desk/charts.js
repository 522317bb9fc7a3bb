/* Charts of the reports page, drawn by the theme's Chart.js from the JSON that stands beside each canvas
   (rules.admin.reports.Chart.drawn). The numbers are in a table below for whoever can't see or point. */
"use strict";
(function () {
  const COLOURS = {
    green: "#16a34a", red: "#dc2626", blue: "#2563eb", teal: "#0d9488", violet: "#7c3aed", amber: "#d97706",
  };
  const LONGEST = 28;
  const charts = [];

  function isDark() {
    return document.documentElement.classList.contains("dark");
  }

  function paint(chart) {
    const text = isDark() ? "#cbd5e1" : "#475569";
    const line = isDark() ? "#334155" : "#e2e8f0";
    for (const axis of Object.values(chart.options.scales)) {
      axis.ticks.color = text;
      axis.grid.color = line;
    }
    chart.options.plugins.legend.labels.color = text;
  }

  /* A long name in a chart of bars: its beginning; it is whole where somebody points. */
  function shortened(value) {
    const name = this.getLabelForValue(value);
    return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
  }

  function draw(canvas) {
    const told = JSON.parse(document.getElementById(canvas.dataset.deskChart).textContent);
    const area = told.kind === "line";
    const chart = new Chart(canvas, {
      type: told.kind,
      data: {
        labels: told.labels,
        datasets: told.series.map((one) => ({
          label: one.label,
          data: one.values,
          backgroundColor: COLOURS[one.colour],
          borderColor: COLOURS[one.colour],
          borderWidth: area ? 2 : 0,
          pointRadius: 2,
          tension: 0.2,
          maxBarThickness: 26,
        })),
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        indexAxis: told.across ? "y" : "x",
        interaction: { mode: "index", axis: told.across ? "y" : "x", intersect: false },
        scales: {
          x: { stacked: told.stacked, beginAtZero: true, grid: {}, ticks: { maxRotation: 0, autoSkipPadding: 12, precision: 0 } },
          y: { stacked: told.stacked, beginAtZero: true, grid: {}, ticks: { autoSkip: !told.across, precision: 0, ...(told.across && { callback: shortened }) } },
        },
        plugins: {
          legend: { display: told.series.length > 1, position: "bottom", labels: { boxWidth: 12 } },
          tooltip: {
            callbacks: {
              label: (point) => `${point.dataset.label}: ${point.formattedValue} ${told.unit}`.trim(),
              footer: (points) => (points.length && told.notes[points[0].dataIndex]) || "",
            },
          },
        },
        onClick: (event, points) => {
          const url = points.length && told.urls[points[0].index];
          if (url) window.location.assign(url);
        },
        onHover: (event, points) => {
          canvas.style.cursor = points.length && told.urls.length ? "pointer" : "";
        },
      },
    });
    paint(chart);
    chart.update();
    charts.push(chart);
  }

  document.querySelectorAll("[data-desk-chart]").forEach(draw);
  new MutationObserver(() => charts.forEach((chart) => { paint(chart); chart.update(); })).observe(
    document.documentElement, { attributes: true, attributeFilter: ["class"] },
  );
})();
