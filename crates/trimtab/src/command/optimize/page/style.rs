//! How the charts of this page look; the rest is that of all pages.

/// The style sheet, to come after [`crate::page_style::BASE`].
pub(super) const CSS: &str = r#"
.fall{font-size:.9rem}.fall .row{display:grid;grid-template-columns:minmax(10rem,16rem) 5.8rem 4.2rem 8rem minmax(6rem,1fr);gap:.1rem .8rem;align-items:center;
padding:.15rem 0}
.fall.free .row{grid-template-columns:minmax(10rem,17rem) 6rem 4.2rem minmax(6rem,1fr)}
.fall .part .label{padding-left:1rem}.fall .all,.fall .group,.fall .c6 .label{font-weight:600}.fall .c6 .label{padding-left:0}
.fall .all{border-bottom:1px solid var(--line)}.fall .all i{background:var(--soft)}
.fall .row,.fall .row[class]{background:none}.track{display:block}.track i{display:block;height:1rem;min-width:2px;border-radius:.1rem}
.bar{display:grid;grid-template-columns:minmax(6rem,14rem) 1fr;gap:.1rem .8rem;align-items:center;font-size:.9rem;margin:.5rem 0}
.label{overflow-wrap:anywhere}.bar .v{display:grid;grid-template-columns:1fr 5rem;align-items:center;gap:.5rem;color:var(--soft);
font-variant-numeric:tabular-nums}.bar .v i{display:block;height:.8rem;min-width:2px;border-radius:.1rem;margin:.1rem 0}.bar .v span{text-align:right}
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
@media(max-width:44rem){
.fall{font-size:.8rem}.fall .row{grid-template-columns:1fr 4.4rem 3rem 5.8rem;gap:.1rem .4rem}.fall.free .row{grid-template-columns:1fr 5rem 3.4rem}.fall .track{grid-column:1/-1}
.fall .track i{height:.6rem}
.axis span:nth-child(even){display:none}.bar{grid-template-columns:1fr}}
@media print{.fall .row,.panel,.bar{break-inside:avoid}}
"#;
