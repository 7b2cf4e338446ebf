//! How timelines and matrices look; the rest is that of all pages.

/// The style sheet, to come after [`crate::page_style::BASE`].
pub(super) const CSS: &str = r#"
:root{--work:var(--s0);--work-back:var(--s5);--work-other:var(--s6);--transfer:var(--s3);--collective:var(--s4);--memory:var(--s5);--plain:var(--s2);
--fine:var(--s6);--warm:#ecd08f;--hot:var(--s3);--burning:var(--s4)}
@media(prefers-color-scheme:dark){:root{--warm:#7d6536}}
body{max-width:76rem}section>h3{margin-top:1.5rem}.figures{display:flex;flex-wrap:wrap;gap:0 2.5rem;align-items:flex-start}.figures>*{min-width:0;max-width:100%}
.figures table{width:auto}.figures h3{margin:1.2rem 0 .2rem}.card .worth{margin:.2rem 0}.card table{margin:.5rem 0;width:auto}.figures td{max-width:44rem}
h1{overflow-wrap:anywhere}h2{overflow-wrap:anywhere}
.contents{columns:2 20rem;font-size:.9rem}
.timeline{margin:1rem 0;border:1px solid var(--line);border-radius:.5rem;padding:.7rem .8rem;background:var(--paper);display:none}
.timeline.ready{display:block}.timeline canvas{display:block}
.timeline .lanes{max-height:34rem;overflow:hidden auto;touch-action:pan-y;cursor:grab;user-select:none}
.timeline .lanes:active{cursor:grabbing}
.tools{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center;margin-bottom:.5rem}
.tools button{font:inherit;font-size:.85rem;min-width:2.2rem;min-height:2rem;border:1px solid var(--line);border-radius:.3rem;background:var(--card);color:var(--ink);
cursor:pointer}
.tools span{color:var(--soft);font-size:.85rem;font-variant-numeric:tabular-nums;margin-left:.4rem}
.under{font-size:.85rem;min-height:1.5em;margin:.4rem 0 0;overflow-wrap:anywhere}
.key .work{background:var(--work)}.key .work-back{background:var(--work-back)}.key .work-other{background:var(--work-other)}
.key .transfer{background:var(--transfer)}.key .collective{background:var(--collective)}.key .memory{background:var(--memory)}
.key .plain{background:var(--plain)}.key .fine{background:var(--fine)}.key .warm{background:var(--warm)}.key .hot{background:var(--hot)}
.key .burning{background:var(--burning)}
.matrix td,.matrix th{padding:.2rem .5rem;border:1px solid var(--line);min-width:0}.matrix td small{display:block;color:var(--soft)}
.matrix .behind{background:var(--bad);color:var(--paper);font-weight:600}.matrix .behind small{color:inherit}
.matrix .waits{background:var(--warm)}.matrix .waits small{color:inherit}.matrix .none{color:var(--soft)}
.matrix{font-size:.8rem}.matrix thead th+th{vertical-align:bottom;overflow-wrap:anywhere;min-width:8.5rem;font-size:.75rem}
.worth{font-weight:600;color:var(--good)}
@media(max-width:44rem){.timeline{padding:.5rem .4rem;margin-inline:-.3rem}}
@media print{.tools,.under{display:none}.timeline .lanes{max-height:none}}
"#;
