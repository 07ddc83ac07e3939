/**
 * Styles of the login and account pages: a narrow column, rows with an action at the end, and confirmations. Colours are in
 * `style.ts`.
 */
export const ACCOUNT_STYLE = `
header { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .5rem 1.5rem; }
.narrow header, .narrow main, .narrow footer { max-width: 30rem; }
.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
.field { margin: 0 0 1.1rem; }
.field input[type=text], .field input[type=password] { max-width: none; }
.field .hint { display: block; }
select {
  min-height: 2.75rem;
  padding: .45rem .75rem;
  font: inherit;
  color: inherit;
  background: var(--ground);
  border: 1px solid var(--quiet);
  border-radius: .4rem;
}
fieldset { margin: 0 0 1.1rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: .4rem; }
.boxes { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0 1rem; }
legend { padding-inline: .35rem; font-weight: 600; }
.check { display: flex; align-items: center; gap: .6rem; min-height: 2rem; margin: 0; font-weight: 400; }
.check input { width: 1.1rem; height: 1.1rem; margin: 0; flex: none; accent-color: var(--accent); }
.check code { flex: none; }
.button {
  display: inline-flex;
  align-items: center;
  justify-content: center;
  min-height: 2.75rem;
  padding: .5rem 1.5rem;
  font-weight: 600;
  color: var(--inverse);
  background: var(--accent);
  border: 1px solid var(--accent);
  border-radius: .4rem;
  text-decoration: none;
}
.button.second { color: var(--accent); background: none; }
.button:hover { text-decoration: underline; }
button.small, .button.small { min-height: 2.25rem; padding: .25rem 1rem; }
button.danger { color: var(--problem); background: none; border-color: var(--problem); }
.choices { display: flex; flex-wrap: wrap; gap: .6rem; padding: 0; list-style: none; }
.choices img { flex: none; width: 1.25rem; height: 1.25rem; margin-right: .5rem; object-fit: contain; }
.narrow .choices { flex-direction: column; }
.narrow .choices .button, .narrow form .buttons > * { width: 100%; }
.heading { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0 1.5rem; }
.heading form { margin: 0; }
.notice {
  margin: 1rem 0 0;
  padding: .75rem 1rem;
  background: var(--surface);
  border: 1px solid var(--accent);
  border-left-width: .35rem;
  border-radius: .4rem;
}
.rows { margin: 0 0 1rem; padding: 0; list-style: none; }
.rows > li {
  display: flex;
  flex-wrap: wrap;
  align-items: flex-start;
  justify-content: space-between;
  gap: .25rem 1.25rem;
  padding-block: .75rem;
  border-top: 1px solid var(--line);
}
.rows > li > div { flex: 1 1 18rem; }
.rows .act { flex: none; margin: 0; }
.rows details.act[open] { flex: 1 1 100%; }
.quiet { margin: 0; color: var(--quiet); font-size: .92rem; }
.badge {
  display: inline-block;
  padding: .05rem .5rem;
  color: var(--accent);
  border: 1px solid var(--accent);
  border-radius: 1rem;
  font-size: .8rem;
  font-weight: 600;
  white-space: nowrap;
}
details form { margin-top: .5rem; }
.rows + details, .quiet + details { margin-top: 0; }
.back { margin: 1.25rem 0 0; }
.chips { line-height: 2; }
.chips code { white-space: nowrap; }
/* Line breaks of a plain text stay. */
.terms p { white-space: pre-line; }
pre.whole, .secret { white-space: pre-wrap; overflow-wrap: anywhere; }
.secret { border: 2px solid var(--accent); }
@media (forced-colors: active) {
  .notice, .badge { border-color: CanvasText; }
}
`;
