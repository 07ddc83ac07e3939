/**
 * Writes frames as an Arrow IPC file with the `pandas` metadata from which Python restores the index. The library is loaded at
 * the first use to keep the start fast.
 */
import type { Column } from "../model/columns.ts";
import type { Frame } from "../model/contract.ts";
import { FrameBuilder, type Gathered, type GatheredColumn } from "./frame-builder.ts";

/** The column for labels without a name, as pandas calls it. */
const UNNAMED_INDEX = "__index_level_0__";

/** The rows as one record batch, since clients count batches; column data is not copied again. */
export async function* arrowChunks(frames: AsyncGenerator<Frame>): AsyncGenerator<Uint8Array> {
  const builder = new FrameBuilder();
  for await (const frame of frames) builder.add(frame);
  const arrow = await import("apache-arrow");
  yield* arrow.RecordBatchFileWriter.writeAll([await recordBatch(builder.whole())]);
}

/** The schema of a frame as an encapsulated IPC message. */
export async function frameSchema(frame: Frame): Promise<Uint8Array> {
  const arrow = await import("apache-arrow");
  const stream = arrow.RecordBatchStreamWriter.writeAll([await recordBatch(frame)]).toUint8Array(true);
  // A stream begins with the schema message: a marker, the length of the rest, then the message itself.
  const length = 8 + new DataView(stream.buffer, stream.byteOffset).getUint32(4, true);
  return stream.slice(0, length);
}

type Arrow = typeof import("apache-arrow");

async function recordBatch(frame: Frame | Gathered) {
  const arrow = await import("apache-arrow");
  const { Field, RecordBatch, Schema, Struct, makeData } = arrow;
  const columns = [...frame.columns, ...indexColumn(frame)];
  const children = columns.map(({ values }) => dataOf(arrow, values));
  const fields = columns.map(({ name }, index) => {
    const child = children[index];
    if (child === undefined) throw new Error("A column without values.");
    return new Field(name, child.type, true);
  });
  const schema = new Schema(fields, new Map([["pandas", JSON.stringify(pandasMetadata(frame))]]));
  return new RecordBatch(schema, makeData({ type: new Struct(fields), length: frame.length, children }));
}

function dataOf(arrow: Arrow, values: GatheredColumn["values"]) {
  switch (values.type) {
    case "packed":
      return arrow.makeData({
        type: new arrow.Utf8(),
        length: values.data.length,
        nullCount: values.nullCount,
        nullBitmap: values.nullCount === 0 ? null : bits(values.data, (length) => length >= 0),
        valueOffsets: offsetsOf(values.data),
        data: values.bytes,
      });
    case "float64":
      return arrow.makeData({ type: new arrow.Float64(), data: values.data });
    case "int64":
      return arrow.makeData({ type: new arrow.Int64(), data: values.data });
    case "uint8":
      return arrow.makeData({ type: new arrow.Uint8(), data: values.data });
    case "datetime64":
      return arrow.makeData({ type: new arrow.Timestamp(UNITS[values.unit]), data: values.data });
    case "bool": {
      const data = bits(values.data, (value) => value !== 0);
      return arrow.makeData({ type: new arrow.Bool(), length: values.data.length, data });
    }
    case "text":
      return arrow.makeData({ type: new arrow.Utf8(), ...textBuffers(values.data) });
  }
}

/** The members of Arrow's TimeUnit. */
const UNITS = { s: 0, ms: 1, us: 2, ns: 3 } as const;

/** Packs booleans into bits, least significant bit first. */
function bits<Value>(values: ArrayLike<Value>, isSet: (value: Value) => boolean): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 8));
  for (let index = 0; index < values.length; index += 1)
    if (isSet(values[index] as Value)) packed[index >> 3] = (packed[index >> 3] ?? 0) | (1 << (index & 7));
  return packed;
}

function textBuffers(texts: readonly (string | null)[]) {
  const valueOffsets = new Int32Array(texts.length + 1);
  let end = 0;
  for (const [row, text] of texts.entries()) {
    end += text === null ? 0 : Buffer.byteLength(text);
    valueOffsets[row + 1] = end;
  }
  const data = new Uint8Array(Buffer.from(texts.filter((text) => text !== null).join("")));
  const nullCount = texts.filter((text) => text === null).length;
  const nullBitmap = nullCount === 0 ? null : bits(texts, (text) => text !== null);
  return { length: texts.length, nullCount, nullBitmap, valueOffsets, data };
}

/** Offsets from text lengths; a missing text has length -1. */
function offsetsOf(lengths: Int32Array): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  for (const [row, length] of lengths.entries()) offsets[row + 1] = (offsets[row] ?? 0) + Math.max(0, length);
  return offsets;
}

function indexColumn({ index }: Frame | Gathered): readonly Column[] {
  return index === null ? [] : [{ name: index.name ?? UNNAMED_INDEX, values: index.values }];
}

function pandasMetadata(frame: Frame | Gathered): Record<string, unknown> {
  const labels = indexColumn(frame);
  return {
    index_columns:
      frame.index === null
        ? [{ kind: "range", name: null, start: 0, stop: frame.length, step: 1 }]
        : labels.map(({ name }) => name),
    column_indexes: [
      // A frame without columns has numbered, not named, columns in pandas.
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

function pandasColumn(
  name: string | null,
  { name: field, values }: Column | GatheredColumn,
): Record<string, unknown> {
  const [pandas, numpy] = pandasTypes(values);
  return { name, field_name: field, pandas_type: pandas, numpy_type: numpy, metadata: null };
}

function pandasTypes(values: GatheredColumn["values"]): readonly [pandas: string, numpy: string] {
  switch (values.type) {
    case "text":
    case "packed":
      return ["unicode", "object"];
    case "datetime64":
      return ["datetime", `datetime64[${values.unit}]`];
    default:
      return [values.type, values.type];
  }
}
