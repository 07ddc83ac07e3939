/**
 * The stylesheet of every page. Light or dark by the reader's setting; all colour pairs meet WCAG AA (4.5:1 for text, 3:1
 * for meaningful borders). It loads no images or fonts, which the content security policy forbids.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f7;
  --surface: #ffffff;
  --ink: #17211f;
  --quiet: #51605d;
  --line: #d5dcda;
  --accent: #0f6b64;
  --inverse: #ffffff;
  --problem: #a3221b;
  --code: #eef2f1;
  --focus: #0b5cad;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111716;
    --surface: #19211f;
    --ink: #e6edeb;
    --quiet: #a3b3af;
    --line: #34403d;
    --accent: #67cfc2;
    --inverse: #0b1514;
    --problem: #ff9d94;
    --code: #101615;
    --focus: #8ec5ff;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0;
  min-height: 100vh;
  display: flex;
  flex-direction: column;
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere;
}
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--surface); z-index: 1; }
a { color: var(--accent); text-underline-offset: .2em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
header, main, footer { width: 100%; max-width: 46rem; margin-inline: auto; padding-inline: 1.25rem; }
header { padding-block: 1.25rem; }
.brand {
  display: inline-flex;
  align-items: center;
  gap: .6rem;
  color: inherit;
  font-weight: 600;
  text-decoration: none;
}
.brand:hover { text-decoration: underline; }
.brand img { display: block; height: 1.75rem; width: auto; max-width: 12rem; }
main { flex: 1; padding-bottom: 3rem; }
h1 { margin: 1rem 0 .5rem; font-size: clamp(1.6rem, 5vw, 2.1rem); line-height: 1.2; letter-spacing: -.01em; }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; line-height: 1.3; }
p, ul, ol { margin: 0 0 .75rem; }
ul, ol { padding-left: 1.25rem; }
.lede { color: var(--quiet); font-size: 1.1rem; max-width: 38rem; }
section {
  margin-top: 1.25rem;
  padding: 1.25rem;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: .6rem;
}
section > :last-child { margin-bottom: 0; }
code, pre, kbd { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .92em; }
code { padding: .1em .3em; background: var(--code); border-radius: .25rem; }
pre {
  margin: 0 0 .75rem;
  padding: .75rem 1rem;
  overflow-x: auto;
  background: var(--code);
  border: 1px solid var(--line);
  border-radius: .4rem;
  line-height: 1.5;
  overflow-wrap: normal;
}
pre code { padding: 0; background: none; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.25rem; margin: 0; }
.facts dt { color: var(--quiet); }
.facts dd { margin: 0; }
.facts ul { margin: 0; padding: 0; list-style: none; }
.links { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; padding: 0; list-style: none; }
.links a { display: inline-block; padding-block: .25rem; }
footer { padding-block: 1.25rem; color: var(--quiet); font-size: .9rem; border-top: 1px solid var(--line); }
@media (max-width: 30rem) {
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .75rem; }
  .facts dd:last-child { margin-bottom: 0; }
  section { padding: 1rem; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
@media (forced-colors: active) {
  section, pre { border-color: CanvasText; }
}
`;
