/** Data types of array elements, as NumPy describes them and Tiled's clients expect them. */

/** NumPy's description of an element: `{kind: "f", itemsize: 8, endianness: "little"}`. */
export interface DataType {
  readonly endianness: "little" | "big" | "not_applicable";
  readonly kind: string;
  /** Bytes of one element. */
  readonly itemsize: number;
  readonly dt_units: string | null;
}

/** A structured element: several fields in a row. */
export interface StructType {
  readonly itemsize: number;
  readonly fields: readonly {
    readonly name: string;
    readonly dtype: ElementType;
    readonly shape: readonly number[] | null;
  }[];
}

export type ElementType = DataType | StructType;

/** The number of fields, including nested ones. */
export function fieldsOf(type: ElementType): number {
  return "fields" in type ? type.fields.reduce((sum, { dtype }) => sum + 1 + fieldsOf(dtype), 0) : 0;
}
