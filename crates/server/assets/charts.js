// Charts: how a fleet was used over time, how busy a node was, and what shows a finding. Loaded after uPlot, by pages that have a chart.
// Nothing here builds markup from data; texts are set as text.
"use strict";

(() => {
  const EVERY_MS = 15000;
  const INCREMENTS = [1, 2, 5].flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power)).sort((a, b) => a - b);
  const FONT = "12px system-ui, sans-serif";

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // UTC, as everywhere on these pages.
  const two = (number) => String(number).padStart(2, "0");
  const day = (date) => `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  const hour = (date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
  const count = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
  const counts = (_, splits) => splits.map(count);
  const shown = (_, value) => (value == null ? "–" : count(value));
  const axis = () => ({ stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: FONT });
  const times = (words) => ({ ...axis(), size: 30, values: (_, splits) => splits.map(words) });
  const labelled = (label) => ({ ...axis(), values: counts, size: 56, label, labelSize: 18, labelFont: FONT });
  const line = (series) => ({ width: 2, value: shown, points: { show: false }, ...series });

  // Moments that matter, as dashed lines from top to bottom.
  const mark = (marks) => (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour("--quiet");
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const seconds of marks) {
      const x = Math.round(plot.valToPos(seconds, "x", true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };

  // A chart in its place. `describe` tells what to draw, or what to say where there is nothing.
  const keep = (place, height, describe) => {
    let plot = null;
    const make = () => {
      const { empty, options, rows, name } = describe();
      if (plot) plot.destroy();
      plot = null;
      place.replaceChildren();
      place.classList.toggle("empty", Boolean(empty));
      if (empty) {
        const words = document.createElement("p");
        words.textContent = empty;
        place.append(words);
        place.dataset.drawn = "empty";
        return;
      }
      plot = new uPlot({ width: place.clientWidth, height, tzDate: utc, ...options }, rows, place);
      place.dataset.drawn = name;
    };
    const renew = () => {
      const { empty, rows } = describe();
      if (empty || !plot || plot.series.length !== rows.length) make(); else plot.setData(rows);
    };
    new ResizeObserver(() => { if (plot) plot.setSize({ width: place.clientWidth, height }); }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (plot) make(); });
    return { make, renew };
  };

  const asked = async (address) => {
    try {
      const answer = await fetch(address);
      return answer.ok ? await answer.json() : null;
    } catch {
      // Out of reach: the next turn asks again.
      return null;
    }
  };
  const again = (load) => setInterval(() => { if (!document.hidden) load(); }, EVERY_MS);

  const fleet = async (place) => {
    let range = "day", course = null;
    const upwards = (_, low, high) => [0, Math.max(1, high * 1.05)];
    const moment = (seconds) => { const date = new Date(seconds * 1000); return range === "week" ? day(date) : hour(date); };
    const full = (_, seconds) => { if (seconds == null) return "–"; const date = new Date(seconds * 1000); return `${day(date)} ${hour(date)}`; };
    const describe = () => ({
      name: range,
      empty: course.at.length < 2 ? "Nothing to draw yet: a line needs two minutes." : null,
      rows: [course.at, course.there, course.given, course.waiting],
      options: {
        scales: { x: {}, y: { range: upwards }, waiting: { range: upwards } },
        axes: [
          times(moment),
          { ...labelled(`${course.unit}s`), incrs: INCREMENTS },
          { ...labelled("waiting"), incrs: INCREMENTS, scale: "waiting", side: 1, grid: { show: false } },
        ],
        series: [
          { label: "UTC", value: full },
          line({ label: `${course.unit}s there are`, stroke: colour("--quiet"), dash: [4, 4], width: 1.5 }),
          line({ label: `${course.unit}s given`, stroke: colour("--running"), fill: colour("--running-faint") }),
          line({ label: "workloads waiting", scale: "waiting", stroke: colour("--waiting") }),
        ],
      },
    });
    const chart = keep(place, 220, describe);
    const load = async (fresh) => {
      const answer = await asked(`${place.dataset.course}?window=${range}`);
      if (!answer) return;
      course = answer;
      if (fresh) chart.make(); else chart.renew();
    };
    for (const button of document.querySelectorAll("[data-window]")) {
      button.addEventListener("click", () => {
        range = button.dataset.window;
        for (const other of document.querySelectorAll("[data-window]")) other.setAttribute("aria-pressed", other === button);
        load(true);
      });
    }
    await load(true);
    again(() => load(false));
  };

  const node = async (section) => {
    const DASHES = [[], [6, 3]], COLOURS = 4;
    let course = null;
    const second = (_, seconds) => { if (seconds == null) return "–"; const date = new Date(seconds * 1000); return `${hour(date)}:${two(date.getUTCSeconds())}`; };
    // Seconds are told where they tell something.
    const short = () => course.until - course.from < 1800;
    const described = (name) => () => {
      const { unit, top, lines, empty } = course.panels[name];
      const style = (place) => (lines.length === 1
        ? { stroke: colour("--running"), fill: colour("--running-faint") }
        : { stroke: colour(`--line-${place % COLOURS}`), dash: DASHES[Math.floor(place / COLOURS) % DASHES.length], width: 1.5 });
      return {
        name: "hour",
        empty: empty ?? (course.at.length < 2 ? "Nothing to draw yet: a line needs two moments." : null),
        rows: [course.at, ...lines.map((line) => line.values)],
        options: {
          cursor: { sync: { key: "node" } },
          hooks: { draw: [mark(course.marks)] },
          scales: { x: { range: () => [course.from, course.until] }, y: { range: (_, low, high) => [0, top ?? (high > 0 ? high * 1.05 : 1)] } },
          axes: [short() ? { ...times((seconds) => second(null, seconds)), space: 80 } : times((seconds) => hour(new Date(seconds * 1000))), labelled(unit)],
          series: [{ label: "UTC", value: second }, ...lines.map((of, place) => line({ label: of.name, ...style(place) }))],
        },
      };
    };
    const charts = [...section.querySelectorAll("[data-panel]")].map((place) => keep(place, 150, described(place.dataset.panel)));
    const load = async () => {
      const answer = await asked(section.dataset.course);
      if (!answer) return;
      course = answer;
      for (const chart of charts) chart.renew();
    };
    await load();
    again(load);
  };

  for (const place of document.querySelectorAll("[data-charts]")) ({ fleet, node })[place.dataset.charts](place);
})();
