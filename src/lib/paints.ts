/**
 * Colours of a terminal (ECMA-48's SGR sequences) around a text, or the text as it is.
 */

type Paint = (text: string) => string;

export interface Paints {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

export function paints(colours: boolean): Paints {
  const code =
    (start: number, end: number): Paint =>
    (text) =>
      colours ? `\u001b[${start}m${text}\u001b[${end}m` : text;
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
  };
}
