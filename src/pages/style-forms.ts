/**
 * Styles of forms: fields, buttons and error messages. Colours are in `style.ts`.
 */
export const FORM_STYLE = `
.lede strong { color: var(--ink); }
.facts + p { margin-top: 1rem; }
form > :last-child { margin-bottom: 0; }
label { display: block; margin-bottom: .35rem; font-weight: 600; }
input[type=text], input[type=password] {
  width: 100%;
  max-width: 22rem;
  padding: .55rem .75rem;
  font: inherit;
  color: inherit;
  background: var(--ground);
  border: 1px solid var(--quiet);
  border-radius: .4rem;
}
input.code {
  max-width: 15rem;
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: 1.35rem;
  letter-spacing: .08em;
  text-transform: uppercase;
}
input[aria-invalid=true] { border: 2px solid var(--problem); }
.hint { margin-top: .4rem; color: var(--quiet); font-size: .92rem; }
.problem { margin: 0 0 .5rem; color: var(--problem); font-weight: 600; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.25rem; }
button {
  min-height: 2.75rem;
  padding: .5rem 1.5rem;
  font: inherit;
  font-weight: 600;
  color: var(--inverse);
  background: var(--accent);
  border: 1px solid var(--accent);
  border-radius: .4rem;
  cursor: pointer;
}
button.second { color: var(--accent); background: none; }
button:hover { text-decoration: underline; }
details { margin-top: 1.25rem; }
summary { padding-block: .25rem; cursor: pointer; color: var(--accent); }
details > p { margin-top: .5rem; }
.reference { margin-top: 1.5rem; font-size: .92rem; }
@media (max-width: 30rem) {
  .buttons button { flex: 1 1 100%; }
}
`;
