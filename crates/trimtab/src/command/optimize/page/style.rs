//! How the page looks: one column, light and dark, readable on a phone and on paper.

/// The style sheet.
pub(super) const CSS: &str = r#"
:root{--ink:#1c2430;--soft:#5b6675;--line:#d9dee5;--paper:#fff;--card:#f6f8fa;--blue:#2563c9;--good:#1b7f4b;--bad:#b4322a;--warn:#946200;
--s0:#2563c9;--s1:#7aa7e8;--s2:#c9d3df;--s3:#e0a33a;--s4:#c7553c;--s5:#8a63b8;--s6:#4d9a78}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf2;--soft:#9aa7b8;--line:#303a47;--paper:#12171e;--card:#1a212b;--blue:#74a7ff;--good:#58c48b;
--bad:#f0837a;--warn:#e0b04a;--s0:#5b93ee;--s1:#34568c;--s2:#3a4553;--s3:#d39a35;--s4:#cf6b54;--s5:#a684d1;--s6:#62b491}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1rem 4rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0 .5rem}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 .4rem}
p{margin:.4rem 0}.about,.soft,footer{color:var(--soft)}footer{margin-top:3rem;font-size:.85rem}
.synthetic{background:var(--warn);color:var(--paper);padding:.4rem .7rem;border-radius:.3rem;font-weight:600}
.badge{display:inline-block;padding:0 .5rem;border-radius:.3rem;color:var(--paper);font-weight:600;font-size:.85rem}
.good{background:var(--good)}.bad{background:var(--bad)}.unknown{background:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.9rem 1rem;margin:.8rem 0}
.facts{display:flex;flex-wrap:wrap;gap:.3rem 1.6rem;margin:.5rem 0;padding:0;list-style:none}.facts b{display:block;font-size:1.05rem}
.facts span{color:var(--soft);font-size:.85rem}
ul{padding-left:1.2rem;margin:.4rem 0}li{margin:.15rem 0;overflow-wrap:anywhere}
pre{background:var(--paper);border:1px solid var(--line);border-radius:.3rem;padding:.5rem .7rem;margin:.3rem 0 .7rem;overflow-x:auto;font-size:.82rem;
max-height:18rem}
code,pre{font-family:ui-monospace,monospace}summary{cursor:pointer;color:var(--blue);margin:.3rem 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.25rem .7rem .25rem 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
td:first-child{overflow-wrap:anywhere;min-width:6rem}th{color:var(--soft);font-weight:600}.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.worse{color:var(--bad)}
.bar{display:grid;grid-template-columns:minmax(9rem,19rem) 1fr;gap:.1rem .8rem;align-items:center;font-size:.9rem;margin:.35rem 0}
.bar i{display:block;height:1.1rem;min-width:2px;border-radius:.15rem}.bar .v{display:flex;align-items:center;gap:.5rem;white-space:nowrap;color:var(--soft);
font-variant-numeric:tabular-nums}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.85rem;color:var(--soft);padding:0;list-style:none}.key i{display:inline-block;width:.8rem;
height:.8rem;border-radius:.15rem;margin-right:.35rem;vertical-align:-.05rem}
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:12px system-ui,sans-serif}
.c0{background:var(--s0);fill:var(--s0)}.c1{background:var(--s1);fill:var(--s1)}.c2{background:var(--s2);fill:var(--s2)}
.c3{background:var(--s3);fill:var(--s3)}.c4{background:var(--s4);fill:var(--s4)}.c5{background:var(--s5);fill:var(--s5)}.c6{background:var(--s6);fill:var(--s6)}
.grid{stroke:var(--line)}.wait{fill:none;stroke:var(--s4);stroke-width:1.5}
@media(max-width:34rem){.bar{grid-template-columns:1fr}}
@media print{details:not([open])>*{display:block}body{max-width:none}}
"#;
