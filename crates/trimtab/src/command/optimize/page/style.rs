//! How the page looks: one column, light and dark, readable on a phone and on paper.

/// The style sheet.
pub(super) const CSS: &str = r#"
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
.fall{font-size:.9rem}.fall .row{display:grid;grid-template-columns:minmax(10rem,16rem) 5.8rem 4.2rem 8rem minmax(6rem,1fr);gap:.1rem .8rem;align-items:center;
padding:.15rem 0}
.fall.free .row{grid-template-columns:minmax(10rem,17rem) 6rem 4.2rem minmax(6rem,1fr)}
.fall .part .label{padding-left:1rem}.fall .all,.fall .group,.fall .c6 .label{font-weight:600}.fall .c6 .label{padding-left:0}
.fall .all{border-bottom:1px solid var(--line)}.fall .all i{background:var(--soft)}
.fall .row,.fall .row[class]{background:none}.track{display:block}.track i{display:block;height:1rem;min-width:2px;border-radius:.1rem}
.bar{display:grid;grid-template-columns:minmax(6rem,14rem) 1fr;gap:.1rem .8rem;align-items:center;font-size:.9rem;margin:.5rem 0}
.label{overflow-wrap:anywhere}.bar .v{display:grid;grid-template-columns:1fr 5rem;align-items:center;gap:.5rem;color:var(--soft);
font-variant-numeric:tabular-nums}.bar .v i{display:block;height:.8rem;min-width:2px;border-radius:.1rem;margin:.1rem 0}.bar .v span{text-align:right}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.85rem;color:var(--soft);padding:0;margin:.8rem 0 .3rem;list-style:none}
.key i{display:inline-block;width:.8rem;height:.8rem;border-radius:.15rem;margin-right:.35rem;vertical-align:-.05rem}.key .none{border:1px solid var(--soft)}
.panel{display:grid;grid-template-columns:3rem 1fr;gap:.4rem;position:relative}.scale{display:flex;flex-direction:column;justify-content:space-between;
text-align:right;font-size:.75rem;line-height:0;color:var(--soft);font-variant-numeric:tabular-nums}
.unit{position:absolute;left:3.7rem;top:.2rem;font-size:.75rem;color:var(--ink);background:var(--paper);padding:0 .3rem;border-radius:.2rem}
.panel svg{width:100%;height:11rem;display:block}.panel~.panel svg{height:6rem}
.axis{display:flex;justify-content:space-between;margin:.35rem 0 0 3.4rem;font-size:.75rem;color:var(--soft)}
.c0{fill:var(--s0)}.c2{fill:var(--s2)}.c3{fill:var(--s3)}.c4{fill:var(--s4)}.c5{fill:var(--s5)}.c6{fill:var(--s6)}
i.c0{background:var(--s0)}i.c2{background:var(--s2)}i.c4{background:var(--s4)}
.row.c0 i{background:var(--s0)}.row.c2 i{background:var(--s2)}.row.c3 i{background:var(--s3)}.row.c4 i{background:var(--s4)}.row.c5 i{background:var(--s5)}
.row.c6 i{background:var(--s6)}
.grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke;stroke-opacity:.7}
@media(max-width:44rem){body{padding:1rem .8rem 3rem}h1{font-size:1.3rem}
.fall{font-size:.8rem}.fall .row{grid-template-columns:1fr 4.4rem 3rem 5.8rem;gap:.1rem .4rem}.fall.free .row{grid-template-columns:1fr 5rem 3.4rem}.fall .track{grid-column:1/-1}
.fall .track i{height:.6rem}
.axis span:nth-child(even){display:none}.bar{grid-template-columns:1fr}}
@media print{body{max-width:none;font-size:11pt;padding:0}.card,.fall .row,.panel,.bar,tr{break-inside:avoid}h2,h3{break-after:avoid}
details::details-content{content-visibility:visible;display:block;height:auto}.scroll{overflow:visible}*{print-color-adjust:exact;
-webkit-print-color-adjust:exact}}
"#;
