/**
 * The shapes that schemas of YAML files are built of. `deprecated` marks a key without effect, and `Type.Never` one that is
 * refused; the description then says why. `check.ts` reads these marks.
 */
import { type TObject, type TProperties, type TSchema, Type } from "typebox";
import { LONGEST, LONGEST_WINDOW } from "./durations.ts";

export function section<Properties extends TProperties>(
  description: string,
  properties: Properties,
): TObject<Properties> {
  return Type.Object(properties, { additionalProperties: false, description });
}

/** A key that may be missing. Null means the same. */
export function optional<Schema extends TSchema>(
  schema: Schema,
  description: string,
  defaultValue?: unknown,
) {
  const options = defaultValue === undefined ? { description } : { description, default: defaultValue };
  return Type.Optional(Type.Union([schema, Type.Null()], options));
}

export function text(format: string) {
  return Type.String({ format });
}

/** Never shown in messages; editors may treat it as a password. */
export function secretText(format: string) {
  return Type.String({ format, writeOnly: true });
}

export function whole(minimum: number, maximum: number) {
  return Type.Integer({ minimum, maximum });
}

export function duration() {
  return Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: LONGEST }), text("tiled-duration")]);
}

/** The time in which failures are counted together. */
export function throttleWindow() {
  return Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: LONGEST_WINDOW }), text("throttle-window")]);
}

export function noEffect(why: string) {
  return Type.Optional(Type.Unknown({ description: why, deprecated: true }));
}

export function refused(why: string) {
  return Type.Optional(Type.Never({ description: why }));
}
