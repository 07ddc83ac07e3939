/**
 * A frame as an Arrow IPC file, with the `pandas` entry in its schema from which Python restores the index. The library
 * is loaded at the first use, so that a start does not wait for it.
 */
import type { Column, ColumnValues, Frame } from "./contract.ts";

/** The column that holds labels without a name of their own, as pandas calls it. */
const UNNAMED_INDEX = "__index_level_0__";

export async function frameToArrow(frame: Frame): Promise<Uint8Array> {
  const arrow = await import("apache-arrow");
  return arrow.RecordBatchFileWriter.writeAll([await recordBatch(frame)]).toUint8Array(true);
}

/** The frame's schema alone, as an encapsulated IPC message. */
export async function frameSchema(frame: Frame): Promise<Uint8Array> {
  const arrow = await import("apache-arrow");
  const stream = arrow.RecordBatchStreamWriter.writeAll([await recordBatch(frame)]).toUint8Array(true);
  // A stream begins with the schema: a marker, the length of what follows, the message itself.
  const length = 8 + new DataView(stream.buffer, stream.byteOffset).getUint32(4, true);
  return stream.slice(0, length);
}

async function recordBatch(frame: Frame) {
  const { Field, Float64, Int64, RecordBatch, Schema, Struct, makeData } = await import("apache-arrow");
  const type = (values: ColumnValues) => (values instanceof Float64Array ? new Float64() : new Int64());
  const columns = [...frame.columns, ...indexColumn(frame)];
  const fields = columns.map(({ name, values }) => new Field(name, type(values), true));
  const children = columns.map(({ values }) =>
    values instanceof Float64Array
      ? makeData({ type: new Float64(), data: values })
      : makeData({ type: new Int64(), data: values }),
  );
  const schema = new Schema(fields, new Map([["pandas", JSON.stringify(pandasMetadata(frame))]]));
  return new RecordBatch(schema, makeData({ type: new Struct(fields), length: frame.length, children }));
}

function indexColumn({ index }: Frame): readonly Column[] {
  return index === null ? [] : [{ name: index.name ?? UNNAMED_INDEX, values: index.values }];
}

function pandasMetadata(frame: Frame): Record<string, unknown> {
  const labels = indexColumn(frame);
  return {
    index_columns:
      frame.index === null
        ? [{ kind: "range", name: null, start: 0, stop: frame.length, step: 1 }]
        : labels.map(({ name }) => name),
    column_indexes: [
      // Without any column, pandas counts them instead of naming them.
      frame.columns.length === 0
        ? { name: null, field_name: null, pandas_type: "int64", numpy_type: "int64", metadata: null }
        : {
            name: null,
            field_name: null,
            pandas_type: "unicode",
            numpy_type: "object",
            metadata: { encoding: "UTF-8" },
          },
    ],
    columns: [
      ...frame.columns.map((column) => pandasColumn(column.name, column)),
      ...labels.map((column) => pandasColumn(frame.index?.name ?? null, column)),
    ],
    attributes: {},
    creator: { library: "tiled-auth" },
    pandas_version: "2.0.0",
  };
}

function pandasColumn(name: string | null, column: Column): Record<string, unknown> {
  const type = column.values instanceof Float64Array ? "float64" : "int64";
  return { name, field_name: column.name, pandas_type: type, numpy_type: type, metadata: null };
}
