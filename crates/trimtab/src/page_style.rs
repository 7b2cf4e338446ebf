//! How pages look that are written to files: one column, light and dark, readable on a phone and on paper.

/// What all such pages have in common; what a page has for itself comes after it.
pub(crate) const BASE: &str = r#"
:root{--ink:#1c2430;--soft:#566171;--line:#d9dee5;--paper:#fff;--card:#f6f8fa;--blue:#1f5bbd;--good:#1b7f4b;--bad:#b4322a;--warn:#8a5a00;
--s0:#2563c9;--s2:#bcc8d6;--s3:#d9962a;--s4:#c7553c;--s5:#8a63b8;--s6:#3f9470}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--soft:#a3afbf;--line:#303a47;--paper:#12171e;--card:#1a212b;--blue:#82b0ff;--good:#58c48b;
--bad:#f28b82;--warn:#e0b04a;--s0:#5b93ee;--s2:#46535f;--s3:#d39a35;--s4:#d3725c;--s5:#a684d1;--s6:#58ab88}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1.5rem 1rem 4rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.55rem;line-height:1.25;margin:.6rem 0 .5rem;text-wrap:balance}
h2{font-size:1.2rem;margin:2.4rem 0 .7rem;padding-top:.8rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:0 0 .4rem;overflow-wrap:anywhere}
p{margin:.4rem 0}.about,.soft,footer{color:var(--soft)}footer{margin-top:3rem;font-size:.85rem;overflow-wrap:anywhere}
a{color:var(--blue);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px;border-radius:.15rem}
.synthetic{background:var(--warn);color:var(--paper);padding:.4rem .7rem;border-radius:.3rem;font-weight:600}
.badge{display:inline-block;padding:0 .5rem;border-radius:.3rem;color:var(--paper);font-weight:600;font-size:.85rem}
.good{background:var(--good)}.bad{background:var(--bad)}.unknown{background:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem 1.1rem;margin:1rem 0;scroll-margin-top:1rem}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:.6rem 0;padding:0;list-style:none}.facts b{display:block;font-size:1.1rem;
font-variant-numeric:tabular-nums}
.facts span{color:var(--soft);font-size:.85rem}
ul{padding-left:1.2rem;margin:.4rem 0}li{margin:.15rem 0;overflow-wrap:anywhere}
pre{background:var(--paper);border:1px solid var(--line);border-radius:.3rem;padding:.5rem .7rem;margin:.3rem 0 .7rem;font-size:.82rem;white-space:pre-wrap;
overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,monospace}summary{cursor:pointer;color:var(--blue);margin:.3rem 0;width:fit-content}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.3rem .9rem .3rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}td{overflow-wrap:break-word}td:not(.n){min-width:7rem;max-width:24rem}
th{color:var(--soft);font-weight:600}.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.better,.worse,.risk{font-weight:600;font-size:.9rem;margin:.7rem 0 0}.better{color:var(--good)}.worse{color:var(--bad)}.risk{color:var(--warn)}
.card ul:not(.facts){margin-top:.1rem;font-size:.95rem}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.85rem;color:var(--soft);padding:0;margin:.8rem 0 .3rem;list-style:none}
.key i{display:inline-block;width:.8rem;height:.8rem;border-radius:.15rem;margin-right:.35rem;vertical-align:-.05rem}.key .none{border:1px solid var(--soft)}
@media(max-width:44rem){body{padding:1rem .8rem 3rem}h1{font-size:1.3rem}}
@media print{body{max-width:none;font-size:11pt;padding:0}.card,tr{break-inside:avoid}h2,h3{break-after:avoid}
details::details-content{content-visibility:visible;display:block;height:auto}.scroll{overflow:visible}*{print-color-adjust:exact;
-webkit-print-color-adjust:exact}}
"#;
