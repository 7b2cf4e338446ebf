// Lanes over time on a canvas: zoomed by wheel, pinch and keys, moved by dragging. What is drawn lies beside it as JSON.
"use strict";

for (const place of document.querySelectorAll("[data-timeline]")) timeline(place);

function timeline(place) {
  const data = JSON.parse(place.querySelector("script").textContent);
  const box = place.querySelector(".lanes"), [ruler, canvas] = place.querySelectorAll("canvas");
  const seen = place.querySelector("[data-seen]"), under = place.querySelector("[data-under]");
  const whole = Math.max(data.to - data.from, 1e-9), closest = Math.min(whole, whole / 1e5);
  const rows = laidOut(data.lanes);
  let from = data.from, to = data.to, waiting = false;

  // A lane lies at `y` and is `high`; lanes of a group have its name above them.
  function laidOut(lanes) {
    const high = Math.min(26, Math.max(10, Math.floor(420 / Math.max(lanes.length, 1))));
    let y = 0, group = "";
    const rows = lanes.map(([of, name, segments]) => {
      const heading = of !== group ? of : "";
      if (heading) y += 24;
      group = of;
      const row = { group: of, heading, name, segments, y, high };
      y += high + 2;
      return row;
    });
    rows.height = y;
    return rows;
  }

  const gutter = () => Math.min(190, Math.round(box.clientWidth * 0.3));
  const room = () => Math.max(1, box.clientWidth - gutter());
  const timeAt = (x) => from + ((x - gutter()) / room()) * (to - from);
  const placeOf = (time) => gutter() + ((time - from) / (to - from)) * room();

  // Whether what is shown changed.
  function show(newFrom, newTo) {
    const length = Math.min(whole, Math.max(closest, newTo - newFrom));
    const begin = Math.min(data.to - length, Math.max(data.from, newFrom + (newTo - newFrom - length) / 2));
    if (begin === from && begin + length === to) return false;
    [from, to] = [begin, begin + length];
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
    return true;
  }
  const zoom = (factor, around = (from + to) / 2) =>
    show(around - (around - from) * factor, around + (to - around) * factor);
  const move = (share) => show(from + (to - from) * share, to + (to - from) * share);

  function sized(canvas, height) {
    const scale = window.devicePixelRatio || 1;
    const [width, high] = [Math.round(box.clientWidth * scale), Math.round(height * scale)];
    if (canvas.width !== width || canvas.height !== high) [canvas.width, canvas.height] = [width, high];
    canvas.style.width = `${box.clientWidth}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, box.clientWidth, height);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    return pen;
  }

  function draw() {
    waiting = false;
    const style = getComputedStyle(place), ink = style.getPropertyValue("--ink"), soft = style.getPropertyValue("--soft");
    const line = style.getPropertyValue("--line"), colours = data.kinds.map(([, tone]) => style.getPropertyValue(`--${tone}`));
    const pen = sized(canvas, rows.height), ticks = ticked();
    pen.fillStyle = line;
    for (const tick of ticks) pen.fillRect(placeOf(tick), 0, 1, rows.height);
    let drawn = 0;
    for (const row of rows) drawn += drawLane(pen, row, colours, ink, soft);
    pen.lineWidth = 2;
    pen.strokeStyle = ink;
    for (const [lane, begin, end] of data.marks) {
      const [left, right] = [Math.max(placeOf(begin), gutter()), Math.min(placeOf(end), box.clientWidth - 1)];
      if (right > left) pen.strokeRect(left, rows[lane].y, right - left, rows[lane].high);
    }
    drawRuler(ticks, ticks.length > 1 ? ticks[1] - ticks[0] : to - from, soft);
    seen.textContent = `${told(from)} to ${told(to)}${to - from < whole * 0.999 ? ` of ${told(data.from)} to ${told(data.to)}` : ""}`;
    Object.assign(place.dataset, { drawn, from, to });
  }

  function drawLane(pen, row, colours, ink, soft) {
    const width = box.clientWidth, scale = room() / (to - from);
    let drawn = 0;
    pen.fillStyle = ink;
    if (row.heading) {
      pen.font = "600 12px system-ui, sans-serif";
      pen.fillText(row.heading, 2, row.y - 10);
      pen.font = "12px system-ui, sans-serif";
    }
    for (let at = 0; at < row.segments.length; at += 5) {
      const start = row.segments[at + 1], length = row.segments[at + 2];
      if (start > to || start + length < from) continue;
      const left = Math.max(gutter(), gutter() + (start - from) * scale);
      const right = Math.min(width, gutter() + (start + length - from) * scale);
      const [bottom, top] = [row.segments[at + 3], row.segments[at + 4]];
      pen.fillStyle = colours[row.segments[at]];
      // What is wider than some pixels ends a little earlier, so that neighbours are told apart.
      const gap = right - left > 4 ? 0.5 : 0;
      pen.fillRect(left, row.y + (row.high * (100 - top)) / 100, Math.max(0.6, right - left - gap), (row.high * (top - bottom)) / 100);
      drawn += 1;
    }
    pen.fillStyle = soft;
    if (row.high >= 10) pen.fillText(fitting(pen, row.name, gutter() - 8), 2, row.y + row.high / 2);
    return drawn;
  }

  // A name in so much room: cut in its middle, since both ends tell.
  function fitting(pen, name, width) {
    if (pen.measureText(name).width <= width) return name;
    let kept = name.length;
    const cut = () => `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(name.length - Math.floor(kept / 2))}`;
    while (kept > 2 && pen.measureText(cut()).width > width) kept -= 1;
    return cut();
  }

  function drawRuler(ticks, step, soft) {
    const pen = sized(ruler, 22);
    pen.fillStyle = soft;
    pen.textAlign = "center";
    for (const tick of ticks) {
      const text = told(tick, step), half = pen.measureText(text).width / 2;
      pen.fillText(text, Math.min(Math.max(placeOf(tick), gutter() + half), box.clientWidth - half), 11);
    }
    pen.textAlign = "left";
  }

  // Moments that read easily, as many as there is room for.
  function ticked() {
    const rough = (to - from) / Math.max(2, Math.floor(room() / 110)), ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((times) => times * ten).find((step) => step >= rough);
    const ticks = [];
    for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
    return ticks;
  }

  // A moment or a length with its unit, to what can be told apart on the screen.
  function told(value, resolution = (to - from) / 1000) {
    if (data.unit !== "ms") return `${data.unit} ${Math.round(value)}`;
    const [factor, unit] = Math.max(Math.abs(data.to), 1) >= 5000 ? [0.001, "s"] : [1, "ms"];
    const decimals = Math.min(6, Math.max(0, Math.ceil(-Math.log10(resolution * factor))));
    return `${(value * factor).toFixed(decimals)} ${unit}`;
  }

  // What lies under a place of the canvas; of several, what is on top.
  function underneath(x, y) {
    const lane = rows.findIndex((row) => y >= row.y && y < row.y + row.high), row = rows[lane], time = timeAt(x);
    if (!row) return "";
    const who = row.group ? `${row.name}, ${row.group}` : row.name;
    if (x < gutter()) return who;
    const mark = data.marks.find(([of, begin, end]) => of === lane && time >= begin && time < end);
    const level = 100 - ((y - row.y) / row.high) * 100;
    for (let at = row.segments.length - 5; at >= 0; at -= 5) {
      const [kind, start, length, bottom, top] = row.segments.slice(at, at + 5);
      if (time >= start && time < start + length && level >= bottom && level <= top) {
        const when = data.unit === "ms" ? `${told(start)}, for ${told(length)}` : `${told(start)} to ${Math.round(start + length - 1)}`;
        return `${who}: ${data.kinds[kind][0]}, ${when}${mark ? ` (${mark[3]})` : ""}`;
      }
    }
    return `${who}: nothing at ${told(time)}`;
  }

  box.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const lines = event.deltaMode === 1 ? 20 : 1, amount = (event.deltaY || event.deltaX) * lines;
    const changed = sideways
      ? move((event.deltaX || event.deltaY) * lines / room())
      : zoom(Math.exp(Math.max(-1, Math.min(1, amount * 0.002))), timeAt(event.clientX - box.getBoundingClientRect().left));
    // Where there is nothing left to zoom, the page scrolls on.
    if (changed) event.preventDefault();
  }, { passive: false });

  const fingers = new Map();
  box.addEventListener("pointerdown", (event) => {
    // The scroll bar stays the browser's.
    if (event.target !== canvas || event.button > 0) return;
    fingers.set(event.pointerId, event);
    canvas.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId), edge = box.getBoundingClientRect();
    if (!before) {
      under.textContent = underneath(event.clientX - edge.left, event.clientY - edge.top + box.scrollTop) || "\u00a0";
      return;
    }
    const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    if (other) {
      // Two fingers: what was under each stays there.
      const spread = (x) => Math.max(10, Math.abs(x - other.clientX));
      zoom(spread(before.clientX) / spread(event.clientX), timeAt(other.clientX - edge.left));
    } else {
      move((before.clientX - event.clientX) / room());
      if (event.pointerType === "mouse") box.scrollTop += before.clientY - event.clientY;
    }
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, (event) => fingers.delete(event.pointerId));

  const moves = {
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
    0: () => show(data.from, data.to), Home: () => show(data.from, data.to),
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in moves)) return;
    moves[event.key]();
    event.preventDefault();
  });
  for (const button of place.querySelectorAll("button")) button.addEventListener("click", moves[button.dataset.key]);
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  place.classList.add("ready");
  draw();
}
