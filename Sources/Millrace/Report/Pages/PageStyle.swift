/// The style sheet of all pages. Colours are told apart by people who see few of them (after Okabe
/// and Ito 2008), and events by shape as well.
enum PageStyle {
  static let sheet = colors + layout + drawings + paper

  private static let colors = """
    :root{color-scheme:light dark;--paper:#fdfdfb;--ink:#1c2126;--muted:#646b73;--rule:#e4e4de;\
    --wash:#f4f4ef;--learner:#0a62a9;--served:#c65a11;--base:#82888f;--still:#a9855a;\
    --alarm:#b5125b;--retraining:#6b4fb5;--swap:#00816b;--heat:#a8480a}
    @media screen and (prefers-color-scheme:dark){:root{--paper:#15181b;--ink:#e9e7e2;\
    --muted:#9aa1a8;--rule:#2d3237;--wash:#1d2125;--learner:#6cb4f5;--served:#f2a25c;\
    --base:#8d949b;--still:#cdb083;--alarm:#ff7fab;--retraining:#b8a2f6;--swap:#4ecbb0;\
    --heat:#f6a14b}}

    """

  private static let layout = """
    *{box-sizing:border-box}
    body{margin:0 auto;max-width:66rem;padding:2.5rem 1.25rem 4rem;background:var(--paper);\
    color:var(--ink);font:400 1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",\
    "Liberation Sans",Arial,sans-serif;-webkit-text-size-adjust:100%}
    h1{font-size:2.1rem;line-height:1.15;letter-spacing:-.02em;margin:.2rem 0 .3rem;\
    overflow-wrap:anywhere}
    h2{font-size:1.25rem;letter-spacing:-.01em;margin:0 0 .25rem}
    h3{font-size:.95rem;margin:1.2rem 0 .1rem;overflow-wrap:anywhere}
    p{margin:.25rem 0 .9rem;max-width:46rem}
    header .kind{font-size:.8rem;letter-spacing:.08em;text-transform:uppercase;color:var(--muted)}
    .muted,.lead,figcaption{color:var(--muted);font-size:.9rem}
    .verdict{font-size:1.35rem;line-height:1.4;letter-spacing:-.005em;margin:1.2rem 0 1.4rem;\
    max-width:52rem;text-wrap:balance}
    nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.9rem;margin:1rem 0 0}
    a{color:var(--learner);text-decoration:none}
    a:hover{text-decoration:underline}
    section{border-top:1px solid var(--rule);margin-top:2.4rem;padding-top:1.4rem}
    figure{margin:1rem 0}\
    figcaption{margin-bottom:.4rem}
    dl.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;\
    margin:0 0 1.4rem}
    dl.tiles div{background:var(--wash);border-radius:.5rem;padding:.7rem .9rem;display:flex;\
    flex-direction:column-reverse;justify-content:flex-end}
    dl.tiles dd{margin:0;font-size:1.6rem;font-weight:600;line-height:1.2;letter-spacing:-.02em;\
    font-variant-numeric:tabular-nums}
    dl.tiles dt{font-size:.82rem;color:var(--muted)}
    .scroll{overflow-x:auto;margin:.6rem 0}
    table{border-collapse:collapse;width:100%;font-size:.875rem;\
    font-variant-numeric:tabular-nums}
    th,td{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:middle;\
    border-bottom:1px solid var(--rule)}
    th{font-weight:500}
    thead th{color:var(--muted);font-size:.8rem;vertical-align:bottom}
    .n{text-align:right;white-space:nowrap}
    td.name,th.name{overflow-wrap:anywhere;min-width:6rem}
    td.bar{width:34%;min-width:6rem}\
    td.narrow{width:14%}
    td.bar svg,td.spark svg{display:block}
    strong,.best{font-weight:650}
    .badge{border:1px solid;border-radius:1rem;padding:0 .5rem;font-size:.75rem;white-space:nowrap}
    .badge.alarm{color:var(--alarm)}
    .badge.swap{color:var(--swap)}
    ul.legend{display:flex;flex-wrap:wrap;gap:.15rem 1.2rem;list-style:none;margin:.4rem 0;\
    padding:0;font-size:.875rem}
    ul.legend svg{vertical-align:middle;margin-right:.4rem;overflow:visible}
    .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));\
    gap:1.6rem 1.4rem;margin:1.2rem 0}
    .cards figure,.cards h3{margin:0;min-width:0}
    details{margin:.6rem 0;font-size:.9rem}
    summary{cursor:pointer;color:var(--muted)}
    pre{background:var(--wash);border-radius:.5rem;padding:.8rem 1rem;overflow-x:auto;\
    font:.82rem/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;\
    white-space:pre-wrap;overflow-wrap:anywhere}
    code{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;\
    font-size:.9em;overflow-wrap:anywhere}

    """

