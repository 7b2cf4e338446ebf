// What pages do beyond links and forms: refresh what is looked at, ask before what cannot be taken back, follow a log, load charts.
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

  // What draws is loaded only where there is something to draw, one script after the other.
  const charts = document.querySelector("[data-charts]");
  if (charts) {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = charts.dataset.style;
    document.head.append(style);
    for (const source of charts.dataset.scripts.split(" ")) {
      const script = document.createElement("script");
      script.async = false;
      script.src = source;
      document.head.append(script);
    }
  }
})();
