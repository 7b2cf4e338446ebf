// What pages do beyond links and forms: refresh what is looked at, ask before what cannot be taken back, follow a log, draw a chart.
// Nothing here builds markup from data; texts are set as text.
"use strict";

(() => {
  const EVERY_MS = 2000;
  const LOG_MAX = 262144;

  const reading = () => {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed;
  };
  // A fleet of thousands is drawn anew more seldom: laying it out takes a good part of a second on a small machine.
  const LARGE = 5000, SELDOM = 5;
  // What is dear to tell is asked for again every 20 seconds.
  const SLOW = 10;
  const large = (part) => part.getElementsByTagName("*").length > LARGE;
  let turn = 0;
  setInterval(() => {
    if (document.hidden || reading()) return;
    turn += 1;
    for (const part of document.querySelectorAll("[data-live]")) {
      if (turn % SELDOM === 0 || !large(part)) htmx.trigger(part, "tick");
    }
    if (turn % SLOW === 0) document.querySelectorAll("[data-slow]").forEach((part) => htmx.trigger(part, "tock"));
    for (const log of document.querySelectorAll("[data-log]")) follow(log);
  }, EVERY_MS);

  // What is shown while the server is out of reach is old, and says so.
  const notice = document.createElement("p");
  notice.className = "stale";
  notice.setAttribute("role", "status");
  notice.textContent = "Trimtab cannot be reached: what is shown is old.";
  for (const lost of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(lost, () => document.body.prepend(notice));
  document.addEventListener("htmx:afterOnLoad", () => notice.remove());

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });

  // Scrolls along only where one looked at the end already.
  const end = (log) => { log.scrollTop = log.scrollHeight; };
  const atEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 8;
  const follow = async (log) => {
    if (log.dataset.busy) return;
    log.dataset.busy = "yes";
    try {
      const answer = await fetch(`${log.dataset.log}?offset=${log.dataset.next}`);
      if (!answer.ok) return;
      const text = await answer.text();
      const next = answer.headers.get("x-next-offset");
      if (next) log.dataset.next = next;
      if (!text) return;
      const stay = !atEnd(log);
      log.textContent = (log.textContent + text).slice(-LOG_MAX);
      if (!stay) end(log);
    } catch {
      // Out of reach: the next turn asks again.
    } finally {
      delete log.dataset.busy;
    }
  };
  document.querySelectorAll("[data-log]").forEach(end);

  const chart = document.getElementById("chart");
  if (chart) draw(chart);

  async function draw(place) {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = place.dataset.style;
    document.head.append(style);
    await new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = place.dataset.script;
      script.onload = done;
      script.onerror = failed;
      document.head.append(script);
    });
    const INCREMENTS = [1, 2, 5].flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power)).sort((a, b) => a - b);
    let range = "day", plot = null, course = null;
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const rows = () => [course.at, course.there, course.given, course.waiting];
    const make = () => {
      if (plot) plot.destroy();
      place.replaceChildren();
      if (course.at.length < 2) {
        const empty = document.createElement("p");
        empty.className = "quiet";
        empty.textContent = "Nothing to draw yet: a line needs two minutes.";
        place.append(empty);
        plot = null;
        place.dataset.drawn = "empty";
        return;
      }
      const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
      // UTC, as everywhere on these pages.
      const two = (number) => String(number).padStart(2, "0");
      const day = (date) => `${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
      const hour = (date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
      const moment = (seconds) => { const date = new Date(seconds * 1000); return range === "week" ? day(date) : hour(date); };
      const full = (_, seconds) => { if (seconds == null) return "–"; const date = new Date(seconds * 1000); return `${day(date)} ${hour(date)}`; };
      const count = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
      const counts = (_, splits) => splits.map(count);
      const show = (_, value) => (value == null ? "–" : count(value));
      plot = new uPlot({
        width: place.clientWidth, height: 220,
        scales: { x: {}, y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] }, waiting: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] } },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        axes: [{ ...axis, values: (_, splits) => splits.map(moment) }, { ...axis, incrs: INCREMENTS, values: counts, size: 56, label: `${course.unit}s`, labelSize: 18, labelFont: axis.font }, { ...axis, incrs: INCREMENTS, values: counts, scale: "waiting", side: 1, size: 56, grid: { show: false }, label: "waiting", labelSize: 18, labelFont: axis.font }],
        series: [
          { label: "UTC", value: full },
          { label: `${course.unit}s there are`, stroke: colour("--quiet"), dash: [4, 4], width: 1.5, value: show, points: { show: false } },
          { label: `${course.unit}s given`, stroke: colour("--running"), fill: colour("--running-faint"), width: 2, value: show, points: { show: false } },
          { label: "workloads waiting", scale: "waiting", stroke: colour("--waiting"), width: 2, value: show, points: { show: false } },
        ],
      }, rows(), place);
      place.dataset.drawn = range;
    };
    const load = async (fresh) => {
      try {
        const answer = await fetch(`${place.dataset.course}?window=${range}`);
        if (!answer.ok) return;
        course = await answer.json();
      } catch { return; }
      if (fresh || !plot) make(); else plot.setData(rows());
    };
    await load(true);
    setInterval(() => { if (!document.hidden) load(false); }, 15000);
    new ResizeObserver(() => { if (plot) plot.setSize({ width: place.clientWidth, height: 220 }); }).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", make);
    for (const button of document.querySelectorAll("[data-window]")) {
      button.addEventListener("click", () => {
        range = button.dataset.window;
        for (const other of document.querySelectorAll("[data-window]")) other.setAttribute("aria-pressed", other === button);
        load(true);
      });
    }
  }
})();