  private static let drawings = """
    svg{fill:none;stroke:none}
    svg text{fill:var(--muted);font-size:11px;font-variant-numeric:tabular-nums}
    svg text.title{fill:var(--ink);font-size:12px;font-weight:600}
    svg text.strong{fill:var(--ink);font-size:12px;font-weight:600}
    .end{text-anchor:end}
    .middle{text-anchor:middle}
    .plot{padding:0 .9rem 0 4.4rem}
    svg.time{display:block;overflow:visible}
    svg.small{display:block;width:100%;max-width:24rem;height:auto;overflow:visible}
    svg.symbols{position:absolute;width:0;height:0}
    .grid{stroke:var(--rule);stroke-width:1}
    .guide{stroke:var(--alarm);stroke-width:1;stroke-opacity:.45;stroke-dasharray:2 3}
    .line{stroke-width:1.6;stroke-linejoin:round;vector-effect:non-scaling-stroke}
    .learner{stroke:var(--learner);stroke-width:2}
    .served{stroke:var(--served)}
    .base{stroke:var(--base)}
    .still{stroke:var(--still);stroke-dasharray:4 3}
    .chance{stroke:var(--base);stroke-dasharray:3 4;stroke-width:1}
    .gap{stroke:var(--alarm);stroke-width:2}
    .symbol{stroke-width:2}
    .symbol.alarm,.symbol.rejected,.symbol.divergence{stroke:var(--alarm)}
    .symbol.alarm{fill:var(--alarm);stroke:none}
    .symbol.retraining{fill:var(--retraining)}
    .symbol.swap{fill:var(--swap)}
    .symbol.restart{stroke:var(--ink)}
    .note{fill:transparent}
    .note:hover{fill:var(--ink);fill-opacity:.07}
    .fill-learner{fill:var(--learner)}
    .fill-served{fill:var(--served)}
    .fill-base{fill:var(--base)}
    .fill-still{fill:var(--still)}
    .fill-alarm{fill:var(--alarm)}
    .soft{fill:var(--base);fill-opacity:.35}
    .heat{display:grid;grid-template-columns:fit-content(10rem) 1fr;column-gap:.6rem;\
    padding-right:.9rem}
    .heat ol{list-style:none;margin:0;padding:0;font-size:12px;text-align:right}
    .heat li{height:18px;line-height:18px;overflow:hidden;text-overflow:ellipsis;\
    white-space:nowrap}
    .cell{stroke:var(--heat);stroke-width:9;shape-rendering:crispEdges}
    \((0...9).map { ".h\($0){stroke-opacity:\($0 == 0 ? ".04" : $0 == 9 ? "1" : ".\($0 * 11)")}" }
      .joined())
    .mark{stroke:var(--ink);stroke-width:2;vector-effect:non-scaling-stroke}

    """

  private static let paper = """
    @media (max-width:40rem){body{padding-top:1.5rem}.verdict{font-size:1.15rem}\
    h1{font-size:1.7rem}.plot{padding-left:3.2rem}}
    @page{margin:14mm}
    @media print{:root{color-scheme:light;--paper:#fff}nav,details:not([open]){display:none}\
    body{padding:0;max-width:none;font-size:10pt}section{margin-top:1.2rem;padding-top:.8rem}\
    h2,h3,.lead,.legend{break-after:avoid}figure,tr,.tiles{break-inside:avoid}\
    .scroll{overflow:visible}table{font-size:8pt}th,td{padding-right:.5rem}\
    td.bar{min-width:3rem}\
    *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
    """
}
